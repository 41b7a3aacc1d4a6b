#pragma once

#include "actors/messages/messages.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon {

/// Header fields of an HTTP response, in order. Names have static storage.
using header_list = std::vector<std::pair<std::string_view, std::string>>;

/// What every answer about an item tells beside its value: ETag, Cache-Control, Gnomon-Context, Gnomon-Served-By,
/// Gnomon-Copy, Vary where the request chooses the form, and Gnomon-Stale when the copy may be old. The ETag comes
/// first. Control characters in stored text are left out, so no value can add a field.
header_list item_headers(const item_versions& item);

/// The response head of a plain GET, ready to be sent but for `Date` and the empty line, which the server adds. Empty
/// when a plain 200 is not the answer: several siblings, a tombstone, or no value at hand. Pure.
std::string render_head(const item_versions& item);

/// `text` as it may stand in a header field: without control characters, never empty (then `otherwise`).
std::string field_value(std::string_view text, std::string_view otherwise = {});

/// True when `list`, as in If-Match or If-None-Match (RFC 9110, 13.1), names `etag`, which is a strong one, or is "*".
/// `weakly`: a tag matches also with W/ in front. A list that cannot be read names nothing.
bool names_tag(std::string_view list, std::string_view etag, bool weakly);

std::string_view name(copy_kind kind); // "local", "remote", "prefetched"

} // namespace gnomon
