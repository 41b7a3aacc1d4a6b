#include "runtime/replay/mapping.hpp"

#include "runtime/base/printable.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace {

std::string list_of(const std::vector<cluster_region>& cluster) {
  std::string text;
  for (const auto& region : cluster)
    text += (text.empty() ? "" : ", ") + region.name;
  return text;
}

} // namespace

expected<std::vector<size_t>> map_regions(const trace& reads, const std::vector<cluster_region>& cluster) {
  std::vector<size_t> homes;
  for (size_t i = 0; i < reads.regions.size(); ++i) {
    auto home = home_of(reads.regions[i], cluster);
    if (!home)
      return make_error(
          ec::invalid_argument,
          fmt::format("{} line {}: the region \"{}\" is unknown; the cluster has {}, and the names of cloud "
                      "regions such as eu-west-1 are mapped to the nearest of these",
                      reads.source, reads.region_lines[i], reads.regions[i], list_of(cluster)));
    homes.push_back(*home);
  }
  return homes;
}

std::vector<uint64_t> reads_by_home(const trace& reads, const std::vector<size_t>& homes, size_t cluster_size) {
  std::vector<uint64_t> counts(cluster_size, 0);
  for (const auto& read : reads.reads)
    ++counts[homes[read.region]];
  return counts;
}

expected<size_t> choose_origin(const std::string& wanted, const std::vector<cluster_region>& cluster,
                               const std::vector<uint64_t>& reads) {
  if (wanted.empty())
    return static_cast<size_t>(std::max_element(reads.begin(), reads.end()) - reads.begin());
  for (size_t i = 0; i < cluster.size(); ++i)
    if (cluster[i].name == wanted)
      return i;
  return make_error(ec::invalid_argument,
                    fmt::format("--origin {}: the cluster has no such region; it has {}", wanted, list_of(cluster)));
}

double mean_round_trip_ms(const std::vector<cluster_region>& cluster, const std::vector<uint64_t>& reads, size_t origin,
                          const round_trips& distances) {
  double sum = 0;
  uint64_t count = 0;
  for (size_t i = 0; i < cluster.size(); ++i) {
    sum += static_cast<double>(reads[i]) * distances.between(cluster[i].name, cluster[origin].name);
    count += reads[i];
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

std::vector<std::string> trace_notes(const trace& reads, const std::vector<size_t>& homes,
                                     const std::vector<cluster_region>& cluster) {
  std::vector<std::string> notes;
  std::string moved;
  for (size_t i = 0; i < homes.size(); ++i)
    if (reads.regions[i] != cluster[homes[i]].name)
      moved += fmt::format("{}{} -> {}", moved.empty() ? "" : ", ", reads.regions[i], cluster[homes[i]].name);
  if (!moved.empty())
    notes.push_back("regions of the trace served by the nearest region of the cluster: " + moved);
  if (reads.placed > 0)
    notes.push_back(
        fmt::format("{} reads name no region: they are in the region with the shortest expected round trip to "
                    "their reader's address, whose place is known to {}",
                    reads.placed, reads.placed_by));
  if (reads.spread > 0)
    notes.push_back(fmt::format(
        "{}: {} spread over the regions by a hash of their address's /16 (IPv6: /32), or of their name, not "
        "by where they are",
        reads.from_access_log && reads.placed == 0
            ? "an access log names no regions"
            : fmt::format("{} {}reads name no region", reads.spread, reads.placed > 0 ? "further " : ""),
        reads.placed > 0 ? "their readers' place is unknown, so they are" : "readers are"));
  const auto& counts = reads.counts;
  if (counts.no_reads() > 0)
    notes.push_back(fmt::format("{} lines are no reads: {}", counts.no_reads(), counts.no_reads_in_words()));
  if (reads.out_of_order > 0)
    notes.push_back(fmt::format("{} reads stood before an earlier one and were sorted", reads.out_of_order));
  if (counts.malformed > 0)
    notes.push_back(fmt::format("{} lines could not be understood and were passed over; the first:", counts.malformed));
  for (const auto& [line, reason] : counts.complaints)
    notes.push_back(printable(fmt::format("line {} {}", line, reason)));
  return notes;
}

} // namespace gnomon::replay
