#include "learning/models/sequence_model.hpp"

#include "learning/base/finite.hpp"
#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

uint8_t gap_class(double seconds) {
  if (!(seconds >= 0))
    return 0;
  // Doublings up to four minutes, then fourfold: 2^8, 2^10, ... seconds.
  double doublings = std::log2(1 + seconds);
  double steps = doublings <= 8 ? doublings : 8 + (doublings - 8) / 2;
  return static_cast<uint8_t>(std::min<double>(1 + std::floor(steps), gap_classes - 1));
}

void sequence_set::add(std::span<const uint32_t> sequence_items, std::span<const uint8_t> sequence_gaps) {
  items.insert(items.end(), sequence_items.begin(), sequence_items.end());
  gaps.insert(gaps.end(), sequence_gaps.begin(), sequence_gaps.end());
  ends.push_back(items.size());
}

sequence_model::sequence_model(sequence_weights weights)
    : weights_(std::move(weights)), index_(weights_.items, weights_.biases, weights_.units) {}

void sequence_model::step(float* state, uint32_t item, uint8_t gap) const {
  if (!knows(item))
    return;
  const size_t n = units();
  thread_local std::vector<float> scratch;
  scratch.resize(7 * n);
  float* input = scratch.data() + 6 * n;
  std::copy_n(&weights_.items[item * n], n, input);
  add_scaled(input, &weights_.gaps[std::min<size_t>(gap, gap_classes - 1) * n], 1, n);
  gru_view gru{n, n, weights_.wx.data(), weights_.wh.data(), weights_.bx.data(), weights_.bh.data()};
  gru_step(gru, input, state, scratch.data());
}

void sequence_model::score(const float* state, std::span<const uint32_t> picked, float* out) const {
  const auto known = item_count();
  // Almost always every item is known; only then may the fast loop run over all of them.
  if (std::all_of(picked.begin(), picked.end(), [&](uint32_t item) { return item < known; })) {
    score_picked(weights_.items.data(), weights_.biases.data(), picked.data(), picked.size(), units(), state, out);
    return;
  }
  for (size_t i = 0; i < picked.size(); ++i)
    if (picked[i] < known)
      score_picked(weights_.items.data(), weights_.biases.data(), &picked[i], 1, units(), state, out + i);
    else
      out[i] = unknown_score;
}

void sequence_model::top(const float* state, size_t count, size_t probes, std::vector<uint32_t>& out) const {
  index_.search(state, count, probes, out);
  std::erase_if(out, [this](uint32_t item) { return !knows(item); });
}

void sequence_model::forget(uint32_t item) {
  if (item >= item_count())
    return;
  std::fill_n(&weights_.items[item * units()], units(), 0.0f);
  weights_.biases[item] = unknown_score;
}

void sequence_model::save(writer& out) const {
  out.put(static_cast<uint64_t>(weights_.units));
  for (auto part :
       {&weights_.items, &weights_.biases, &weights_.gaps, &weights_.wx, &weights_.wh, &weights_.bx, &weights_.bh})
    out.put(*part);
}

expected<sequence_model> sequence_model::load(reader& in) {
  sequence_weights w;
  uint64_t units = 0;
  in.get(units);
  for (auto part : {&w.items, &w.biases, &w.gaps, &w.wx, &w.wh, &w.bx, &w.bh})
    in.get(*part);
  w.units = units;
  if (!in.good())
    return make_error(ec::bad_message, "the sequence network ends early");
  if (units == 0 && w.items.empty())
    return sequence_model{};
  bool fits = units > 0 && units <= 4096 && units % lanes == 0 && w.items.size() == w.biases.size() * units
              && w.gaps.size() == gap_classes * units && w.wx.size() == 3 * units * units
              && w.wh.size() == 3 * units * units && w.bx.size() == 3 * units && w.bh.size() == 3 * units;
  for (auto part : {&w.items, &w.biases, &w.gaps, &w.wx, &w.wh, &w.bx, &w.bh})
    fits = fits && all_finite(*part);
  if (!fits)
    return make_error(ec::bad_message, "the parts of the sequence network do not fit together");
  return sequence_model{std::move(w)};
}

} // namespace gnomon::learning
