#include "runtime/replay/geo_dns_report.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace {

std::string row(std::string_view name, const std::string& left, const std::string& right) {
  return fmt::format("{:<28}{:>14}{:>14}\n", name, left, right);
}

std::string ms(double value) {
  return fmt::format("{:.1f} ms", value);
}

std::string share(double value) {
  return fmt::format("{:.1f}%", value * 100);
}

std::string pass_rows(const geo_dns_report& report) {
  const auto& a = report.by_region.all;
  const auto& b = report.by_name.all;
  auto text = row("", "by region", "by name");
  text += row("reads", grouped(a.reads), grouped(b.reads));
  text += row("answered by a local copy", share(a.local_share), share(b.local_share));
  text += row("p50", ms(a.p50_ms), ms(b.p50_ms));
  text += row("p95", ms(a.p95_ms), ms(b.p95_ms));
  text += row("copies per item", fmt::format("{:.2f}", report.by_region.copies_per_item),
              fmt::format("{:.2f}", report.by_name.copies_per_item));
  text += row("failed reads", grouped(a.failures), grouped(b.failures));
  text += fmt::format("\ndifference of the local shares: {:+.2f} points, {} are allowed: {}\n", report.difference(),
                      tolerated_points, std::abs(report.difference()) <= tolerated_points ? "good" : "too much");
  text += fmt::format("\n{:<17}{:>9} {:>13}{:>13}\n", "by region", "reads", "by region", "by name");
  for (size_t i = 0; i < report.by_region.by_region.size(); ++i) {
    const auto& [name, figures] = report.by_region.by_region[i];
    text += fmt::format("{:<17}{:>9} {:>13}{:>13}\n", name, grouped(figures.reads), share(figures.local_share),
                        share(report.by_name.by_region[i].second.local_share));
  }
  return text;
}

std::string naming_rows(const naming_figures& naming) {
  std::string text = "\nby name, readers were served in the region that is\n";
  static constexpr std::array names{"their own", "the nearest other", "the second other", "the third other",
                                    "the fourth other"};
  for (size_t i = 0; i < naming.by_nearest.size(); ++i)
    text += fmt::format("  {:<26}{:>14}\n", i < names.size() ? names[i] : "further", grouped(naming.by_nearest[i]));
  return text
         + fmt::format("questions to the resolver: {}; answered from memory: {}; names that did not exist: {}; went on "
                       "to the next record: {}\n",
                       grouped(naming.lookups), grouped(naming.remembered), grouped(naming.unknown),
                       grouped(naming.next_record));
}

std::string outage_rows(const outage_report& outage) {
  auto text = fmt::format("\n{} was killed; answers that readers used, by second after that:\n{:>6}{:>10}{:>20}{:>18}"
                          "{:>14}\n",
                          outage.region, "second", "answers", "name it first", "name it at all", "failed reads");
  for (size_t i = 0; i < outage.seconds.size(); ++i) {
    const auto& s = outage.seconds[i];
    text += fmt::format("{:>6}{:>10}{:>20}{:>18}{:>14}\n", i, s.lookups, s.first, s.named, s.failed_reads);
  }
  return text
         + fmt::format("named first for the last time after {:.2f} s, at all after {:.2f} s; {:.0f} s with the TTL of "
                       "{:.0f} s are allowed: {}\n",
                       outage.last_first_s, outage.last_named_s, outage.allowed_s, outage.ttl_s,
                       outage.good() ? "good" : "too long");
}

nlohmann::json pass_json(const pass_report& pass) {
  nlohmann::json json{
      {"reads", pass.all.reads},   {"failures", pass.all.failures}, {"local_share", pass.all.local_share},
      {"p50_ms", pass.all.p50_ms}, {"p95_ms", pass.all.p95_ms},     {"copies_per_item", pass.copies_per_item}};
  for (const auto& [region, figures] : pass.by_region)
    json["regions"][region] = {{"reads", figures.reads}, {"local_share", figures.local_share}};
  return json;
}

} // namespace

bool geo_dns_report::good() const {
  return std::abs(difference()) <= tolerated_points && outage.good() && by_region.failures.empty()
         && by_name.failures.empty();
}

std::string page(const geo_dns_report& report) {
  auto text = fmt::format("\n{}: {} items of {}, {} readers; written in {}; 1 s here is {} there\n\n",
                          report.facts.source, grouped(report.facts.items), size_in_words(report.facts.value_bytes),
                          grouped(report.facts.users), report.facts.origin,
                          in_words(std::chrono::seconds{static_cast<int64_t>(report.facts.time_scale + 0.5)}));
  text += pass_rows(report) + naming_rows(report.naming) + outage_rows(report.outage);
  for (const auto* pass : {&report.by_region, &report.by_name})
    for (const auto& failure : pass->failures)
      text += "- failed: " + failure + '\n';
  return text;
}

nlohmann::json figures_json(const geo_dns_report& report) {
  nlohmann::json json{{"trace", report.facts.source},
                      {"time_scale", report.facts.time_scale},
                      {"by_region", pass_json(report.by_region)},
                      {"by_name", pass_json(report.by_name)},
                      {"difference_points", report.difference()},
                      {"served_by_nearness", report.naming.by_nearest},
                      {"lookups", report.naming.lookups},
                      {"remembered", report.naming.remembered},
                      {"unknown_names", report.naming.unknown},
                      {"next_record", report.naming.next_record}};
  const auto& outage = report.outage;
  json["outage"] = {{"region", outage.region},
                    {"last_named_first_s", outage.last_first_s},
                    {"last_named_s", outage.last_named_s},
                    {"allowed_s", outage.allowed_s},
                    {"ttl_s", outage.ttl_s}};
  for (const auto& s : outage.seconds)
    json["outage"]["seconds"].push_back(
        {{"answers", s.lookups}, {"named_first", s.first}, {"named", s.named}, {"failed_reads", s.failed_reads}});
  json["good"] = report.good();
  return json;
}

} // namespace gnomon::replay
