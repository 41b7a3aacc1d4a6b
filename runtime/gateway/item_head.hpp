#pragma once

#include "actors/messages/messages.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon {

/// Header fields of an HTTP response, in order. Names have static storage.
using header_list = std::vector<std::pair<std::string_view, std::string>>;

/// The header fields of every answer about an item: ETag, Cache-Control, Gnomon-Context, Gnomon-Served-By, Gnomon-Copy,
/// Vary where the request chooses the form, and Gnomon-Stale when the copy may be old. The ETag comes first. Control
/// characters in stored text are left out, so no value can add a field.
header_list item_headers(const item_versions& item);

/// The response head of a plain GET, complete except for `Date` and the empty line, which the server adds. Empty when a
/// plain 200 is not the answer: several siblings, a tombstone, or no value at hand. Pure.
std::string render_head(const item_versions& item);

/// `text` in a form that a header field may have: without control characters, never empty (then `otherwise`).
std::string field_value(std::string_view text, std::string_view otherwise = {});

} // namespace gnomon
