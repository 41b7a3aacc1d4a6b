#pragma once

#include "gnomon/client.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

/// One item as a line of newline-delimited JSON, for `import` and `export`. Pure.
///
///   {"id":"news/1","value":"aGVsbG8=","content_type":"text/plain","user":"u1","expires":1700000000000}
///
/// `value` is base64; `text` may take its place. A content type or user that is not UTF-8 becomes `content_type_base64`
/// or `user_base64`. Everything except `id` and one of these two may be left out. Further versions of an item are under
/// `siblings`, as objects without `id`.
namespace gnomon::shell {

/// A line that cannot be read; `what()` says why.
struct bad_line : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Without the newline.
std::string write_line(const item& x);

/// `id` and `versions` are filled in. Throws bad_line.
item read_line(std::string_view line);

} // namespace gnomon::shell
