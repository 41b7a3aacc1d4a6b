#include "actors/shadow/demotion.hpp"

#include <utility>

namespace gnomon {

demotion::demotion(version_vector context, std::vector<std::string> others, uint32_t min_copies)
    : context_(std::move(context)), leaver_(std::move(others.back())), min_copies_(min_copies) {
  others.pop_back();
  asked_ = std::move(others);
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
  return guards_.size() + 1 >= min_copies_ ? step::demote : step::give_up; // the steward stays as well
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
