#include "runtime/dns/answers.hpp"

#include <algorithm>

namespace gnomon::dns {

namespace {

// The zone with the longest name that ends the question's, from label `first` of the question on.
target zone_of(const query& asked, const std::vector<zone>& zones, size_t first) {
  for (auto label = first; label < asked.label_count; ++label) {
    const auto suffix = asked.from_label(label);
    for (const auto& each : zones)
      if (each.name() == suffix)
        return {.in = &each, .zone_label = label, .where = {}};
  }
  return {};
}

std::optional<region_id> region_called(std::string_view name, const region_table& table) {
  for (size_t i = 0; i < std::min(table.regions.size(), max_regions); ++i)
    if (table.regions[i].name == name)
      return static_cast<region_id>(i);
  return std::nullopt;
}

// A name directly below the zone's.
void find_child(target& found, std::string_view name, const item_directory& items, const snapshot& now) {
  const auto text = name.substr(1, static_cast<uint8_t>(name[0]));
  if (const auto item = parse_label(text)) {
    if (const auto where = items.find(*item)) {
      found.what = target::kind::item;
      found.where = *where;
      return;
    }
    found.unknown_item = true;
  }
  if (const auto at = region_called(text, *now.table)) {
    found.what = target::kind::region;
    found.at = *at;
  } else if (text == "why") {
    found.what = target::kind::service_why;
  }
}

} // namespace

snapshot snapshot::of(std::shared_ptr<const region_table> table, uint32_t now, uint64_t now_us) {
  snapshot made{.table = std::move(table), .now = now, .now_us = now_us};
  made.all = made.table->all();
  made.live = made.table->live();
  made.last_resort = made.table->last_resort();
  return made;
}

// The record of a delegation belongs to the zone above it (RFC 4035, section 3.1.4.1).
target find_target(const query& asked, const std::vector<zone>& zones, const item_directory& items,
                   const snapshot& now) {
  auto found = zone_of(asked, zones, 0);
  if (found.in != nullptr && found.zone_label == 0 && asked.qtype == type::ds)
    if (const auto above = zone_of(asked, zones, 1); above.in != nullptr)
      found = above;
  if (found.in == nullptr)
    return found;
  const auto name = asked.from_label(0);
  found.written = found.in->find(name);
  if (found.zone_label == 0)
    found.what = target::kind::service;
  else if (found.zone_label == 1)
    find_child(found, name, items, now);
  if (found.what == target::kind::none && found.written != nullptr)
    found.what = target::kind::plain;
  return found;
}

choice choose(const target& what, const region_order& nearest_first, const snapshot& now) {
  const auto is_item = what.what == target::kind::item;
  const auto holders = is_item ? what.where.regions & now.all : now.all;
  const auto live = holders & now.live;
  choice chosen{.order = {}, .last_resort = live == 0, .passed_over = false};
  for (const auto id : nearest_first)
    if (id < max_regions && has(now.all & now.live, id)) {
      chosen.passed_over = is_item && !has(holders, id);
      break;
    }
  auto left = live != 0 ? live : is_item ? holders : now.last_resort;
  for (const auto id : nearest_first) {
    if (id < max_regions && has(left, id)) {
      chosen.order.add(id);
      left &= ~set_of(id);
    }
  }
  for (region_id id = 0; left != 0; ++id, left >>= 1)
    if ((left & 1) != 0)
      chosen.order.add(id);
  return chosen;
}

uint32_t ttl_of(const target& what, const choice& chosen, const snapshot& now, const answer_config& config) {
  using std::chrono::seconds;
  const auto bound = std::chrono::ceil<seconds>(now.table->detector_bound).count();
  auto ttl = static_cast<int64_t>(chosen.last_resort || chosen.passed_over ? 0 : bound);
  if (what.what == target::kind::item && what.where.until != 0)
    ttl = std::min(ttl, static_cast<int64_t>(what.where.until) - now.now);
  return static_cast<uint32_t>(
      std::clamp<int64_t>(ttl, config.ttl_min_seconds, std::max(config.ttl_min_seconds, config.ttl_max_seconds)));
}

} // namespace gnomon::dns
