#include "actors/feed/merged_states.hpp"

#include <algorithm>

namespace gnomon {

void merged_states::add(const state_page& page) {
  for (const auto& item : page.items)
    items_[item.id].sync(item.versions);
  if (!page.more || page.items.empty())
    return;
  const auto& last = page.items.back().id;
  complete_until_ = more_ ? std::min(complete_until_, last) : last;
  more_ = true;
}

state_page merged_states::cut(uint32_t limit) const {
  state_page result;
  result.more = more_;
  for (const auto& [id, versions] : items_) {
    if (more_ && id > complete_until_)
      break;
    if (result.items.size() == limit) {
      result.more = true;
      break;
    }
    result.items.push_back({id, versions});
  }
  return result;
}

} // namespace gnomon
