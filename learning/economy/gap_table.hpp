#pragma once

#include "learning/economy/return_curve.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::learning {

/// What a gap depends on.
struct gap_kind {
  std::string_view type; // data type of the item
  size_t region = 0;
  uint64_t bytes = 0; // size of the item
  uint32_t reads = 0; // of the item in the region so far; 0: since the item came to be, for its first read there
  double pace_s = 0;  // the gaps between those reads, on average; 0: there was none yet
};

/// Distributions of gaps by leaf: data type, region, size class, reads so far and their pace. A leaf with few gaps
/// leans on a wider one: first all sizes, then all types, then all regions, then all paces. Not thread-safe.
class gap_table {
public:
  using leaf = uint32_t;

  /// The number of the leaf. Types from the 255th on share one, regions from the 63rd on, too.
  leaf leaf_of(const gap_kind& kind);
  void ended(leaf of, double seconds, float weight) {
    at(of).counts.ended(seconds, weight);
  }
  void cut(leaf of, double seconds, float weight) {
    at(of).counts.cut(seconds, weight);
  }
  /// How often the leaf's gaps were halved: a gap that began before counts less by as many halvings.
  uint32_t halvings(leaf of) {
    return at(of).halvings;
  }
  /// Halves a leaf that has more than `memory` gaps, and makes the curves anew. `open` are gaps that are not over, each
  /// a leaf with its age in seconds and weight; they count in the curves only.
  struct open_age {
    leaf of;
    float seconds, weight;
  };
  void fit(const std::vector<open_age>& open, double memory);
  /// The leaf's curve as of the last `fit`; null where too little is known.
  const return_curve* curve(leaf of) const;
  const return_curve* curve(const gap_kind& kind) const;

  size_t leaves() const {
    return leaves_.size();
  }
  void save(writer& out) const;
  void load(reader& in);

private:
  struct leaf_state {
    gap_counts counts;
    uint32_t halvings = 0;
  };
  leaf_state& at(leaf of) {
    return leaves_[of];
  }

  void add_curve(leaf number, const gap_counts& of, std::map<leaf, std::array<float, gap_bins::count>>& hazards);

  std::map<std::string, uint32_t, std::less<>> types_;
  std::map<leaf, leaf_state> leaves_;
  std::map<leaf, return_curve> curves_; // of leaves and of wider groups
};

} // namespace gnomon::learning
