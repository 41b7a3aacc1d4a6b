#include "actors/node/background_pace.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr double part_of_one_pulse = 0.02; // there are ten in a second

} // namespace

background_pace::unit background_pace::begin() {
  if (under_way_.fetch_add(1) >= window_) {
    --under_way_;
    ++put_off_;
    return nullptr;
  }
  return {this, [](background_pace* pace) { --pace->under_way_; }};
}

void background_pace::feel(duration late) {
  late_ms_ = late.count();
  auto share = std::clamp(std::chrono::duration<double>(late) / late_from, 0.0, 1.0);
  load_ = load_ + (share - load_) * part_of_one_pulse;
  if (late >= late_from)
    shrink();
  else if (!shrunk_)
    window_ = std::min(window_ + step, most);
  shrunk_ = false;
}

void background_pace::peer_is_late() {
  shrink();
}

/// At most once in a pulse: all that was under way learns of the same trouble.
void background_pace::shrink() {
  if (!shrunk_.exchange(true))
    window_ = std::max(window_ / 2, least);
}

uint64_t background_pace::room() const {
  auto busy = under_way_ + waiting_;
  auto most_now = window_.load();
  return busy < most_now ? most_now - busy : 0;
}

} // namespace gnomon
