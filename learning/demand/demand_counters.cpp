#include "learning/demand/demand_counters.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <numbers>

namespace gnomon::learning {

namespace {

constexpr float minutes10 = 600, hour = 3600, hours6 = 21'600, day = 86'400, days2 = 172'800;

float log_count(float count, float floor = 1e-3f) {
  return std::log2(floor + count);
}

float log_seconds(uint32_t now, uint32_t then, float unit) {
  return std::log2(1 + static_cast<float>(now > then ? now - then : 0) / unit);
}

float& at(float* out, size_t stride, demand_feature f) {
  return out[static_cast<size_t>(f) * stride];
}

} // namespace

demand_counters::demand_counters(const demand_config& config) : config_(config) {}

const demand_counters::item_state* demand_counters::find(std::string_view item) const {
  auto known = index_->find(stable_hash(item));
  return known == index_->end() ? nullptr : &items_[known->second];
}

std::span<const demand_counters::place> demand_counters::places_of(const item_state& item) const {
  return {places_.data() + static_cast<size_t>(&item - items_.data()) * regions_seen_, regions_seen_};
}

std::span<demand_counters::place> demand_counters::places_of(item_state& item) {
  return {places_.data() + static_cast<size_t>(&item - items_.data()) * regions_seen_, regions_seen_};
}

/// From now on each item has a place in that region.
void demand_counters::see(size_t region) {
  if (region < regions_seen_)
    return;
  std::vector<place> places(items_.size() * (region + 1));
  for (size_t k = 0; k < items_.size(); ++k)
    std::ranges::copy(places_of(items_[k]), places.begin() + static_cast<ptrdiff_t>(k * (region + 1)));
  places_ = std::move(places);
  regions_seen_ = region + 1;
}

size_t demand_counters::free_slot() {
  if (items_.size() < std::max<size_t>(config_.max_items, 1)) {
    items_.emplace_back();
    places_.resize(items_.size() * regions_seen_);
    return items_.size() - 1;
  }
  while (items_[hand_].seen) {
    items_[hand_].seen = false;
    hand_ = (hand_ + 1) % items_.size();
  }
  index_->erase(items_[hand_].key);
  std::ranges::fill(places_of(items_[hand_]), place{});
  items_[hand_] = {};
  return hand_;
}

uint32_t demand_counters::group_of(std::string_view beginning) {
  const auto row = stable_hash(beginning) % std::max<size_t>(config_.max_groups, 1);
  const auto [known, is_new] = group_index_->try_emplace(row, static_cast<uint32_t>(groups_.size()));
  if (is_new)
    groups_.emplace_back();
  return known->second;
}

/// An id that ends soon after its type is in the group of its type, on every level.
std::array<uint32_t, demand_counters::group_levels> demand_counters::groups_of(std::string_view item) {
  const auto type = data_type(item);
  const auto without = [&](size_t characters) {
    return item.substr(0, std::max(type.size(), item.size() - std::min(item.size(), characters)));
  };
  return {group_of(type), group_of(without(3)), group_of(without(2))};
}

demand_counters::item_state& demand_counters::touch(std::string_view item, uint32_t time) {
  const auto key = stable_hash(item);
  auto known = index_->find(key);
  if (known == index_->end()) {
    auto slot = free_slot();
    known = index_->emplace(key, static_cast<uint32_t>(slot)).first;
    auto& fresh = items_[slot];
    fresh.key = key;
    fresh.born = time;
    fresh.groups = groups_of(item);
    for (auto group : fresh.groups)
      groups_[group].items.add(time, days2);
    all_fresh_.add(time, hours6);
  }
  auto& state = items_[known->second];
  state.seen = true;
  return state;
}

void demand_counters::read(std::string_view name, size_t region, uint32_t time) {
  region = std::min(region, max_demand_regions - 1);
  see(region);
  auto& item = touch(name, time);
  auto& place = places_of(item)[region];
  if (place.reads == 0)
    first_read_here(item, region, time);
  ++item.reads;
  item.before_last = item.last;
  item.last = time;
  item.minutes.add(time, minutes10);
  item.hour.add(time, hour);
  item.quarter.add(time, hours6);
  item.day.add(time, day);
  ++place.reads;
  place.last = time;
  place.hour.add(time, hour);
  place.quarter.add(time, hours6);
  place.day.add(time, day);
  for (auto group : item.groups)
    groups_[group].reads.add(time, days2);
  regions_[region].hour.add(time, hour);
  regions_[region].day.add(time, day);
  all_hour_.add(time, hour);
  all_day_.add(time, day);
}

void demand_counters::first_read_here(item_state& item, size_t region, uint32_t time) {
  regions_[region].fresh.add(time, hours6);
  item.reached = time;
  for (auto group : item.groups)
    groups_[group].reached[region].add(time, days2);
  constexpr float keep = 0.9995f;
  const auto places = places_of(item);
  auto& here = regions_[region];
  for (size_t other = 0; other < max_demand_regions; ++other) {
    if (other == region)
      continue;
    const bool there = other < places.size() && places[other].reads > 0;
    if (there && time - places[other].last < static_cast<uint32_t>(day))
      regions_[other].followed[region] += 1;
    if (!there) {
      here.started[other] = here.started[other] * keep + 1;
      here.followed[other] *= keep;
    }
  }
}

void demand_counters::written(std::string_view name, size_t region, uint32_t time) {
  region = std::min(region, max_demand_regions - 1);
  see(region);
  auto& item = touch(name, time);
  ++item.writes;
  item.last_write = time;
  ++places_of(item)[region].writes;
}

bool demand_counters::due(std::string_view name, uint32_t time) {
  auto known = index_->find(stable_hash(name));
  if (known == index_->end())
    return false;
  auto& item = items_[known->second];
  const bool now = item.reads <= 24 || static_cast<float>(item.reads) >= 1.15f * static_cast<float>(item.decided_reads)
                   || time > item.decided_time + 600;
  if (now) {
    item.decided_reads = item.reads;
    item.decided_time = time;
  }
  return now;
}

uint32_t demand_counters::idle(std::string_view name, size_t region, uint32_t time) const {
  auto item = find(name);
  if (item == nullptr || region >= regions_seen_)
    return UINT32_MAX;
  const auto& place = places_of(*item)[region];
  return place.reads == 0 ? UINT32_MAX : time > place.last ? time - place.last : 0;
}

bool demand_counters::describe(std::string_view name, size_t region, uint32_t time, float* out, size_t stride) const {
  auto item = find(name);
  if (item == nullptr)
    return false;
  region = std::min(region, max_demand_regions - 1);
  describe_item(*item, time, out, stride);
  describe_place(*item, region, time, out, stride);
  describe_region(*item, region, time, out, stride);
  describe_groups(*item, region, time, out, stride);
  describe_following(*item, region, time, out, stride);
  const float angle = static_cast<float>(time % 86'400) / day * 2 * std::numbers::pi_v<float>;
  at(out, stride, demand_feature::day_sine) = std::sin(angle);
  at(out, stride, demand_feature::day_cosine) = std::cos(angle);
  return true;
}

void demand_counters::describe_item(const item_state& item, uint32_t time, float* out, size_t stride) const {
  auto set = [&](demand_feature f, float value) { at(out, stride, f) = value; };
  const auto places = places_of(item);
  const auto reached = std::count_if(places.begin(), places.end(), [](auto& p) { return p.reads > 0; });
  set(demand_feature::reads_log, log_count(static_cast<float>(item.reads), 1));
  set(demand_feature::reads_10m, log_count(item.minutes.at(time, minutes10)));
  set(demand_feature::reads_1h, log_count(item.hour.at(time, hour)));
  set(demand_feature::reads_6h, log_count(item.quarter.at(time, hours6)));
  set(demand_feature::reads_24h, log_count(item.day.at(time, day)));
  set(demand_feature::regions, static_cast<float>(reached));
  const auto lately =
      std::count_if(places.begin(), places.end(), [&](auto& p) { return p.reads > 0 && time < p.last + 3600; });
  set(demand_feature::regions_1h, static_cast<float>(lately));
  set(demand_feature::since_reached, item.reads == 0 ? 30.0f : log_seconds(time, item.reached, 10));
  set(demand_feature::age, log_seconds(time, item.born, 60));
  set(demand_feature::idle, item.reads == 0 ? 30.0f : log_seconds(time, item.last, 10));
  set(demand_feature::last_gap, item.reads < 2 ? 30.0f : log_seconds(item.last, item.before_last, 10));
  set(demand_feature::writes_log, log_count(static_cast<float>(item.writes), 1));
  set(demand_feature::since_write, item.writes == 0 ? 30.0f : log_seconds(time, item.last_write, 10));
}

void demand_counters::describe_place(const item_state& item, size_t region, uint32_t time, float* out,
                                     size_t stride) const {
  auto set = [&](demand_feature f, float value) { at(out, stride, f) = value; };
  static const place nowhere;
  const auto& place = region < regions_seen_ ? places_of(item)[region] : nowhere;
  set(demand_feature::own_reads_log, log_count(static_cast<float>(place.reads), 1));
  set(demand_feature::own_1h, log_count(place.hour.at(time, hour)));
  set(demand_feature::own_6h, log_count(place.quarter.at(time, hours6)));
  set(demand_feature::own_24h, log_count(place.day.at(time, day)));
  set(demand_feature::own_idle, place.reads == 0 ? 30.0f : log_seconds(time, place.last, 10));
  set(demand_feature::own_ever, place.reads > 0 ? 1.0f : 0.0f);
  set(demand_feature::own_writes, log_count(static_cast<float>(place.writes), 1));
}

void demand_counters::describe_region(const item_state& item, size_t region, uint32_t time, float* out,
                                      size_t stride) const {
  auto set = [&](demand_feature f, float value) { at(out, stride, f) = value; };
  const auto& here = regions_[region];
  const float active = here.hour.at(time, hour);
  const float share = active / std::max(1.0f, all_hour_.at(time, hour));
  const float day_share = here.day.at(time, day) / std::max(1.0f, all_day_.at(time, day));
  set(demand_feature::region_1h, log_count(active));
  set(demand_feature::region_share, share);
  set(demand_feature::region_new, log_count(here.fresh.at(time, hours6)));
  set(demand_feature::expected_1h, log_count(item.hour.at(time, hour) * share, 1e-4f));
  set(demand_feature::expected_6h, log_count(item.quarter.at(time, hours6) * day_share, 1e-4f));
  set(demand_feature::region_trend, std::log2((active + 1) / (here.day.at(time, day) / 24 + 1)));
  set(demand_feature::region_uptake, here.fresh.at(time, hours6) / (all_fresh_.at(time, hours6) + 1));
}

void demand_counters::describe_groups(const item_state& item, size_t region, uint32_t time, float* out,
                                      size_t stride) const {
  constexpr size_t first = static_cast<size_t>(demand_feature::type_items);
  for (size_t level = 0; level < group_levels; ++level) {
    const auto& group = groups_[item.groups[level]];
    const float born = group.items.at(time, days2);
    float reached = 0;
    for (size_t r = 0; r < regions_seen_; ++r)
      reached += group.reached[r].at(time, days2);
    float* row = out + (first + 4 * level) * stride;
    row[0] = log_count(born, 1);
    row[stride] = (group.reads.at(time, days2) + 1) / (born + 1);
    row[2 * stride] = (group.reached[region].at(time, days2) + 0.02f) / (born + 0.5f);
    row[3 * stride] = (reached + 1) / (born + 1);
  }
}

void demand_counters::describe_following(const item_state& item, size_t region, uint32_t time, float* out,
                                         size_t stride) const {
  float none = 1, best = 0, sum = 0;
  const auto places = places_of(item);
  for (size_t other = 0; other < places.size(); ++other) {
    const auto& place = places[other];
    if (other == region || place.reads == 0)
      continue;
    const auto& there = regions_[other];
    const float follows = std::min(1.0f, (there.followed[region] + 1) / (there.started[region] + 5));
    const float recent = std::min(1.0f, place.day.at(time, day));
    none *= 1 - follows * recent;
    best = std::max(best, follows * recent);
    sum += follows * place.quarter.at(time, hours6);
  }
  at(out, stride, demand_feature::follows_any) = 1 - none;
  at(out, stride, demand_feature::follows_best) = best;
  at(out, stride, demand_feature::follows_sum) = log_count(sum);
}

} // namespace gnomon::learning
