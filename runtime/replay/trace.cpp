#include "runtime/replay/trace.hpp"

#include "runtime/base/ids.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <limits>

namespace gnomon::replay {

uint32_t name_table::number_of(std::string_view name) {
  if (auto known = numbers_.find(name); known != numbers_.end())
    return known->second;
  auto number = static_cast<uint32_t>(names_.size());
  names_.push_back(&numbers_.emplace(name, number).first->first);
  return number;
}

std::vector<uint64_t> trace::reads_by_item() const {
  std::vector<uint64_t> counts(items.size());
  for (const auto& read : reads)
    ++counts[read.item];
  return counts;
}

void trace::add(const raw_read& read, uint64_t line) {
  auto region = regions.number_of(read.region);
  if (region > std::numeric_limits<uint16_t>::max())
    return counts.complain(line, "names the 65,537th region");
  if (region == region_lines.size())
    region_lines.push_back(line);
  if (!reads.empty() && read.t < reads.back().t)
    ++out_of_order;
  reads.push_back({read.t, users.number_of(read.user), items.number_of(read.item), static_cast<uint16_t>(region)});
}

void trace::finish() {
  if (out_of_order > 0)
    std::stable_sort(reads.begin(), reads.end(), [](const auto& a, const auto& b) { return a.t < b.t; });
}

std::string network_of(std::string_view client) {
  std::string text{client};
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return std::to_string(bytes[0]) + '.' + std::to_string(bytes[1]) + ".0.0/16";
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    std::fill(bytes.begin() + 4, bytes.end(), 0);
    inet_ntop(AF_INET6, bytes.data(), name.data(), name.size());
    return std::string{name.data()} + "/32";
  }
  return text;
}

namespace {

/// Names the region of a reader whose line names none.
void choose_region(raw_read& read, const trace_options& options, trace& result) {
  const auto home = options.places ? options.places->region_of(read.user) : std::nullopt;
  const auto number = home ? *home : stable_hash(network_of(read.user)) % options.regions.size();
  ++(home ? result.placed : result.spread);
  read.region = options.regions[number];
}

} // namespace

expected<trace> load_trace(const std::filesystem::path& path, const trace_options& options) {
  auto reader = trace_reader::open(path, options.limit);
  if (!reader)
    return reader.error();
  trace result;
  result.placed_by = options.places ? options.places->describe() : std::string{};
  result.source = path.filename().string();
  while (auto read = (*reader)->next()) {
    if (read->region.empty() && !options.regions.empty())
      choose_region(*read, options, result);
    result.add(*read, (*reader)->line());
  }
  if (auto problem = (*reader)->problem())
    return problem;
  auto more = std::move(result.counts); // of regions beyond the most there can be
  result.counts = (*reader)->counts();
  for (auto& [line, reason] : more.complaints)
    result.counts.complain(line, std::move(reason));
  result.from_access_log = (*reader)->is_access_log();
  result.finish();
  return result;
}

} // namespace gnomon::replay
