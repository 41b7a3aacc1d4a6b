#include "learning/base/calibration.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr double lowest = -12, calibration_step = 0.125;
constexpr size_t bin_count = 160; // up to a logit of 8
constexpr double smallest_block = 200, least_before_step = 50, step = 0.5;
constexpr double prior_outcomes = 100;
constexpr size_t first_fit = 125, refit_after = 1000; // outcomes; in between at each doubling
constexpr int consistency_rounds = 8;
constexpr double most_outcomes = 1e12; // of a bin: more than any node ever counts

bool due_for_fit(size_t outcomes) {
  return outcomes % refit_after == 0
         || (outcomes < refit_after && outcomes % first_fit == 0 && std::has_single_bit(outcomes / first_fit));
}

} // namespace

void open_outcomes::add(float logit, bool came_true, float passed) {
  if (std::isnan(logit))
    return;
  bins_.resize(bin_count);
  auto& b = bins_[calibrator::bin_of(logit)];
  const auto step = static_cast<size_t>(std::clamp(passed, 0.0f, 1.0f) * static_cast<float>(steps));
  (came_true ? b.hits : b.waiting[std::min(step, steps - 1)]) += 1;
  b.sum += std::clamp(double{logit}, lowest, lowest + calibration_step * bin_count);
}

calibrator::calibrator(double memory) : memory_(std::max<double>(memory, refit_after)), bins_(bin_count) {
  fit();
}

size_t calibrator::bin_of(float logit) {
  return static_cast<size_t>(std::clamp((double{logit} - lowest) / calibration_step, 0.0, double{bin_count - 1}));
}

void calibrator::add(float logit, bool came_true) {
  if (std::isnan(logit))
    return;
  auto& b = bins_[bin_of(logit)];
  b.count += 1;
  b.hits += came_true ? 1 : 0;
  b.sum += std::clamp(double{logit}, lowest, lowest + calibration_step * bin_count);
  if (!due_for_fit(++added_))
    return;
  fit();
  if (added_ % refit_after != 0)
    return;
  const double fade = 1 - refit_after / memory_;
  for (auto& old : bins_) {
    old.count *= fade;
    old.hits *= fade;
    old.sum *= fade;
  }
}

double calibrator::sigmoid(double logit) const {
  return 1 / (1 + std::exp(-(slope_ * logit + offset_)));
}

// Newton's method on the likelihood, held near the identity by a few made-up outcomes.
void calibrator::fit_sigmoid(const std::vector<bin>& bins) {
  constexpr double pull = 10;
  slope_ = 1;
  offset_ = 0;
  for (int round = 0; round < 30; ++round) {
    double g0 = pull * (slope_ - 1), g1 = pull * offset_, h00 = pull, h01 = 0, h11 = pull;
    for (auto& b : bins) {
      if (b.count == 0)
        continue;
      const double x = b.sum / b.count, p = sigmoid(x), w = b.count * p * (1 - p), miss = b.count * p - b.hits;
      g0 += miss * x;
      g1 += miss;
      h00 += w * x * x;
      h01 += w * x;
      h11 += w;
    }
    const double det = h00 * h11 - h01 * h01;
    const double d0 = (h11 * g0 - h01 * g1) / det, d1 = (h00 * g1 - h01 * g0) / det;
    slope_ = std::clamp(slope_ - std::clamp(d0, -0.5, 0.5), 0.05, 20.0);
    offset_ -= std::clamp(d1, -1.0, 1.0);
    if (std::abs(d0) + std::abs(d1) < 1e-7)
      return;
  }
}

// Joins neighbouring bins until each block has enough outcomes. A step in the share that comes true ends a block early:
// otherwise the few outcomes above the step would be averaged with those below. The prior guards against chance steps.
std::vector<calibrator::block> calibrator::blocks(const std::vector<bin>& bins) {
  std::vector<block> result;
  bool open = false;
  for (auto& b : bins) {
    if (b.count == 0)
      continue;
    if (open && result.back().count >= least_before_step)
      open = std::abs(b.hits / b.count - result.back().hits / result.back().count) < step;
    if (!open)
      result.emplace_back();
    auto& last = result.back();
    last.count += b.count;
    last.hits += b.hits;
    last.sum += b.sum;
    open = last.count < smallest_block;
  }
  return result;
}

