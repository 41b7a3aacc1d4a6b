#include "learning/models/boosted_trees.hpp"

#include "learning/base/finite.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gnomon::learning {

namespace {

constexpr size_t block = 16; // samples scored together

} // namespace

void boosted_trees::run(const float* columns, size_t stride, size_t count, float* out) const {
  const auto& w = weights_;
  for (size_t first = 0; first < count; first += block) {
    const size_t here = std::min(block, count - first);
    std::array<float, block * most_outputs> sums{};
    for (size_t tree = 0; tree < trees(); ++tree) {
      std::array<uint32_t, block> leaf{};
      for (uint32_t level = 0; level < w.depth; ++level) {
        const float* x = columns + w.features[tree * w.depth + level] * stride + first;
        const float threshold = w.thresholds[tree * w.depth + level];
        for (size_t s = 0; s < block; ++s)
          leaf[s] |= static_cast<uint32_t>(x[s] > threshold) << level;
      }
      const float* leaves = &w.leaves[(tree << w.depth) * most_outputs];
      for (size_t s = 0; s < here; ++s)
        for (size_t o = 0; o < most_outputs; ++o)
          sums[s * most_outputs + o] += leaves[leaf[s] * most_outputs + o];
    }
    for (size_t s = 0; s < here; ++s)
      for (size_t o = 0; o < w.outputs; ++o)
        out[o * stride + first + s] = w.base[o] + sums[s * most_outputs + o];
  }
}

void boosted_trees::save(writer& out) const {
  const auto& w = weights_;
  for (auto size : {w.inputs, w.outputs, w.depth})
    out.put(size);
  out.put(w.base);
  out.put(w.features);
  out.put(w.thresholds);
  out.put(w.leaves);
}

expected<boosted_trees> boosted_trees::load(reader& in) {
  tree_weights w;
  for (auto size : {&w.inputs, &w.outputs, &w.depth})
    in.get(*size);
  in.get(w.base);
  in.get(w.features);
  in.get(w.thresholds);
  in.get(w.leaves);
  const auto bad = [] { return make_error(ec::bad_message, "the trees in the model do not fit together"); };
  // The bounds come first: the sizes below must not overflow.
  if (!in.good() || w.inputs > most_inputs || w.outputs > most_outputs || w.depth > most_depth
      || w.features.size() > size_t{most_trees} * most_depth)
    return bad();
  const size_t trees = w.depth == 0 ? 0 : w.features.size() / w.depth;
  if (w.base.size() != w.outputs || w.features.size() != trees * w.depth || w.thresholds.size() != w.features.size()
      || w.leaves.size() != (trees << w.depth) * most_outputs)
    return bad();
  if (!all_finite(w.base) || !all_finite(w.thresholds) || !all_finite(w.leaves)
      || std::any_of(w.features.begin(), w.features.end(), [&](auto f) { return f >= w.inputs; }))
    return bad();
  return boosted_trees{std::move(w)};
}

} // namespace gnomon::learning
