#include "runtime/virtual_replay/copies.hpp"

#include <algorithm>

namespace gnomon::virtual_replay {

copies::copies(const scene& on) : on_(on), regions_(on.regions.size()), slots_(on.items.size() * regions_) {
  for (uint32_t item = 0; item < on.items.size(); ++item)
    slots_[item * regions_ + on.origin].until = for_good;
  counted_.latencies_ms.reserve(on.reads.size() - on.measured_from);
  counted_.slice_reads.resize(slices);
  counted_.slice_local.resize(slices);
  counted_.moved_bytes.resize(regions_ * regions_);
  counted_.item_usd.resize(on.items.size());
}

size_t copies::nearest(uint32_t item, size_t region, double now) const {
  for (auto other : on_.regions[region].nearest)
    if (has(item, other, now))
      return other;
  return on_.origin;
}

size_t copies::cheapest(uint32_t item, size_t region, double now) const {
  size_t best = on_.origin;
  for (auto other : on_.regions[region].nearest)
    if (has(item, other, now) && on_.regions[other].price.egress_usd_per_gb < on_.regions[best].price.egress_usd_per_gb)
      best = other;
  return best;
}

void copies::count_move(uint32_t item, size_t from, size_t to) {
  const double usd = on_.move_usd(item, from);
  ++counted_.moves;
  counted_.moved_usd += usd;
  counted_.item_usd[item] += usd;
  counted_.moved_bytes[from * regions_ + to] += on_.bytes[item];
}

void copies::create(uint32_t item, double now, double keep_s, bool measured) {
  for (auto region : on_.durable)
    make(item, region, now, for_good, measured);
  for (auto region : on_.first_copies)
    make(item, region, now, keep_s, measured);
}

size_t copies::read(const scene_read& read, bool measured) {
  const bool here = has(read.item, read.region, read.t);
  const size_t holder = here ? read.region : nearest(read.item, read.region, read.t);
  auto& copy = slots_[read.item * regions_ + read.region];
  counted_.pushed_read += here && copy.unread;
  copy.unread = copy.unread && !here;
  if (!measured)
    return holder;
  count_read(read, here ? on_.local_ms : on_.regions[read.region].round_trip_ms[holder], here);
  if (!here)
    count_move(read.item, holder, read.region);
  return holder;
}

void copies::arrive(const scene_read& read, size_t source, bool measured) {
  if (!measured)
    return;
  count_read(read, on_.local_ms, true);
  if (!has(read.item, read.region, read.t))
    count_move(read.item, source, read.region);
}

void copies::update(const scene_update& update, bool measured) {
  for (size_t region = 0; measured && region < regions_; ++region)
    if (region != on_.origin && has(update.item, region, update.t))
      count_move(update.item, on_.origin, region);
}

void copies::count_read(const scene_read& read, double ms, bool here) {
  const double usd = ms * on_.usd_per_ms, part = (read.t - on_.begin()) / (on_.end() - on_.begin());
  const auto slice = std::min(static_cast<size_t>(part * slices), slices - 1);
  ++counted_.reads;
  counted_.local += here;
  ++counted_.slice_reads[slice];
  counted_.slice_local[slice] += here;
  counted_.latencies_ms.push_back(static_cast<float>(ms));
  counted_.latency_usd += usd;
  counted_.item_usd[read.item] += usd;
}

void copies::begin(uint32_t item, size_t region, double now, double keep_s) {
  settle(item, region);
  auto& copy = slots_[item * regions_ + region];
  copy.since = now;
  copy.until = now + keep_s;
  copy.unread = false;
  if (copy.until != for_good && !std::exchange(copy.queued, true))
    ends_.push({copy.until, item * regions_ + region});
}

void copies::keep(uint32_t item, size_t region, double now, double keep_s) {
  auto& copy = slots_[item * regions_ + region];
  if (copy.until == for_good)
    return;
  if (copy.until > now) {
    if (now + keep_s < std::exchange(copy.until, now + keep_s))
      ends_.push({copy.until, item * regions_ + region}); // it ends before the entry that is there
  } else if (keep_s > 0) {
    begin(item, region, now, keep_s);
  }
}

bool copies::make(uint32_t item, size_t region, double now, double keep_s, bool measured) {
  if (has(item, region, now) || !(keep_s > 0))
    return false;
  const auto from = cheapest(item, region, now);
  begin(item, region, now, keep_s);
  if (measured)
    count_move(item, from, region);
  return true;
}

void copies::push(uint32_t item, size_t region, double now, double keep_s, bool measured) {
  if (!make(item, region, now, keep_s, measured) || !measured)
    return;
  ++counted_.pushed;
  slots_[item * regions_ + region].unread = true;
}

/// Counts the time that a copy was held, once it is known when it went.
void copies::settle(uint32_t item, size_t region) {
  auto& copy = slots_[item * regions_ + region];
  const double held = std::min(copy.until, on_.end()) - std::max(copy.since, on_.begin());
  if (held <= 0)
    return;
  const double usd = held * on_.hold_usd_per_s(item, region);
  counted_.stored_usd += usd;
  counted_.item_usd[item] += usd;
  if (region != on_.origin)
    counted_.copy_seconds += held;
}

void copies::finish() {
  for (uint32_t item = 0; item < on_.items.size(); ++item)
    for (size_t region = 0; region < regions_; ++region)
      settle(item, region);
}

} // namespace gnomon::virtual_replay
