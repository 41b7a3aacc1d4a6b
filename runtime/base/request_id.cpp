#include "runtime/base/request_id.hpp"

#include <algorithm>

namespace gnomon {

expected<std::string> checked_request_id(std::string text) {
  constexpr size_t max_bytes = 128;
  auto visible = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (text.empty() || text.size() > max_bytes || !visible)
    return make_error(ec::invalid_argument, "a request id must have 1 to 128 visible ASCII characters");
  return text;
}

} // namespace gnomon
