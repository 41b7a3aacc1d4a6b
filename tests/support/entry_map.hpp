#pragma once

#include "storage/kv_store.hpp"

#include <map>

namespace gnomon::test {

/// What a store without a disk keeps.
using entry_map = std::map<std::string, std::string, std::less<>>;

/// As `kv_store::scan`.
inline kv_page page_of(const entry_map& all, std::string_view first, std::string_view last, size_t limit,
                       bool keys_only) {
  kv_page page;
  size_t bytes = 0;
  for (auto i = all.lower_bound(first); i != all.end() && (last.empty() || i->first < last); ++i) {
    if (page.entries.size() >= limit || bytes >= kv_store::max_page_bytes) {
      page.more = true;
      break;
    }
    page.entries.emplace_back(i->first, keys_only ? std::string{} : i->second);
    bytes += i->first.size() + page.entries.back().second.size();
  }
  return page;
}

} // namespace gnomon::test
