#include "actors/shadow/demotion.hpp"

#include <algorithm>
#include <utility>

namespace gnomon {

demotion::demotion(version_vector context, std::vector<std::string> others, std::string leaver, uint32_t min_copies)
    : context_(std::move(context)), leaver_(std::move(leaver)), asked_(std::move(others)) {
  auto steward_stays = std::erase(asked_, leaver_) > 0;
  promises_needed_ = min_copies - std::min(min_copies, steward_stays ? 1u : 0u);
  open_ = asked_.size();
}

void demotion::heard(const std::string& node, bool promises) {
  --open_;
  if (promises)
    guards_.push_back(node);
}

void demotion::failed() {
  --open_;
}

demotion::step demotion::next() const {
  if (open_ > 0)
    return step::wait;
  return guards_.size() >= promises_needed_ ? step::demote : step::give_up;
}

bool takes_over(double here, const demands& durable) {
  return std::any_of(durable.begin(), durable.end(), [here](const auto& there) { return here > 2 * there.second; });
}

std::string least_wanted(const demands& durable, const std::vector<std::string>& ranked) {
  return *std::min_element(ranked.rbegin(), ranked.rend(),
                           [&](const std::string& a, const std::string& b) { return durable.at(a) < durable.at(b); });
}

void guard_promises::give(const std::string& steward, time_point until) {
  until_[steward] = until;
}

void guard_promises::release(const std::string& steward) {
  until_.erase(steward);
}

bool guard_promises::hold(time_point now) {
  std::erase_if(until_, [now](const auto& promise) { return promise.second <= now; });
  return !until_.empty();
}

} // namespace gnomon
