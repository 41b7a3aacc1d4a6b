#pragma once

#include "learning/base/archive.hpp"

#include <array>
#include <cstddef>
#include <vector>

/// How long it takes until an item is read again, as a distribution that is learned while some gaps are still open.
namespace gnomon::learning {

/// Gaps fall into bins of a quarter of an octave, from one second to four years.
struct gap_bins {
  static constexpr size_t count = 4 * 27 + 1;
  /// Of a gap in seconds.
  static size_t of(double seconds);
  /// The upper end of a bin, in seconds.
  static double end(size_t bin);
};

/// The chance that the next read has come, by time since the last one. Immutable once made.
class return_curve {
public:
  return_curve() = default;
  /// From the chance that a gap which reached a bin ends in it (its hazard), for each bin.
  explicit return_curve(const std::array<float, gap_bins::count>& hazards);

  explicit operator bool() const {
    return !left_.empty();
  }
  /// P(gap > seconds).
  double left(double seconds) const;
  /// E[min(gap, seconds)]: how long a copy is held that goes after `seconds` without a read.
  double held(double seconds) const;

private:
  friend class curve_ahead;
  std::vector<float> left_, held_; // at the end of each bin
};

/// The same from a moment on at which the item has already been idle for `age` seconds.
class curve_ahead {
public:
  explicit curve_ahead(const return_curve& curve, double age = 0);
  double returned(double seconds) const;
  double held(double seconds) const;

private:
  const return_curve& curve_;
  double age_, left_, held_;
};

/// Ends of gaps, and gaps that were given up before their end, by bin. Counts are weights: halving them all lets old
/// gaps fade. Not thread-safe.
class gap_counts {
public:
  void ended(double seconds, float weight = 1) {
    ended_[gap_bins::of(seconds)] += weight;
  }
  /// A gap that is open, or is no longer watched, at this age: it is at least that long.
  void cut(double seconds, float weight = 1) {
    cut_[gap_bins::of(seconds)] += weight;
  }
  void add(const gap_counts& other);
  void halve();
  double total() const;
  /// The estimate of Kaplan and Meier (1958): the hazard of a bin is the share that ends in it of the gaps that reach
  /// it. A gap cut inside the bin counts half. Where few gaps reach a bin, `prior` counts as much as `strength` gaps.
  /// Without one the bin before does: gaps have heavy tails, and where nobody has looked yet the tail goes on as it
  /// was.
  std::array<float, gap_bins::count> hazards(const std::array<float, gap_bins::count>* prior, float strength) const;

  void save(writer& out) const;
  void load(reader& in);

private:
  std::array<float, gap_bins::count> ended_{}, cut_{};
};

} // namespace gnomon::learning
