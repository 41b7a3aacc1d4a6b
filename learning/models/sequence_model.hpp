#pragma once

#include "learning/base/archive.hpp"
#include "learning/base/item_index.hpp"
#include "learning/base/training_progress.hpp"
#include "runtime/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

/// The sequence network: an embedding of items and of the gaps between accesses, one gated recurrent layer, and a
/// softmax tied to the embedding (Hidasi et al. 2016; Jannach and Ludewig 2017 for how it compares with counting).
namespace gnomon::learning {

/// Gaps between two accesses of a user fall into this many classes, about one for each doubling; class 0 is "unknown".
inline constexpr size_t gap_classes = 16;
uint8_t gap_class(double seconds);

/// Access sequences to learn from, one after the other: `items[ends[k - 1] .. ends[k])` is the k-th. Items are dense
/// indices; `gaps` holds the class of the gap before each access.
struct sequence_set {
  std::vector<uint32_t> items;
  std::vector<uint8_t> gaps;
  std::vector<size_t> ends;
  void add(std::span<const uint32_t> sequence_items, std::span<const uint8_t> sequence_gaps);
};

struct sequence_config {
  size_t units = 64;       // of the state and of an item's vector; a multiple of 16
  size_t epochs = 5;       // passes over the data
  size_t negatives = 1024; // items drawn for each batch; 0 or more than there are: the full softmax
  size_t lanes = 64;       // sequences trained side by side
  size_t steps = 8;        // accesses unrolled at once (truncated back-propagation)
  float rate = 0.006f;     // of Adam, multiplied by `rate_decay` after each pass but the first
  float rate_decay = 0.7f;
  float input_dropout = 0.2f;
  float output_dropout = 0.1f;
  float sampling_power = 0.5f; // negatives are drawn by count to this power
  uint64_t seed = 1;
};

/// What training returns and serving needs: plain numbers, row-major.
struct sequence_weights {
  size_t units = 0;
  std::vector<float> items;  // items x units
  std::vector<float> biases; // one an item
  std::vector<float> gaps;   // gap_classes x units
  std::vector<float> wx, wh; // units x 3 units each; gates in the order reset, update, candidate
  std::vector<float> bx, bh; // 3 units each
  size_t item_count() const {
    return biases.size();
  }
};

/// Trains on `data`, whose items are below `item_count`. With `start` the training continues from there (later items
/// start without training). Single-threaded; blocks for as long as it takes; 60,000 to 100,000 accesses a second.
/// Errors: invalid_argument (no sequence with two accesses, an item out of range, units not a multiple of 16),
/// timeout (the report said stop).
expected<sequence_weights> train_sequence(const sequence_set& data, size_t item_count, const sequence_config& config,
                                          const sequence_weights* start = nullptr,
                                          const training_listener& report = {});

/// Uses trained weights. Immutable once made, so any thread may use it. Each caller brings its own state (`units`
/// floats, zero at first) and scratch.
class sequence_model {
public:
  sequence_model() = default;
  explicit sequence_model(sequence_weights weights);

  explicit operator bool() const {
    return weights_.units != 0;
  }
  size_t units() const {
    return weights_.units;
  }
  size_t item_count() const {
    return weights_.item_count();
  }
  /// The user read `item`: updates `state`. An item that this model does not know leaves the state as it is.
  void step(float* state, uint32_t item, uint8_t gap) const;
  /// out[i] = unnormalised log-probability that picked[i] comes next; `unknown_score` for items it does not know.
  void score(const float* state, std::span<const uint32_t> picked, float* out) const;
  /// About `count` of the likeliest next items, best first. An index finds them by comparing part of the items: those
  /// in `probes` clusters. With 0 it compares all.
  void top(const float* state, size_t count, size_t probes, std::vector<uint32_t>& out) const;
  const sequence_weights& weights() const {
    return weights_;
  }
  /// From now on this model does not know `item`, because its number will mean another item. For its owner only.
  void forget(uint32_t item);

  static constexpr float unknown_score = -20.0f;

  void save(writer& out) const;
  /// Errors: bad_message.
  static expected<sequence_model> load(reader& in);

private:
  bool knows(uint32_t item) const {
    return item < item_count() && weights_.biases[item] > unknown_score;
  }

  sequence_weights weights_;
  item_index index_;
};

} // namespace gnomon::learning
