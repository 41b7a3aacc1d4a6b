#pragma once

#include "learning/history/history.hpp"
#include "learning/models/sequence_model.hpp"
#include "learning/user/counters.hpp"

#include <array>
#include <cstdint>
#include <vector>

/// The items a user may read next, with the features that rate each of them.
namespace gnomon::learning {

/// Features of one candidate, in columns. Shares are from 0 to 1. "log" is the natural logarithm of 1 + count, or of a
/// share above a floor. No feature names an item, so what is learned holds for new items as well.
enum class feature : uint8_t {
  // successors of the last item
  first_log,
  first_share,
  first_log_share,
  first_row_log,
  first_row_top,
  // successors of the last two items
  pair_share,
  pair_log,
  pair_row_log,
  // items read near the last one, the one before it, and all recent ones weighted by how recent they are
  near_share,
  near_log,
  near_share_2,
  near_weighted,
  near_cosine,
  near_rows,
  // items that are usually read before the last one, and before any of the last three
  before_share,
  before_weighted,
  // the user's own history
  recency,
  times_read,
  time_since_read,
  was_read,
  own_successor,
  is_current,
  // popularity: log shares with three half-lives, their differences, the region's own
  pop_fast,
  pop_slow,
  pop_trend,
  pop_rise,
  pop_region,
  pop_region_rise,
  // when the item was first and last read by anyone
  item_age,
  item_idle,
  // the user: gap before the last access, length of the history, all accesses ever, how varied the last ten were
  user_gap,
  user_length,
  user_total,
  user_variety,
  // the sequence network: logit below the best candidate's, log share among the candidates, logit, among its own choice
  net_below_best,
  net_log_share,
  net_logit,
  net_rank,
  count_,
};
inline constexpr size_t feature_count = static_cast<size_t>(feature::count_);

/// The candidates of one prediction. Large, and meant to be kept and reused. Not thread-safe.
class candidate_set {
public:
  static constexpr size_t capacity = 192; // also the stride of the columns; a multiple of 16

  void clear();
  /// Adds `item` unless it is there already or there is no room.
  void add(uint32_t item);
  size_t size() const {
    return size_;
  }
  uint32_t item(size_t k) const {
    return items_[k];
  }
  const uint32_t* items() const {
    return items_.data();
  }
  /// `capacity` when `item` is no candidate.
  size_t position(uint32_t item) const;
  float* column(feature f) {
    return &columns_[static_cast<size_t>(f) * capacity];
  }
  const float* column(feature f) const {
    return &columns_[static_cast<size_t>(f) * capacity];
  }
  const float* columns() const {
    return columns_.data();
  }
  void zero_columns();

private:
  static constexpr size_t slots = 512;
  size_t slot_of(uint32_t item) const;

  size_t size_ = 0;
  std::array<uint32_t, capacity> items_{};
  std::array<uint16_t, slots> table_{}; // position + 1, 0 for free
  alignas(64) std::array<float, feature_count * capacity> columns_{};
};

/// How many candidates each generator contributes.
struct candidate_config {
  size_t own_history = 20;
  size_t network = 30; // the sequence network's own choice; 0: it only scores what the counters bring
  size_t probes = 12;  // clusters of its index looked at; 0: all items, exact and slow
  size_t near_rows = 3;
  size_t before_rows = 2;
  size_t leaders = 20; // of each popularity
};

/// Collects the candidates for a user and computes their features. `state` is the user's state in `network`, null when
/// there is no network. The history needs at least one access.
void find_candidates(const counters& counts, const sequence_model& network, const user_record& user, const float* state,
                     const candidate_config& config, candidate_set& out);

} // namespace gnomon::learning
