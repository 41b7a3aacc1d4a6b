#pragma once

#include <string_view>

namespace gnomon::http {

/// How welcome a media type is by an Accept field. Ordered by nothing: compare what matters.
struct welcome {
  int thousandths = 0; // its weight; 0: not wanted
  bool named = false;  // with its full name, not by a wildcard
};

/// Reads an Accept field as RFC 9110, 12.5.1, says it: of the ranges that match `type`, which is in lower case, the
/// most precise one decides. A range with other parameters than a weight and charset=utf-8 counts only where none
/// without them names the type; a weight that cannot be read counts as 1.
welcome welcome_of(std::string_view accept, std::string_view type);

} // namespace gnomon::http
