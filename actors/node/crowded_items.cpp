#include "actors/node/crowded_items.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t most_items = 1000;

} // namespace

void crowded_items::note(const std::string& id, uint64_t versions, uint64_t bytes) {
  std::lock_guard guard{mutex_};
  if (versions < 2) {
    items_.erase(id);
    return;
  }
  items_[id] = {versions, bytes};
  if (items_.size() <= most_items)
    return;
  auto smaller = [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; };
  items_.erase(std::min_element(items_.begin(), items_.end(), smaller));
}

std::vector<crowded_items::entry> crowded_items::largest(size_t limit) const {
  std::vector<entry> all;
  {
    std::lock_guard guard{mutex_};
    for (const auto& [id, size] : items_)
      all.push_back({id, size.versions, size.bytes});
  }
  auto count = std::min(limit, all.size());
  auto larger = [](const entry& a, const entry& b) { return a.bytes > b.bytes; };
  std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(count), all.end(), larger);
  all.resize(count);
  return all;
}

} // namespace gnomon
