#include "runtime/base/etag.hpp"

#include <algorithm>

namespace gnomon {

bool names_tag(std::string_view list, std::string_view etag, bool weakly) {
  if (list == "*")
    return true;
  auto found = false;
  auto skip = [&](const char* of) { list.remove_prefix(std::min(list.find_first_not_of(of), list.size())); };
  for (skip(" \t,"); !list.empty(); skip(" \t,")) {
    auto weak = list.starts_with("W/");
    list.remove_prefix(weak ? 2 : 0);
    auto end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos)
      return false;
    found |= list.substr(0, end + 1) == etag && (weakly || !weak);
    list.remove_prefix(end + 1);
    skip(" \t");
    if (!list.empty() && list.front() != ',')
      return false;
  }
  return found;
}

} // namespace gnomon
