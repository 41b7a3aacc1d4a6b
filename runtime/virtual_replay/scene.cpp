#include "runtime/virtual_replay/scene.hpp"

#include "runtime/location/network_map.hpp"
#include "runtime/replay/item_sizes.hpp"
#include "runtime/replay/mapping.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::virtual_replay {

namespace {

using replay::cluster_region;

std::vector<cluster_region> cluster_of(const replay::trace& reads, const std::vector<std::string>& wanted) {
  std::vector<cluster_region> cluster;
  if (wanted.empty())
    for (size_t k = 0; k < reads.regions.size(); ++k)
      cluster.push_back({reads.regions[k], replay::place_of(reads.regions[k])});
  for (const auto& name : wanted)
    cluster.push_back({name, replay::place_of(name)});
  return cluster;
}

/// Measured, or else what the map of the network says of their places.
expected<double> round_trip(const cluster_region& from, const cluster_region& to, const replay::round_trips& measured) {
  if (const double ms = measured.between(from.name, to.name); ms > 0)
    return ms;
  if (!from.where || !to.where)
    return make_error(
        ec::invalid_argument,
        fmt::format("the round trip from {} to {} is not known; give one with --rtt FILE", from.name, to.name));
  return network_ms(network_km(network_position{*from.where}, network_position{*to.where}));
}

caf::error fill_regions(scene& result, const std::vector<cluster_region>& cluster, const replay::round_trips& distances,
                        const learning::price_table& prices) {
  for (size_t r = 0; r < cluster.size(); ++r) {
    auto& region = result.regions.emplace_back();
    region.name = cluster[r].name;
    region.price = prices.of(region.name);
    for (size_t other = 0; other < cluster.size(); ++other) {
      auto ms = r == other ? expected<double>{0.0} : round_trip(cluster[r], cluster[other], distances);
      if (!ms)
        return ms.error();
      region.round_trip_ms.push_back(*ms);
      if (r != other)
        region.nearest.push_back(static_cast<uint16_t>(other));
    }
    std::stable_sort(region.nearest.begin(), region.nearest.end(),
                     [&](auto a, auto b) { return region.round_trip_ms[a] < region.round_trip_ms[b]; });
  }
  return {};
}

void fill_reads(scene& result, const replay::trace& from, const std::vector<size_t>& homes) {
  const double start = from.reads.front().t;
  result.epoch = static_cast<uint64_t>(start);
  result.users = from.users.size();
  result.first_read.assign(from.items.size(), UINT32_MAX);
  result.reads.reserve(from.reads.size());
  for (const auto& read : from.reads) {
    auto& first = result.first_read[read.item];
    first = std::min(first, static_cast<uint32_t>(result.reads.size()));
    result.reads.push_back({read.t - start, read.item, read.user, static_cast<uint16_t>(homes[read.region])});
  }
}

/// What happens to an item before it comes to be changes nothing.
void fill_updates(scene& result, const replay::trace& from) {
  const double start = from.reads.front().t;
  for (const auto& update : from.updates)
    if (const double t = update.t - start; t > result.reads[result.first_read[update.item]].t)
      result.updates.push_back({t, update.item});
}

void fill_items(scene& result, const replay::trace& from, uint64_t value_bytes) {
  for (size_t item = 0; item < from.items.size(); ++item) {
    result.items.push_back(from.items[item]);
    result.bytes.push_back(
        static_cast<double>(value_bytes > 0 ? value_bytes : replay::made_up_bytes(from.items[item])));
  }
}

void choose_durable(scene& result, const scene_options& options) {
  result.durable.push_back(static_cast<uint16_t>(result.origin));
  for (auto other : result.regions[result.origin].nearest) {
    const auto count = result.durable.size() + result.first_copies.size();
    if (count < options.min_copies)
      result.durable.push_back(other);
    else if (count < options.factor)
      result.first_copies.push_back(other);
  }
}

} // namespace

expected<scene> make_scene(const replay::trace& reads, const replay::round_trips& distances,
                           const learning::price_table& prices, const scene_options& options) {
  const auto cluster = cluster_of(reads, options.regions);
  if (cluster.size() > 256)
    return make_error(ec::invalid_argument, "the trace names more than 256 regions; name those of the cluster with "
                                            "--regions");
  auto homes = replay::map_regions(reads, cluster);
  if (!homes)
    return homes.error();
  auto origin = replay::choose_origin(options.origin, cluster, replay::reads_by_home(reads, *homes, cluster.size()));
  if (!origin)
    return origin.error();
  scene result;
  result.origin = *origin;
  result.local_ms = options.local_ms;
  result.usd_per_ms = options.usd_per_ms;
  if (auto wrong = fill_regions(result, cluster, distances, prices))
    return wrong;
  fill_reads(result, reads, *homes);
  fill_updates(result, reads);
  fill_items(result, reads, options.value_bytes);
  choose_durable(result, options);
  result.measured_from = static_cast<size_t>(static_cast<double>(result.reads.size()) * options.warm_up);
  if (result.measured_from >= result.reads.size() || result.end() <= result.begin())
    return make_error(ec::invalid_argument, "the trace is too short: nothing is left to measure after the warm-up");
  return result;
}

} // namespace gnomon::virtual_replay
