#pragma once

#include <chrono>
#include <cstdint>
#include <tuple>

namespace gnomon {

using duration = std::chrono::milliseconds;
/// Milliseconds since 1970 UTC of a node's own clock. The zero point means "never".
using timestamp = std::chrono::time_point<std::chrono::system_clock, duration>;

/// Whole seconds since 1970, rounded down. The zero point stays zero.
inline uint32_t epoch_seconds(timestamp t) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count());
}

/// The source of time for every lease, expiry and version stamp. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  virtual timestamp now() const = 0;
};

/// Milliseconds since the machine started, including its sleep. Thread-safe.
int64_t boot_ms();

/// The machine's clock, run `scale` times as fast from `origin` on. Scale 1 is the wall clock itself. In a replay,
/// leases, rates and horizons shrink alike, while network delays stay the same.
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

/// A clock that moves only when told to: for tests and the simulator. Not thread-safe.
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