// The open ones' outcomes as they are to be expected by what is believed so far.
std::vector<calibrator::bin> calibrator::completed() const {
  auto result = bins_;
  for (size_t k = 0; k < open_.bins_.size(); ++k) {
    const auto& open = open_.bins_[k];
    double count = open.hits, hits = open.hits;
    for (auto waiting : open.waiting)
      count += waiting;
    if (count == 0)
      continue;
    const double p = (*this)(static_cast<float>(open.sum / count));
    for (size_t step = 0; step < open_outcomes::steps; ++step) {
      const double left = 1 - (static_cast<double>(step) + 0.5) / open_outcomes::steps;
      hits += open.waiting[step] * (1 - std::pow(1 - p, left));
    }
    result[k].count += count;
    result[k].hits += hits;
    result[k].sum += open.sum;
  }
  return result;
}

void calibrator::fit(open_outcomes open) {
  open_ = std::move(open);
  fit();
}

void calibrator::fit() {
  for (int round = open_.bins_.empty() ? 1 : consistency_rounds; round-- > 0;)
    fit_once(completed());
}

void calibrator::fit_once(const std::vector<bin>& bins) {
  fit_sigmoid(bins);
  struct pool {
    double weight, value;
    size_t members;
  };
  std::vector<pool> pools;
  std::vector<double> logits;
  for (auto& b : blocks(bins)) {
    const double x = b.sum / b.count;
    logits.push_back(x);
    pools.push_back({b.count + prior_outcomes, (b.hits + prior_outcomes * sigmoid(x)) / (b.count + prior_outcomes), 1});
    // Pool adjacent violators: a later block may not come out lower.
    while (pools.size() > 1 && pools[pools.size() - 2].value >= pools.back().value) {
      auto last = pools.back();
      pools.pop_back();
      auto& into = pools.back();
      into.value = (into.value * into.weight + last.value * last.weight) / (into.weight + last.weight);
      into.weight += last.weight;
      into.members += last.members;
    }
  }
  curve_.clear();
  for (auto& p : pools)
    for (size_t k = 0; k < p.members; ++k)
      curve_.push_back({static_cast<float>(logits[curve_.size()]), static_cast<float>(p.value)});
}

// A network with finite weights may still come to no number: then it claims nothing.
float calibrator::operator()(float logit) const {
  if (std::isnan(logit))
    return 0;
  if (curve_.empty())
    return static_cast<float>(sigmoid(logit));
  // Beyond the outcomes seen the sigmoid goes on, but never against the order.
  if (logit <= curve_.front().logit)
    return std::min(curve_.front().probability, static_cast<float>(sigmoid(logit)));
  if (logit >= curve_.back().logit)
    return curve_.back().probability;
  auto above =
      std::upper_bound(curve_.begin(), curve_.end(), logit, [](float x, const point& p) { return x < p.logit; });
  auto below = above - 1;
  const float share = (logit - below->logit) / std::max(above->logit - below->logit, 1e-6f);
  return below->probability + share * (above->probability - below->probability);
}

void calibrator::save(writer& out) const {
  out.put(bins_);
  out.put(static_cast<uint64_t>(added_));
}

void calibrator::load(reader& in) {
  uint64_t added = 0;
  in.get(bins_);
  in.get(added);
  added_ = added;
  const auto sound = [](const bin& b) {
    return b.count >= 0 && b.count <= most_outcomes && b.hits >= 0 && b.hits <= b.count * 1.001
           && std::abs(b.sum) <= b.count * std::abs(lowest) * 1.001;
  };
  if (bins_.size() != bin_count || !std::all_of(bins_.begin(), bins_.end(), sound)) {
    in.fail();
    bins_.assign(bin_count, {});
  }
  fit();
}

void calibration_table::add(float probability, bool came_true) {
  auto& row = sums_[std::min<size_t>(static_cast<size_t>(probability * 10), 9)];
  row.said += probability;
  row.came_true += came_true ? 1 : 0;
  ++row.count;
}

std::vector<calibration_table::row> calibration_table::rows() const {
  auto result = sums_;
  for (auto& row : result)
    if (row.count > 0) {
      row.said /= static_cast<double>(row.count);
      row.came_true /= static_cast<double>(row.count);
    }
  return result;
}

double calibration_table::error() const {
  double distance = 0, count = 0;
  for (auto& row : sums_) {
    distance += std::abs(row.said - row.came_true);
    count += static_cast<double>(row.count);
  }
  return count > 0 ? distance / count : 0;
}

} // namespace gnomon::learning
