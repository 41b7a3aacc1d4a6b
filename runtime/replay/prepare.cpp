#include "runtime/replay/prepare.hpp"

#include "runtime/base/process.hpp"
#include "runtime/replay/costs.hpp"
#include "runtime/replay/mapping.hpp"
#include "runtime/replay/progress.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t usual_bytes = 1024; // of an item of a trace from a file
constexpr size_t asked_items = 2'000;  // for the tables of a report

std::vector<cluster_region> regions_of(const std::vector<target>& targets) {
  std::vector<cluster_region> regions;
  for (const auto& node : targets)
    regions.push_back(node.region);
  return regions;
}

expected<trace> get_trace(const options& wanted, const std::vector<cluster_region>& cluster,
                          const round_trips& distances) {
  if (wanted.trace.empty())
    return synthetic_trace(wanted.synthetic);
  trace_options how;
  how.limit = wanted.limit;
  for (const auto& region : cluster)
    how.regions.push_back(region.name);
  if (wanted.locations.empty())
    return load_trace(wanted.trace, how);
  auto places = reader_places::open(wanted.locations, cluster, distances);
  if (!places)
    return places.error();
  how.places = places->get();
  return load_trace(wanted.trace, how);
}

/// What a speed does to the figures when distances, which do not shrink, become long beside the trace's own times.
void note_speed(prepared& job, double round_trip_ms) {
  constexpr double noteworthy_s = 600;
  auto there = round_trip_ms / 1e3 * job.speed.time_scale;
  if (there > noteworthy_s)
    job.facts.notes.push_back(fmt::format(
        "leases shrink with the trace, distances do not: at this speed the mean round trip to the origin, {:.0f} "
        "ms, is as long as {} of the trace",
        round_trip_ms, in_words(std::chrono::seconds{static_cast<int64_t>(there)})));
}

/// What DNS remembers does not shrink with the trace: at the speed that suits a run by region, a TTL of one second can
/// be as long as half an hour. So a pass by name takes four minutes where the trace is as long.
pace speed_of(const options& wanted, const load_plan& plan, double round_trip_ms) {
  constexpr double pass_by_name_s = 240;
  const auto& played = *plan.reads;
  double bytes = 0;
  for (const auto& read : played.reads)
    bytes += static_cast<double>(plan.bytes_of(read.item)) / static_cast<double>(played.reads.size());
  if (wanted.time_scale > 0)
    return given_pace(wanted.time_scale, played.reads, round_trip_ms, bytes);
  auto chosen = choose_pace(played.reads, round_trip_ms, bytes);
  if (wanted.what != options::command::geo_dns)
    return chosen;
  auto calm = std::max(1.0, played.span() / pass_by_name_s);
  return given_pace(std::min(chosen.time_scale, calm), played.reads, round_trip_ms, bytes);
}

} // namespace

expected<fs::path> find_configs(const options& wanted) {
  if (!wanted.configs.empty())
    return wanted.configs;
  if (auto place = find_config("five-regions"); !place.empty())
    return place;
  return make_error(ec::not_found, "there is no folder configs/five-regions here; name one with --configs DIR");
}

expected<std::unique_ptr<prepared>> prepare(const options& wanted, std::vector<target> targets,
                                            const round_trips& distances) {
  auto cluster = regions_of(targets);
  auto loaded = get_trace(wanted, cluster, distances);
  if (!loaded)
    return loaded.error();
  auto job = std::make_unique<prepared>();
  job->reads = std::move(*loaded);
  job->plan.value_bytes = wanted.value_bytes > 0 || wanted.trace.empty() ? wanted.value_bytes : usual_bytes;
  job->plan.usd_per_ms = wanted.usd_per_ms;
  job->plan.balances = wanted.report.empty() ? 0 : asked_items;
  auto prices = prices_from(wanted.prices);
  if (!prices)
    return prices.error();
  job->plan.prices = std::move(*prices);
  auto homes = map_regions(job->reads, cluster);
  if (!homes)
    return homes.error();
  auto counts = reads_by_home(job->reads, *homes, cluster.size());
  auto origin = choose_origin(wanted.origin, cluster, counts);
  if (!origin)
    return origin.error();
  auto round_trip = mean_round_trip_ms(cluster, counts, *origin, distances);
  job->plan.reads = &job->reads;
  job->speed = speed_of(wanted, job->plan, round_trip);
  job->facts = {job->reads.source,       job->reads.items.size(),
                job->reads.users.size(), cluster[*origin].name,
                job->speed.time_scale,   job->plan.value_bytes,
                wanted.usd_per_ms,       trace_notes(job->reads, *homes, cluster)};
  note_speed(*job, round_trip);
  job->plan.homes = std::move(*homes);
  job->plan.targets = std::move(targets);
  job->plan.origin = *origin;
  job->plan.time_scale = job->speed.time_scale;
  return job;
}

expected<std::unique_ptr<prepared>> prepare_run(const options& wanted, const fs::path& configs) {
  auto nodes = read_node_configs(configs);
  if (!nodes)
    return nodes.error();
  auto distances = wanted.delays ? distances_of(configs) : expected<round_trips>{round_trips{}};
  if (!distances)
    return distances.error();
  std::vector<target> targets;
  for (const auto& node : *nodes)
    targets.push_back({node.region, {}});
  return prepare(wanted, std::move(targets), *distances);
}

cluster_options nodes_for(const options& wanted, const std::filesystem::path& configs, const pace& speed) {
  cluster_options nodes;
  nodes.gnomond = (wanted.bin.empty() ? own_folder() : wanted.bin) / "gnomond";
  nodes.configs = configs;
  nodes.time_scale = speed.time_scale;
  nodes.delays = wanted.delays;
  nodes.tls = wanted.tls;
  // They decide by the prices that the page counts with.
  nodes.settings = {fmt::format("economy.prices=\"{}\"", price_file(wanted.prices)),
                    fmt::format("economy.usd_per_ms={}", wanted.usd_per_ms)};
  nodes.settings.insert(nodes.settings.end(), wanted.settings.begin(), wanted.settings.end());
  return nodes;
}

std::string announcement(const prepared& job, bool baseline) {
  auto passes = job.speed.pass_seconds + (baseline ? job.speed.baseline_seconds + job.speed.pass_seconds : 0);
  std::string text;
  for (const auto& [line, reason] : job.reads.counts.complaints)
    text += fmt::format("{} line {}: {}\n", job.facts.source, line, reason);
  if (job.reads.counts.malformed > job.reads.counts.complaints.size())
    text +=
        fmt::format("{}: {} lines could not be understood\n", job.facts.source, grouped(job.reads.counts.malformed));
  return text
         + fmt::format("{}: {} reads of {} items, written in {}; {:.0f} times as fast as it happened, about {}",
                       job.facts.source, grouped(job.reads.reads.size()), grouped(job.facts.items), job.facts.origin,
                       job.facts.time_scale, in_words(std::chrono::seconds{static_cast<int64_t>(passes)}));
}

} // namespace gnomon::replay
