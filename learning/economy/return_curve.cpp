#include "learning/economy/return_curve.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gnomon::learning {

namespace {

constexpr double bins_per_octave = 4;

/// Where `seconds` lies among the ends of the bins: the bin that it is in, and how far into it, 0 to 1.
struct spot {
  size_t bin;
  double into;
};

spot spot_of(double seconds) {
  const auto bin = gap_bins::of(seconds);
  const double begin = bin == 0 ? 0 : gap_bins::end(bin - 1);
  return {bin, std::clamp((seconds - begin) / (gap_bins::end(bin) - begin), 0.0, 1.0)};
}

} // namespace

size_t gap_bins::of(double seconds) {
  if (!(seconds > 1))
    return 0;
  // Bin b holds the gaps above end(b - 1) up to end(b).
  const auto bin = static_cast<size_t>(std::ceil(std::log2(std::min(seconds, 1e9)) * bins_per_octave - 1e-9));
  return std::min(bin, count - 1);
}

double gap_bins::end(size_t bin) {
  static const auto ends = [] {
    std::array<double, count> result;
    for (size_t b = 0; b < count; ++b)
      result[b] = std::exp2(static_cast<double>(b) / bins_per_octave);
    return result;
  }();
  return ends[bin];
}

return_curve::return_curve(const std::array<float, gap_bins::count>& hazards)
    : left_(gap_bins::count), held_(gap_bins::count) {
  double left = 1, held = 0, begin = 0;
  for (size_t b = 0; b < gap_bins::count; ++b) {
    const double after = left * (1 - hazards[b]);
    held += (left + after) / 2 * (gap_bins::end(b) - begin);
    begin = gap_bins::end(b);
    left_[b] = static_cast<float>(left = after);
    held_[b] = static_cast<float>(held);
  }
}

double return_curve::left(double seconds) const {
  const auto [bin, into] = spot_of(seconds);
  const double before = bin == 0 ? 1 : left_[bin - 1];
  return before + (left_[bin] - before) * into;
}

double return_curve::held(double seconds) const {
  const auto [bin, into] = spot_of(seconds);
  const double before = bin == 0 ? 0 : held_[bin - 1];
  const double within = before + (held_[bin] - before) * into;
  return within + std::max(0.0, seconds - gap_bins::end(gap_bins::count - 1)) * left_.back();
}

curve_ahead::curve_ahead(const return_curve& curve, double age)
    : curve_(curve), age_(age), left_(std::max(curve.left(age), 1e-9)), held_(curve.held(age)) {}

double curve_ahead::returned(double seconds) const {
  return std::clamp(1 - curve_.left(age_ + seconds) / left_, 0.0, 1.0);
}

double curve_ahead::held(double seconds) const {
  return std::clamp((curve_.held(age_ + seconds) - held_) / left_, 0.0, seconds);
}

void gap_counts::add(const gap_counts& other) {
  std::transform(ended_.begin(), ended_.end(), other.ended_.begin(), ended_.begin(), std::plus<>{});
  std::transform(cut_.begin(), cut_.end(), other.cut_.begin(), cut_.begin(), std::plus<>{});
}

void gap_counts::halve() {
  for (auto& weight : ended_)
    weight /= 2;
  for (auto& weight : cut_)
    weight /= 2;
}

double gap_counts::total() const {
  return std::accumulate(ended_.begin(), ended_.end(), std::accumulate(cut_.begin(), cut_.end(), 0.0));
}

std::array<float, gap_bins::count> gap_counts::hazards(const std::array<float, gap_bins::count>* prior,
                                                       float strength) const {
  std::array<float, gap_bins::count> result{};
  auto reached = static_cast<float>(total());
  for (size_t b = 0; b < gap_bins::count; ++b) {
    const float at_risk = reached - cut_[b] / 2;
    const float expected = prior != nullptr ? (*prior)[b] : b > 0 ? result[b - 1] : 0;
    result[b] = std::clamp((ended_[b] + strength * expected) / (std::max(at_risk, 0.0f) + strength), 0.0f, 1.0f);
    reached -= ended_[b] + cut_[b];
  }
  return result;
}

void gap_counts::save(writer& out) const {
  out.put(ended_);
  out.put(cut_);
}

void gap_counts::load(reader& in) {
  in.get(ended_);
  in.get(cut_);
  auto wrong = [](float weight) { return !(weight >= 0 && weight < 1e30f); };
  if (std::any_of(ended_.begin(), ended_.end(), wrong) || std::any_of(cut_.begin(), cut_.end(), wrong))
    in.fail();
}

} // namespace gnomon::learning
