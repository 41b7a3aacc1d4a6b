#include "runtime/replay/trace.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/replay/line_reader.hpp"

#include <algorithm>
#include <limits>

namespace gnomon::replay {

namespace {

constexpr size_t complaints_kept = 5;

enum class format { unknown, csv, access_log };

/// What the first understandable line says about the file.
format format_of(std::string_view line) {
  if (looks_like_access_log(line))
    return format::access_log;
  auto header = line.ends_with("t,user,region,item");
  return header || std::holds_alternative<raw_read>(parse_csv_line(line)) ? format::csv : format::unknown;
}

/// Feeds lines into a trace, deciding the format on the way.
struct loader {
  trace& result;
  const trace_options& options;
  format kind = format::unknown;

  void take(std::string_view line, uint64_t number) {
    if (line.empty())
      return;
    if (kind == format::unknown)
      kind = format_of(line);
    if (kind == format::unknown)
      return result.complain(number, "is neither t,user,region,item nor a line of an access log");
    auto parsed = kind == format::csv ? parse_csv_line(line) : parse_access_log_line(line);
    if (auto* wrong = std::get_if<malformed>(&parsed))
      return result.complain(number, std::move(wrong->reason));
    if (auto* read = std::get_if<raw_read>(&parsed))
      return accept(*read, number);
    ++result.no_reads;
  }

  void accept(raw_read& read, uint64_t number) {
    if (kind == format::access_log)
      read.region = options.log_regions[stable_hash(network_of(read.user)) % options.log_regions.size()];
    result.add(read, number);
  }
};

caf::error nothing_usable(const trace& t) {
  std::string sentence = t.source + " has no usable read in " + std::to_string(t.lines) + " lines";
  for (const auto& [line, reason] : t.complaints)
    sentence += "\n  line " + std::to_string(line) + ": " + reason;
  return make_error(ec::invalid_argument, sentence
                                              + "\nA trace is CSV with the fields t,user,region,item, or an access "
                                                "log in Common or Combined Log Format, plain or gzip.");
}

} // namespace

uint32_t name_table::number_of(std::string_view name) {
  if (auto known = numbers_.find(name); known != numbers_.end())
    return known->second;
  auto number = static_cast<uint32_t>(names_.size());
  names_.push_back(&numbers_.emplace(name, number).first->first);
  return number;
}

void trace::add(const raw_read& read, uint64_t line) {
  auto region = regions.number_of(read.region);
  if (region > std::numeric_limits<uint16_t>::max())
    return complain(line, "names the 65,537th region");
  if (region == region_lines.size())
    region_lines.push_back(line);
  if (!reads.empty() && read.t < reads.back().t)
    ++out_of_order;
  reads.push_back({read.t, users.number_of(read.user), items.number_of(read.item), static_cast<uint16_t>(region)});
}

void trace::complain(uint64_t line, std::string reason) {
  if (complaints.size() < complaints_kept)
    complaints.push_back({line, std::move(reason)});
  ++malformed;
}

void trace::finish() {
  if (out_of_order > 0)
    std::stable_sort(reads.begin(), reads.end(), [](const auto& a, const auto& b) { return a.t < b.t; });
}

expected<trace> load_trace(const std::filesystem::path& path, const trace_options& options) {
  auto reader = line_reader::open(path);
  if (!reader)
    return reader.error();
  trace result;
  result.source = path.filename().string();
  loader load{result, options};
  while (options.limit == 0 || result.lines < options.limit) {
    auto line = (*reader)->next();
    if (!line)
      break;
    result.lines = (*reader)->line_number();
    if ((*reader)->cut())
      result.complain(result.lines, "is longer than 64 KiB");
    else
      load.take(*line, result.lines);
  }
  if (result.complaints.size() == complaints_kept && !(*reader)->damage().empty())
    result.complaints.pop_back(); // this one is more important
  if (!(*reader)->damage().empty())
    result.complain(result.lines, "the file cannot be read on from here: " + (*reader)->damage());
  if (result.reads.empty())
    return nothing_usable(result);
  result.from_access_log = load.kind == format::access_log;
  result.finish();
  return result;
}

} // namespace gnomon::replay
