#include "runtime/replay/report.hpp"

#include "runtime/base/json_text.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <functional>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace {

std::string percent(double share) {
  return fmt::format("{:.1f}%", share * 100);
}

std::string milliseconds(double ms) {
  return fmt::format("{:.1f} ms", ms);
}

std::string megabytes(uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

double share_read(const pass_report& pass) {
  return pass.ahead == 0 ? 0 : static_cast<double>(pass.ahead_read) / static_cast<double>(pass.ahead);
}

std::string dollars(const pass_report& pass, double usd) {
  return fmt::format("{:.3f}", learning::per_million(usd, pass.all.reads - pass.all.failures));
}

/// One line of the page: what it is called and how a pass shows it.
struct page_row {
  std::string_view name;
  std::function<std::string(const pass_report&)> value;
};

const std::vector<page_row>& rows() {
  static const std::vector<page_row> table{
      {"reads", [](auto& p) { return grouped(p.all.reads); }},
      {"answered by a local copy", [](auto& p) { return percent(p.all.local_share); }},
      {"mean latency", [](auto& p) { return milliseconds(p.all.mean_ms); }},
      {"p50", [](auto& p) { return milliseconds(p.all.p50_ms); }},
      {"p95", [](auto& p) { return milliseconds(p.all.p95_ms); }},
      {"p99", [](auto& p) { return milliseconds(p.all.p99_ms); }},
      {"copies per item, mean", [](auto& p) { return fmt::format("{:.2f}", p.copies_per_item); }},
      {"  at the end", [](auto& p) { return fmt::format("{:.2f}", p.copies_at_end); }},
      {"moved between regions", [](auto& p) { return megabytes(p.bytes_moved); }},
      {"copied ahead of a read", [](auto& p) { return grouped(p.ahead); }},
      {"of these, read by the end", [](auto& p) { return p.ahead == 0 ? "" : percent(share_read(p)); }},
      {"on average after",
       [](auto& p) {
         return p.ahead_read == 0 ? "" : in_words(std::chrono::seconds{static_cast<int64_t>(p.mean_lead_seconds)});
       }},
      {"updates", [](auto& p) { return grouped(p.updates); }},
      {"$ per million reads: moved", [](auto& p) { return dollars(p, p.cost.moved_usd); }},
      {"  stored", [](auto& p) { return dollars(p, p.cost.stored_usd); }},
      {"  waiting", [](auto& p) { return dollars(p, p.cost.latency_usd); }},
      {"  total", [](auto& p) { return dollars(p, p.cost.total_usd()); }},
      {"failed reads", [](auto& p) { return grouped(p.all.failures); }},
      {"took", [](auto& p) { return in_words(std::chrono::seconds{static_cast<int64_t>(p.seconds + 0.5)}); }},
  };
  return table;
}

std::string region_rows(const std::vector<named_pass>& passes) {
  auto text = fmt::format("\n{:<19}{:>9}", "by region", "reads");
  for (size_t k = 0; k < passes.size(); ++k)
    text += fmt::format("{:>11}{:>11}", "local", "mean");
  for (size_t i = 0; i < passes.back().report.by_region.size(); ++i) {
    const auto& [name, last] = passes.back().report.by_region[i];
    text += fmt::format("\n{:<19}{:>9}", name, grouped(last.reads));
    for (const auto& pass : passes) {
      const auto& f = pass.report.by_region[i].second;
      text += fmt::format("{:>11}{:>11}", percent(f.local_share), milliseconds(f.mean_ms));
    }
  }
  return text + '\n';
}

/// A note as an indented paragraph.
std::string wrapped_note(std::string_view note) {
  constexpr size_t width = 100;
  std::string text = "-";
  size_t column = 1;
  while (!note.empty()) {
    auto word = note.substr(0, note.find(' '));
    note.remove_prefix(std::min(word.size() + 1, note.size()));
    if (column + 1 + word.size() > width) {
      text += "\n ";
      column = 1;
    }
    text += fmt::format(" {}", word);
    column += 1 + word.size();
  }
  return text + '\n';
}

std::vector<std::string> pass_notes(std::string_view title, const pass_report& pass) {
  std::vector<std::string> notes;
  if (pass.late_reads > 0)
    notes.push_back(
        fmt::format("{}: {} reads went out more than 0.1 s late, the latest by {:.1f} s, because {} requests "
                    "were open already or the machine was busy; latencies run from when a read went out.",
                    title, grouped(pass.late_reads), pass.late_max_s, open_requests));
  for (const auto& failure : pass.failures)
    notes.push_back(fmt::format("{}: failed: {}", title, failure));
  return notes;
}

nlohmann::json latency_json(const latency_figures& f) {
  return {{"reads", f.reads},           {"failures", f.failures},       {"local", f.local},
          {"prefetched", f.prefetched}, {"local_share", f.local_share}, {"mean_ms", f.mean_ms},
          {"p50_ms", f.p50_ms},         {"p95_ms", f.p95_ms},           {"p99_ms", f.p99_ms}};
}

nlohmann::json pass_json(const pass_report& pass) {
  auto json = latency_json(pass.all);
  json["copies_per_item"] = pass.copies_per_item;
  json["copies_at_end"] = pass.copies_at_end;
  json["updates"] = pass.updates;
  json["cost"] = {
      {"moved", pass.cost.moved_usd},
      {"stored", pass.cost.stored_usd},
      {"latency", pass.cost.latency_usd},
      {"total", pass.cost.total_usd()},
      {"usd_per_million_reads", learning::per_million(pass.cost.total_usd(), pass.all.reads - pass.all.failures)}};
  json["bytes_moved"] = pass.bytes_moved;
  json["bytes_moved_writing"] = pass.bytes_moved_writing;
  json["copied_ahead"] = pass.ahead;
  json["copied_ahead_read"] = pass.ahead_read;
  json["copied_ahead_lead_s"] = pass.mean_lead_seconds;
  json["seconds"] = pass.seconds;
  json["late_reads"] = pass.late_reads;
  json["late_max_s"] = pass.late_max_s;
  for (const auto& [region, figures] : pass.by_region)
    json["regions"][region] = latency_json(figures);
  return json;
}

} // namespace

