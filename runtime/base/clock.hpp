#pragma once

#include <chrono>
#include <cstdint>
#include <tuple>

namespace gnomon {

using duration = std::chrono::milliseconds;
/// Milliseconds since 1970 UTC of a node's own clock. The zero point means "never".
using timestamp = std::chrono::time_point<std::chrono::system_clock, duration>;

/// Where every lease, expiry and version stamp takes its time from. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  virtual timestamp now() const = 0;
};

/// Milliseconds since the machine started, its sleep included. Thread-safe.
int64_t boot_ms();

/// The machine's clock, run `scale` times as fast from `origin` on; scale 1 is the wall clock itself. Leases, rates and
/// horizons shrink alike in a replay, while network delays stay what they are.
class scaled_clock final : public clock {
public:
  explicit scaled_clock(double scale = 1.0, timestamp origin = {});
  timestamp now() const override;
  double scale() const {
    return scale_;
  }

private:
  double scale_;
  timestamp origin_;
};

/// A clock that moves when told to: for tests and the simulator. Not thread-safe.
class manual_clock : public clock {
public:
  timestamp now() const override {
    return now_;
  }
  void advance(duration step) {
    now_ += step;
  }
  void set(timestamp t) {
    now_ = t;
  }

private:
  timestamp now_{std::chrono::hours{24 * 365 * 50}};
};

/// Hybrid logical clock (Kulkarni et al. 2014): physical milliseconds, then a counter; ordered like integers.
struct hlc {
  int64_t millis = 0;
  uint32_t count = 0;
  auto fields() {
    return std::tie(millis, count);
  }
  auto operator<=>(const hlc&) const = default;
};

/// Draws stamps that never run backwards and exceed every stamp seen. Not thread-safe: one per owner.
class hlc_source {
public:
  hlc next(timestamp now);
  void observe(hlc seen);

private:
  hlc last_;
};

} // namespace gnomon
