#pragma once

#include "runtime/base/error.hpp"
#include "runtime/replay/places.hpp"
#include "runtime/replay/round_trips.hpp"
#include "runtime/replay/trace.hpp"

#include <string>
#include <vector>

/// Which region of the cluster serves which region of the trace.
namespace gnomon::replay {

/// For each region of the trace, the number of the cluster's region that serves it. Errors: invalid_argument with the
/// first line of an unknown region.
expected<std::vector<size_t>> map_regions(const trace& reads, const std::vector<cluster_region>& cluster);

/// Reads by region of the cluster.
std::vector<uint64_t> reads_by_home(const trace& reads, const std::vector<size_t>& homes, size_t cluster_size);

/// The number of the region that takes the writes: the one named `wanted`; when that is empty, the one with the most
/// reads. Errors: invalid_argument.
expected<size_t> choose_origin(const std::string& wanted, const std::vector<cluster_region>& cluster,
                               const std::vector<uint64_t>& reads);

/// The mean round trip of all reads to the origin, in milliseconds.
double mean_round_trip_ms(const std::vector<cluster_region>& cluster, const std::vector<uint64_t>& reads, size_t origin,
                          const round_trips& distances);

/// What a reader of the page has to know about the trace: mapped regions, skipped lines, clients spread over regions.
std::vector<std::string> trace_notes(const trace& reads, const std::vector<size_t>& homes,
                                     const std::vector<cluster_region>& cluster);

} // namespace gnomon::replay
