#include "actors/feed/change_order.hpp"

#include <algorithm>

namespace gnomon {

std::vector<change_order::told> change_order::take(item_step step, time now) {
  std::vector<told> out;
  if (step.is_gap()) {
    begin_anew();
    return {{std::move(step)}};
  }
  auto [entry, is_new] = items_.try_emplace(step.id);
  auto& all = entry->second;
  all.used = ++uses_;
  if (is_new)
    all.seen = step.before;
  if (step.expired) {
    auto is_told = all.etag == step.etag && all.deleted == step.deleted; // of another node's copy
    auto news = all.seen == step.after && !is_told;                      // else it was written again
    if (news)
      tell(all, std::move(step), out);
  } else if (!all.seen.covers(step.after)) {
    if (!is_next(all, step))
      until_.emplace(now + patience_, step.id);
    all.waiting.push_back({now + patience_, std::move(step)});
    tell_what_is_next(all, out);
  }
  if (is_new && items_.size() > most_)
    forget_some();
  return out;
}

std::vector<change_order::told> change_order::overdue(time now) {
  std::vector<told> out;
  while (!until_.empty() && until_.begin()->first <= now) {
    auto entry = items_.find(until_.begin()->second);
    until_.erase(until_.begin());
    if (entry == items_.end() || entry->second.waiting.empty() || entry->second.waiting.front().until > now)
      continue;
    auto& all = entry->second;
    tell(all, std::move(all.waiting.front().step), out);
    all.waiting.erase(all.waiting.begin());
    tell_what_is_next(all, out);
  }
  return out;
}

bool change_order::is_next(const item& all, const item_step& step) {
  return all.seen.covers(step.before) && step.after.beyond(all.seen) == 1;
}

void change_order::tell(item& all, item_step step, std::vector<told>& out) {
  auto brings = step.after.beyond(all.seen);
  all.seen.merge(step.after);
  all.etag = step.etag;
  all.deleted = step.deleted;
  out.push_back({std::move(step), brings > 1 ? brings - 1 : 0});
}

void change_order::tell_what_is_next(item& all, std::vector<told>& out) {
  for (;;) {
    std::erase_if(all.waiting, [&](const auto& other) { return all.seen.covers(other.step.after); });
    auto next = std::find_if(all.waiting.begin(), all.waiting.end(),
                             [&](const auto& other) { return is_next(all, other.step); });
    if (next == all.waiting.end())
      return;
    auto step = std::move(next->step);
    all.waiting.erase(next);
    tell(all, std::move(step), out);
  }
}

/// The half that has not changed for longest.
void change_order::forget_some() {
  std::vector<uint64_t> uses;
  for (const auto& [id, all] : items_)
    uses.push_back(all.used);
  auto middle = uses.begin() + static_cast<ptrdiff_t>(uses.size() / 2);
  std::nth_element(uses.begin(), middle, uses.end());
  std::erase_if(items_, [&](const auto& entry) { return entry.second.used < *middle && entry.second.waiting.empty(); });
}

} // namespace gnomon
