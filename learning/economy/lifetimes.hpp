#pragma once

#include "learning/base/pooled_map.hpp"
#include "learning/economy/hedge.hpp"
#include "learning/economy/lifetime_table.hpp"

/// How long a copy is worth keeping after a read, and whether one is worth making before a read.
namespace gnomon::learning {

struct lifetimes_config {
  size_t max_open = 300'000; // gaps that are followed at once, about 80 bytes each
  double memory = 4'000;     // gaps that a leaf remembers before they count half
};

/// Learns gaps between reads, and turns them into lifetimes: the lifetime of least expected cost, within bounds that
/// hold whatever was learned. How far it may trust what was learned, `a` of 1, 0.5, 0.25 or 0.1, follows from what each
/// would have cost; so does whether to keep all copies as long as 0.1 allows, which is right where reads become more
/// and more and the past says too little. Time is passed in, in seconds, and should not go back. Not thread-safe; about
/// 0.5 us a read.
class adaptive_lifetimes {
public:
  /// Names an item in a region: `stable_hash` of the id with the region as seed, or any other number.
  using copy_id = uint64_t;

  explicit adaptive_lifetimes(const lifetimes_config& config = {}) : config_(config), hedge_(lifetime_experts) {}

  /// The item came to be without a copy here: from now on it is waited for its first read. Does nothing for a copy that
  /// is known.
  void expect(copy_id copy, const gap_kind& kind, double now);
  /// It was read. Ends the gap since its last read, begins the next one, and says how long the copy is to be kept.
  /// `kind.reads` matters only where it is more than this object has seen itself; the pace is its own.
  lifetime read(copy_id copy, const gap_kind& kind, const copy_costs& costs, double now);
  /// Its lifetime has run out without a read. How much longer it is worth keeping by what is known now; 0: it goes. All
  /// in all it is kept for at most break-even / a, so the bound holds.
  double extend(copy_id copy, const copy_costs& costs, double now);
  /// How long a copy that is made before its first read is kept, where `wish_s` would be best by the chances known:
  /// within the same bounds as any other copy.
  double bounded(double wish_s, const copy_costs& costs) {
    return keep_of(hedge_.draw(), wish_s, costs.break_even_s());
  }
  /// It is gone for good (deleted, or no longer followed): its gap counts as longer than it was so far.
  void forget(copy_id copy, double now);

  /// The chances of a read from now on, for an item of that kind that has been idle for `idle_s`, at times from half an
  /// hour to years. Empty while nothing is known.
  std::vector<return_chance> chances(const gap_kind& kind, double idle_s);
  /// Reads of the item in the region so far, as far as they are followed, and the time since the last one (or since
  /// `expect`).
  struct standing {
    uint32_t reads = 0;
    double pace_s = 0, idle_s = 0;
  };
  standing of(copy_id copy, double now) const;

  /// How much each expert is believed: first the `trusts`, then the one that keeps all copies as long as it may.
  std::vector<double> trust_weights() const {
    return hedge_.weights();
  }
  /// What is known as of the last fit, and how many fits there were.
  lifetime_table table() const {
    return {gaps_, hedge_.weights()};
  }
  size_t fits() const {
    return fits_;
  }

  void save(writer& out) const;
  void load(reader& in);

private:
  struct open_gap {
    double since = 0;
    float wish_s = 0, break_even_s = 0, miss_usd = 0; // no copy was kept: miss_usd is 0
    float charged_s = 0;                              // of holding, up to this age
    float pace_s = 0;
    uint32_t reads = 0, halvings = 0;
    gap_table::leaf leaf = 0;
  };
  void begin(open_gap& gap, const gap_kind& kind, double now);
  void end(open_gap& gap, double now);
  void charge_holding(open_gap& gap, double age);
  float weight_of(const open_gap& gap);
  void make_room(double now);
  void fit_when_due(double now);

  lifetimes_config config_;
  gap_table gaps_;
  hedge hedge_;
  pooled_map<copy_id, open_gap> open_;
  std::array<double, lifetime_experts> charges_{}; // since the last fit
  size_t since_fit_ = 0, fits_ = 0;
};

} // namespace gnomon::learning
