#pragma once

#include <string_view>

namespace gnomon {

/// True when `list`, as in If-Match or If-None-Match (RFC 9110, 13.1), names the strong tag `etag`, or is "*".
/// `weakly`: a tag with W/ in front matches as well. A list that cannot be read names nothing.
bool names_tag(std::string_view list, std::string_view etag, bool weakly);

} // namespace gnomon
