#include "learning/economy/hedge.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gnomon::learning {

std::vector<double> hedge::weights() const {
  std::vector<double> result(losses_.size());
  const double least = *std::min_element(losses_.begin(), losses_.end());
  const double rate = gap_ > 0 ? std::log(static_cast<double>(losses_.size())) / gap_ : 0;
  for (size_t k = 0; k < losses_.size(); ++k)
    // Before any gap the learning rate is unbounded: the leaders share the weight.
    result[k] = gap_ > 0 ? std::exp(-rate * (losses_[k] - least)) : losses_[k] <= least;
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (auto& weight : result)
    weight /= sum;
  return result;
}

void hedge::charge(std::span<const double> costs) {
  const auto weight = weights();
  const double least = *std::min_element(costs.begin(), costs.end());
  const double mean = std::inner_product(weight.begin(), weight.end(), costs.begin(), 0.0);
  double mixed = least; // the cost of the mixture: -ln(sum of weight * exp(-rate * cost)) / rate
  if (gap_ > 0) {
    const double rate = std::log(static_cast<double>(losses_.size())) / gap_;
    double sum = 0;
    for (size_t k = 0; k < costs.size(); ++k)
      sum += weight[k] * std::exp(-rate * (costs[k] - least));
    mixed = least - std::log(std::max(sum, std::numeric_limits<double>::min())) / rate;
  } else {
    mixed = std::numeric_limits<double>::max();
    for (size_t k = 0; k < costs.size(); ++k)
      if (weight[k] > 0)
        mixed = std::min(mixed, costs[k]);
  }
  gap_ = gap_ * memory + std::max(0.0, mean - mixed);
  for (size_t k = 0; k < costs.size(); ++k)
    losses_[k] = losses_[k] * memory + costs[k];
}

size_t hedge::draw() {
  constexpr double golden = 0.6180339887498949;
  position_ = std::fmod(position_ + golden, 1.0);
  const auto weight = weights();
  double below = 0;
  for (size_t k = 0; k + 1 < weight.size(); ++k)
    if (position_ < (below += weight[k]))
      return k;
  return weight.size() - 1;
}

void hedge::save(writer& out) const {
  out.put(losses_);
  out.put(gap_);
  out.put(position_);
}

void hedge::load(reader& in) {
  const auto experts = losses_.size();
  in.get(losses_);
  in.get(gap_);
  in.get(position_);
  auto wrong = [](double number) { return !(number >= 0 && number < 1e300); };
  if (losses_.size() != experts || wrong(gap_) || wrong(position_)
      || std::any_of(losses_.begin(), losses_.end(), wrong)) {
    in.fail();
    *this = hedge{experts};
  }
}

} // namespace gnomon::learning
