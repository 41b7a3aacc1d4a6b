#pragma once

#include "learning/base/archive.hpp"
#include "learning/history/history.hpp"

#include <array>
#include <cstdint>
#include <vector>

/// Online counters: what follows what, what is read with what, and what is read much. They learn from each access at
/// once, in a microsecond. Memory for each item is fixed. Nothing in them names a user.
namespace gnomon::learning {

/// The heaviest successors of something, as many as fit, each with a decayed weight. A lossy count in the manner of
/// Metwally et al. 2005: when the row is full, a newcomer reduces the lightest weight before it takes its place.
template <size_t N>
struct successor_row {
  float total = 0;
  uint32_t used = 0;
  std::array<uint32_t, N> items{};
  std::array<float, N> weights{};

  void add(uint32_t item, float weight, float keep);
  /// Subtracts `weight`, as far as it is still there.
  void subtract(uint32_t item, float weight);
  /// Removes the items that `gone` marks.
  void remove(const std::vector<bool>& gone);
  /// Writes only what is in use.
  void save(writer& out) const;
  void load(reader& in);
};

/// Weights that halve every `half_life`, without an update of each one: newer additions count more, and all are scaled
/// down when the numbers grow large (forward decay, Cormode et al. 2009).
class decayed_weights {
public:
  static constexpr size_t leaders_kept = 32;

  explicit decayed_weights(double half_life) : half_life_(half_life) {}
  void add(uint32_t item, double now);
  void subtract(uint32_t item, float share_of_one);
  void erase(uint32_t item);
  /// What an item weighs at `when`, in additions of that moment. And the reverse, after `begin` and before any `add`.
  float at(uint32_t item, double when) const;
  void begin(double when) {
    origin_ = when;
  }
  void put(uint32_t item, float weight);
  /// Share of all weight that `item` has.
  float share(uint32_t item) const {
    return item < weights_.size() ? weights_[item] * inverse_total_ : 0.0f;
  }
  void prefetch(uint32_t item) const {
    if (item < weights_.size())
      __builtin_prefetch(&weights_[item]);
  }
  /// The heaviest items, heaviest first.
  const std::vector<uint32_t>& leaders() const {
    return leaders_;
  }

private:
  void promote(uint32_t item);

  double half_life_;
  double origin_ = 0;
  double total_ = 0;
  float inverse_total_ = 0;
  float newest_ = 1; // what an addition now weighs
  std::vector<float> weights_;
  std::vector<uint32_t> leaders_;
};

/// Bounds and half-lives. Defaults take about 1.2 KB an item and 45 MB for pairs.
struct counter_config {
  bool timed = true;              // false: accesses have an order, but no time; half-lives then count accesses
  double trend_half_life = 1200;  // seconds, or accesses
  double fast_half_life = 10'800; // seconds, or accesses
  double slow_half_life = 172'800;
  size_t pair_rows = 1 << 19; // rows for second-order successors; the least used of four gives way
  size_t max_regions = 32;    // regions with a popularity of their own; the rest share the last
};
counter_config untimed_counters();

/// What is known of one item.
struct item_facts {
  uint32_t first_seen = 0; // seconds since 1970, 0 for never
  uint32_t last_seen = 0;
};

class counters {
public:
  using first_row = successor_row<32>;
  using near_row = successor_row<48>;
  using before_row = successor_row<24>;
  using pair_row = successor_row<8>;
  static constexpr size_t window = 5; // accesses back that count as read together

  explicit counters(const counter_config& config = {});

  /// The user, whose earlier accesses are `before`, reads `item`. Call it before the access joins the history.
  void observe(const user_history& before, uint32_t item, uint8_t region, uint32_t time);
  /// Subtracts what the kept accesses of `history` added, as far as it is still there.
  void forget(const user_history& history);

  /// Rows are null while nothing is known.
  const first_row* after(uint32_t item) const {
    return item < first_.size() ? &first_[item] : nullptr;
  }
  const near_row* near(uint32_t item) const {
    return item < near_.size() ? &near_[item] : nullptr;
  }
  const before_row* before(uint32_t item) const {
    return item < before_.size() ? &before_[item] : nullptr;
  }
  const pair_row* after_pair(uint32_t earlier, uint32_t item) const;
  /// Total weight of the row `near(item)`. Stored separately, because it is needed for every candidate.
  float near_total(uint32_t item) const {
    return item < near_totals_.size() ? near_totals_[item] : 0.0f;
  }
  const item_facts& facts(uint32_t item) const;
  const decayed_weights& trend() const {
    return trend_;
  }
  const decayed_weights& fast() const {
    return fast_;
  }
  const decayed_weights& slow() const {
    return slow_;
  }
  const decayed_weights& in_region(uint8_t region) const;
  bool timed() const {
    return config_.timed;
  }
  /// Loads the data of an item into the processor's caches, for use soon: its single numbers, or its rows.
  void prefetch(uint32_t item, uint8_t region) const;
  void prefetch_rows(uint32_t item) const;
  size_t items() const {
    return first_.size();
  }

  /// Of memory, about.
  size_t bytes() const {
    return first_.capacity() * sizeof(first_row) + near_.capacity() * sizeof(near_row)
           + before_.capacity() * sizeof(before_row) + facts_.capacity() * (sizeof(item_facts) + sizeof(float))
           + pairs_.capacity() * (sizeof(pair_row) + sizeof(uint64_t));
  }

  /// Forgets the data of an item itself. Other rows may still name it.
  void erase(uint32_t item);
  /// Number of rows that may name items: of items, then of pairs. `sweep` removes the items that `gone` marks from some
  /// of them.
  size_t rows() const {
    return first_.size() + pairs_.size();
  }
  void sweep(const std::vector<bool>& gone, size_t begin, size_t end);

  /// For files: an item with its rows and what it weighs at `when`; a pair, if there is one in that place.
  double now() const {
    return now_;
  }
  size_t pair_places() const {
    return pairs_.size();
  }
  size_t regions() const {
    return regions_.size();
  }
  void save_item(writer& out, uint32_t item, double when) const;
  bool save_pair(writer& out, size_t place) const;
  void begin_loading(double when, size_t regions);
  void load_item(reader& in, uint32_t item);
  void load_pair(reader& in);

private:
  void grow(uint32_t item);
  std::vector<decayed_weights*> weights();
  pair_row& pair_for(uint32_t earlier, uint32_t item);

  counter_config config_;
  uint64_t observed_ = 0;
  double now_ = 0; // of the latest access
  std::vector<first_row> first_;
  std::vector<near_row> near_;
  std::vector<before_row> before_;
  std::vector<float> near_totals_;
  std::vector<item_facts> facts_;
  std::vector<uint64_t> pair_keys_; // sets of four
  std::vector<pair_row> pairs_;
  decayed_weights trend_, fast_, slow_;
  std::vector<decayed_weights> regions_;
};

} // namespace gnomon::learning
