#pragma once

#include "learning/base/archive.hpp"
#include "learning/base/pooled_map.hpp"
#include "learning/history/history.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// How often and how recently items are read and written, and where: the input of the demand model.
namespace gnomon::learning {

/// A count that halves after each half-life, which its owner gives. Times are in seconds.
struct fading_count {
  float value = 0;
  uint32_t time = 0;
  float at(uint32_t now, float half_life) const {
    return now > time ? value * std::exp2(-static_cast<float>(now - time) / half_life) : value;
  }
  void add(uint32_t now, float half_life, float amount = 1) {
    value = at(now, half_life) + amount;
    time = now > time ? now : time;
  }
};

inline constexpr size_t max_demand_regions = 16;

/// Features of (item, region) at a moment. "log" is log2 of a floor plus the count. No feature names an item or a
/// region.
enum class demand_feature : uint8_t {
  // the item, everywhere
  reads_log,
  reads_10m,
  reads_1h,
  reads_6h,
  reads_24h,
  regions,
  regions_1h,
  since_reached, // since it was first read in another region
  age,
  idle,
  last_gap,
  writes_log,
  since_write,
  // the item in the region
  own_reads_log,
  own_1h,
  own_6h,
  own_24h,
  own_idle,
  own_ever,
  own_writes,
  // the region: its activity, now and beside its day, its share of all, how many items it takes up, and of how many new
  region_1h,
  region_trend,
  region_share,
  region_new,
  region_uptake,
  // what the item's reads elsewhere make one expect, by the region's share of all reads
  expected_1h,
  expected_6h,
  // how often this region follows the regions that have read the item
  follows_any,
  follows_best,
  follows_sum,
  // the item's type, then the items whose ids differ only at the end: how many, reads an item, the share of them that
  // reached the region, regions an item
  type_items,
  type_reads,
  type_reached,
  type_regions,
  wide_items,
  wide_reads,
  wide_reached,
  wide_regions,
  near_items,
  near_reads,
  near_reached,
  near_regions,
  // time of day, as a point on a circle
  day_sine,
  day_cosine,
  count_,
};
inline constexpr size_t demand_feature_count = static_cast<size_t>(demand_feature::count_);

struct demand_config {
  size_t max_items = 300'000;       // about 300 B each; the longest unread make room
  size_t max_groups = 32'768;       // of items with a common beginning, about 160 B each; further ones share
  uint32_t copies_last = 30 * 3600; // seconds that a read leaves a copy in its region
};

/// Online state of the demand model. Not thread-safe.
class demand_counters {
public:
  explicit demand_counters(const demand_config& config = {});

  void read(std::string_view item, size_t region, uint32_t time);
  void written(std::string_view item, size_t region, uint32_t time);
  /// True when the item's reads since the last call that said true make it worth deciding about again: every read up to
  /// the 24th, then with each 15% more reads or after 10 minutes.
  bool due(std::string_view item, uint32_t time);
  /// Fills `out` (demand_feature_count values, `stride` apart). False for an unknown item.
  bool describe(std::string_view item, size_t region, uint32_t time, float* out, size_t stride) const;
  /// Seconds since the item was last read in the region; UINT32_MAX for never.
  uint32_t idle(std::string_view item, size_t region, uint32_t time) const;
  /// True when no read there has left a copy: the cases that the demand model is for, and is calibrated on.
  bool absent(std::string_view item, size_t region, uint32_t time) const {
    return idle(item, region, time) >= config_.copies_last;
  }
  size_t items() const {
    return index_->size();
  }
  /// Of memory, about.
  size_t bytes() const {
    return items_.capacity() * (sizeof(item_state) + 40) + places_.capacity() * sizeof(place)
           + groups_.capacity() * (sizeof(group_state) + 40);
  }
  /// Regions seen so far: 1 + the greatest number.
  size_t regions() const {
    return regions_seen_;
  }

private:
  /// The type; ids without their last three characters; without the last two.
  static constexpr size_t group_levels = 3;
  struct place { // an item in a region
    fading_count hour, quarter, day;
    uint32_t reads = 0, last = 0, writes = 0;
  };
  struct item_state {
    uint64_t key = 0; // the hash of its id
    bool seen = true;
    std::array<uint32_t, group_levels> groups{};
    uint32_t reads = 0, born = 0, last = 0, before_last = 0, writes = 0, last_write = 0;
    uint32_t decided_reads = 0, decided_time = 0, reached = 0;
    fading_count minutes, hour, quarter, day;
  };
  /// Items with a common beginning of their ids.
  struct group_state {
    fading_count items, reads;
    std::array<fading_count, max_demand_regions> reached;
  };
  struct region_state {
    fading_count hour, day, fresh;
    // of the items first read here: how many, and how many then reached each other region within a day
    std::array<float, max_demand_regions> started{}, followed{};
  };

  void see(size_t region);
  std::span<const place> places_of(const item_state& item) const;
  std::span<place> places_of(item_state& item);
  item_state& touch(std::string_view item, uint32_t time);
  size_t free_slot();
  const item_state* find(std::string_view item) const;
  void first_read_here(item_state& item, size_t region, uint32_t time);
  void describe_item(const item_state& item, uint32_t time, float* out, size_t stride) const;
  void describe_place(const item_state& item, size_t region, uint32_t time, float* out, size_t stride) const;
  void describe_region(const item_state& item, size_t region, uint32_t time, float* out, size_t stride) const;
  void describe_groups(const item_state& item, size_t region, uint32_t time, float* out, size_t stride) const;
  void describe_following(const item_state& item, size_t region, uint32_t time, float* out, size_t stride) const;

  uint32_t group_of(std::string_view beginning);
  std::array<uint32_t, group_levels> groups_of(std::string_view item);

  demand_config config_;
  std::vector<group_state> groups_;
  pooled_map<uint64_t, uint32_t> group_index_; // by hash, modulo max_groups
  std::array<region_state, max_demand_regions> regions_;
  fading_count all_hour_, all_day_, all_fresh_;
  size_t regions_seen_ = 0, hand_ = 0;
  std::vector<item_state> items_;
  std::vector<place> places_;            // of each item, one for each region seen
  pooled_map<uint64_t, uint32_t> index_; // places in items_, by the hash of the id
};

} // namespace gnomon::learning
