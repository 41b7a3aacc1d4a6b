#include "actors/node/followed.hpp"

#include <algorithm>

namespace gnomon {

namespace {

bool begins_with_any(const std::string& id, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return id.starts_with(prefix); });
}

} // namespace

void followed::set(const followed_items& all) {
  items_.set({{all.ids.begin(), all.ids.end()}, all.prefixes});
  any_ = !all.ids.empty() || !all.prefixes.empty();
}

bool followed::matches_any(const index& all, const std::string& id) {
  return all.ids.count(id) > 0 || begins_with_any(id, all.prefixes);
}

bool matches(const followed_items& items, const std::string& id) {
  return std::find(items.ids.begin(), items.ids.end(), id) != items.ids.end() || begins_with_any(id, items.prefixes);
}

} // namespace gnomon
