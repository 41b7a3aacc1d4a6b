#include "runtime/base/clock.hpp"

#include <algorithm>

#include <time.h>

namespace gnomon {

namespace {

timestamp wall_now() {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

} // namespace

// Not the steady clock: on Linux that one stands still while the machine sleeps.
int64_t boot_ms() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

scaled_clock::scaled_clock(double scale, timestamp origin)
    : scale_(scale), origin_(origin == timestamp{} ? wall_now() : origin) {}

timestamp scaled_clock::now() const {
  if (scale_ == 1.0)
    return wall_now();
  auto elapsed = static_cast<double>((wall_now() - origin_).count());
  return origin_ + duration{static_cast<int64_t>(elapsed * scale_)};
}

hlc hlc_source::next(timestamp now) {
  auto millis = static_cast<int64_t>(now.time_since_epoch().count());
  last_ = millis > last_.millis ? hlc{millis, 0} : hlc{last_.millis, last_.count + 1};
  return last_;
}

void hlc_source::observe(hlc seen) {
  last_ = std::max(last_, seen);
}

} // namespace gnomon
