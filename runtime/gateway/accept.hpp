#pragma once

#include <string_view>

namespace gnomon::http {

/// How an Accept field rates a media type.
struct welcome {
  int thousandths = 0; // its weight; 0: not wanted
  bool named = false;  // with its full name, not by a wildcard
};

/// Reads an Accept field as in RFC 9110, 12.5.1. Of the ranges that match `type`, which is in lower case, the most
/// precise one decides. A range with parameters other than a weight and charset=utf-8 counts only when no range without
/// them names the type. A weight that cannot be read counts as 1.
welcome welcome_of(std::string_view accept, std::string_view type);

} // namespace gnomon::http
