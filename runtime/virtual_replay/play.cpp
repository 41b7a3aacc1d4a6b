#include "runtime/virtual_replay/play.hpp"

#include "runtime/replay/figures.hpp"

#include <algorithm>
#include <numeric>

namespace gnomon::virtual_replay {

namespace {

void fill_latencies(outcome& result, std::vector<float> ms) {
  std::vector<double> sorted{ms.begin(), ms.end()};
  std::sort(sorted.begin(), sorted.end());
  result.mean_ms = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
  result.p50_ms = replay::percentile(sorted, 50);
  result.p95_ms = replay::percentile(sorted, 95);
  result.p99_ms = replay::percentile(sorted, 99);
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

double copies_per_item(const scene& on, double copy_seconds) {
  return 1 + copy_seconds / ((on.end() - on.begin()) * static_cast<double>(on.items.size()));
}

std::vector<double> local_over_time(const copies::figures& from) {
  std::vector<double> shares;
  for (size_t slice = 0; slice < from.slice_reads.size(); ++slice)
    shares.push_back(static_cast<double>(from.slice_local[slice]) / static_cast<double>(from.slice_reads[slice]));
  return shares;
}

outcome outcome_of(const scene& on, const std::string& name, const copies::figures& from) {
  const auto reads = static_cast<double>(from.reads);
  outcome result;
  result.policy = name;
  result.reads = from.reads;
  result.local_share = share(static_cast<double>(from.local), reads);
  fill_latencies(result, from.latencies_ms);
  result.moves_per_100_reads = 100 * share(static_cast<double>(from.moves), reads);
  result.prefetched_per_100_reads = 100 * share(static_cast<double>(from.pushed), reads);
  result.prefetched_read_share = share(static_cast<double>(from.pushed_read), static_cast<double>(from.pushed));
  result.copies_per_item = copies_per_item(on, from.copy_seconds);
  static_cast<learning::bill&>(result) = from;
  result.local_over_time = local_over_time(from);
  result.moved_bytes = from.moved_bytes;
  result.item_usd = from.item_usd;
  return result;
}

/// For each read, the number of the next one of the same item in the same region; the number of reads for none.
std::vector<uint32_t> next_reads(const scene& on) {
  const auto none = static_cast<uint32_t>(on.reads.size());
  std::vector<uint32_t> next(on.reads.size(), none), seen(on.items.size() * on.regions.size(), none);
  for (size_t k = on.reads.size(); k-- > 0;) {
    auto& later = seen[on.reads[k].item * on.regions.size() + on.reads[k].region];
    next[k] = std::exchange(later, static_cast<uint32_t>(k));
  }
  return next;
}

/// When each item is updated.
class update_times {
public:
  explicit update_times(const scene& on) : by_item_(on.items.size()) {
    for (const auto& update : on.updates)
      by_item_[update.item].push_back(update.t);
  }
  bool any(uint32_t item, double after, double until) const {
    const auto& times = by_item_[item];
    const auto next = std::upper_bound(times.begin(), times.end(), after);
    return next != times.end() && *next <= until;
  }

private:
  std::vector<std::vector<double>> by_item_;
};

/// Where the clairvoyant gets values from: the cheapest region in which the item was read before, whether or not it
/// still is there. That is at least as cheap as anything that has to keep it there.
class sources {
public:
  explicit sources(const scene& on) : on_(on), read_(on.items.size() * on.regions.size(), 0) {
    for (uint32_t item = 0; item < on.items.size(); ++item)
      for (auto region : on.durable)
        add(item, region);
  }
  void add(uint32_t item, size_t region) {
    read_[item * on_.regions.size() + region] = 1;
  }
  size_t cheapest(uint32_t item, size_t region) const {
    size_t best = on_.origin;
    for (auto other : on_.regions[region].nearest)
      if (read_[item * on_.regions.size() + other] != 0
          && on_.regions[other].price.egress_usd_per_gb < on_.regions[best].price.egress_usd_per_gb)
        best = other;
    return best;
  }

private:
  const scene& on_;
  std::vector<char> read_; // item * regions + region
};

} // namespace

outcome play(const scene& on, const std::string& name, policy& with, const play_listener& listener) {
  copies world{on};
  auto expire = [&](double now) {
    world.expire(now, [&](uint32_t item, size_t region, double at) { return with.expired(world, item, region, at); });
  };
  auto update = on.updates.begin();
  for (size_t k = 0; k < on.reads.size(); ++k) {
    const auto& read = on.reads[k];
    const bool measured = k >= on.measured_from;
    if (listener && k % 8192 == 0)
      listener(share(static_cast<double>(k), static_cast<double>(on.reads.size())));
    for (; update != on.updates.end() && update->t <= read.t; ++update) {
      expire(update->t);
      world.update(*update, measured);
      with.updated(*update);
    }
    expire(read.t);
    if (on.created_by(k)) {
      world.create(read.item, read.t, with.first_copies_s(), measured);
      with.created(world, read.item, read.t, measured);
    }
    with.read(world, read, world.read(read, measured), measured);
  }
  world.finish();
  auto result = outcome_of(on, name, world.counted());
  result.notes = with.notes();
  return result;
}

outcome play_clairvoyant(const scene& on, double patience) {
  const auto next = next_reads(on);
  copies world{on};
  sources from{on};
  const update_times updates{on};
  auto update = on.updates.begin();
  for (size_t k = 0; k < on.reads.size(); ++k) {
    const auto& read = on.reads[k];
    const bool measured = k >= on.measured_from;
    for (; update != on.updates.end() && update->t <= read.t; ++update)
      world.update(*update, measured); // of durable copies: it holds no other through an update
    if (on.created_by(k))
      world.create(read.item, read.t, 0, measured);
    const auto source = from.cheapest(read.item, read.region);
    world.arrive(read, source, measured);
    from.add(read.item, read.region);
    const double gap = next[k] < on.reads.size() ? on.reads[next[k]].t - read.t : 0;
    const bool holds = gap * on.hold_usd_per_s(read.item, read.region) <= patience * on.move_usd(read.item, source)
                       && !updates.any(read.item, read.t, read.t + gap);
    // A little longer than the gap, so that the copy is there when the read is.
    world.keep(read.item, read.region, read.t, holds && gap > 0 ? gap + 1e-3 : 0);
  }
  world.finish();
  return outcome_of(on, "clairvoyant", world.counted());
}

double ceiling_local_share(const scene& on) {
  double first = 0;
  for (size_t k = on.measured_from; k < on.reads.size(); ++k) {
    const auto home = std::find(on.durable.begin(), on.durable.end(), on.reads[k].region);
    first += on.created_by(k) && home == on.durable.end();
  }
  return 1 - first / static_cast<double>(on.reads.size() - on.measured_from);
}

} // namespace gnomon::virtual_replay