std::string grouped(uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<size_t>(at), 1, ',');
  return text;
}

pass_report sum_up(const load_plan& plan, const load_result& result) {
  pass_report report;
  report.all = result.all().sum_up();
  for (size_t i = 0; i < plan.targets.size(); ++i)
    report.by_region.emplace_back(plan.targets[i].region.name, result.by_target[i].sum_up());
  report.seconds = result.seconds;
  report.updates = result.updates;
  report.answered_bytes = result.answered_bytes;
  for (size_t slice = 0; slice < result.slice_reads.size(); ++slice)
    report.local_over_time.push_back(static_cast<double>(result.slice_local[slice])
                                     / static_cast<double>(result.slice_reads[slice]));
  report.late_max_s = result.late_max_s;
  report.late_reads = result.late_reads;
  report.failures = result.failures;
  return report;
}

std::string size_in_words(uint64_t value_bytes) {
  return value_bytes > 0 ? grouped(value_bytes) + " bytes" : "64 KiB (the median)";
}

std::string page(const run_facts& facts, const std::vector<named_pass>& passes) {
  auto text =
      fmt::format("\n{}: {} items of {}, {} readers; written in {}; 1 s here is {} there\n\n{:<28}", facts.source,
                  grouped(facts.items), size_in_words(facts.value_bytes), grouped(facts.users), facts.origin,
                  in_words(std::chrono::seconds{static_cast<int64_t>(facts.time_scale + 0.5)}), "");
  for (const auto& pass : passes)
    text += fmt::format("{:>22}", pass.title);
  for (const auto& row : rows()) {
    text += fmt::format("\n{:<28}", row.name);
    for (const auto& pass : passes)
      text += fmt::format("{:>22}", row.value(pass.report));
  }
  text += '\n' + region_rows(passes);
  auto notes = facts.notes;
  for (const auto& pass : passes)
    for (auto& note : pass_notes(pass.title, pass.report))
      notes.push_back(std::move(note));
  text += notes.empty() ? "" : "\n";
  for (const auto& note : notes)
    text += wrapped_note(note);
  return text;
}

nlohmann::json figures_json(const run_facts& facts, const std::vector<named_pass>& passes) {
  auto json = pass_json(passes.back().report);
  json["trace"] = facts.source;
  json["items"] = facts.items;
  json["users"] = facts.users;
  json["origin"] = facts.origin;
  json["time_scale"] = facts.time_scale;
  json["value_bytes"] = facts.value_bytes;
  json["usd_per_ms"] = facts.usd_per_ms;
  json["notes"] = facts.notes;
  for (const auto& pass : passes) {
    auto key = pass.title;
    std::replace(key.begin(), key.end(), ' ', '_');
    if (&pass != &passes.back())
      json[key] = pass_json(pass.report);
  }
  return json;
}

caf::error publish_figures(const std::filesystem::path& json, const std::string& page, const nlohmann::json& figures) {
  if (json != "-")
    print_text(printable(page, "\n"));
  if (json.empty())
    return {};
  auto text = json_text(figures, 2) + '\n';
  if (json == "-") {
    print_text(text);
    return {};
  }
  std::ofstream out(json, std::ios::trunc);
  out << text << std::flush;
  if (!out)
    return make_error(ec::store_failed, "cannot write " + json.string());
  return {};
}

} // namespace gnomon::replay
