#include "runtime/virtual_replay/report.hpp"

#include "runtime/replay/report.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::virtual_replay {

namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 1;
}

double per_million(const outcome& row, double usd) {
  return learning::per_million(usd, row.reads);
}

std::string row_text(const outcome& row, const outcome& clairvoyant) {
  return fmt::format("{:<12} {:>7.2f} {:>8.2f} {:>7.1f} {:>7.1f} {:>8.2f} {:>8.2f} {:>6.1f} {:>7.2f} {:>9.3f} {:>9.3f} "
                     "{:>9.3f} {:>9.3f} {:>6.2f}\n",
                     row.policy, 100 * row.local_share, row.mean_ms, row.p95_ms, row.p99_ms, row.moves_per_100_reads,
                     row.prefetched_per_100_reads, 100 * row.prefetched_read_share, row.copies_per_item,
                     per_million(row, row.moved_usd), per_million(row, row.stored_usd),
                     per_million(row, row.latency_usd), per_million(row, row.total_usd()),
                     ratio(row.total_usd(), clairvoyant.total_usd()));
}

/// What the best row would mean beside having no copies, in a month like the measured span.
std::string in_a_month(const scene& on, const std::vector<outcome>& rows) {
  const auto best =
      std::min_element(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.total_usd() < b.total_usd(); });
  const auto origin = std::find_if(rows.begin(), rows.end(), [](auto& row) { return row.policy == "origin"; });
  if (best == rows.end())
    return {};
  const double months = (on.end() - on.begin()) / learning::seconds_per_month;
  auto text =
      fmt::format("\nCheapest: {}. {:.2f}% of the reads are local, in {:.1f} ms on average, for ${:.2f} a month "
                  "of traffic and storage at this rate of reads.\n",
                  best->policy, 100 * best->local_share, best->mean_ms, (best->moved_usd + best->stored_usd) / months);
  if (origin != rows.end() && origin != best)
    text += fmt::format("Without further copies: {:.2f}%, {:.1f} ms, ${:.2f} a month.\n", 100 * origin->local_share,
                        origin->mean_ms, (origin->moved_usd + origin->stored_usd) / months);
  return text;
}

} // namespace

nlohmann::ordered_json to_json(const std::vector<outcome>& rows, const outcome& clairvoyant, const page_facts& facts) {
  auto result = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    nlohmann::ordered_json one;
    one["policy"] = row.policy;
    one["reads"] = row.reads;
    one["local_share"] = row.local_share;
    one["mean_ms"] = row.mean_ms;
    one["p50_ms"] = row.p50_ms;
    one["p95_ms"] = row.p95_ms;
    one["p99_ms"] = row.p99_ms;
    one["moves_per_100_reads"] = row.moves_per_100_reads;
    one["prefetched_per_100_reads"] = row.prefetched_per_100_reads;
    one["prefetched_read_share"] = row.prefetched_read_share;
    one["copies_per_item"] = row.copies_per_item;
    one["ceiling_local_share"] = facts.ceiling;
    auto& cost = one["cost"];
    cost["moved"] = row.moved_usd;
    cost["stored"] = row.stored_usd;
    cost["latency"] = row.latency_usd;
    cost["total"] = row.total_usd();
    cost["over_clairvoyant"] = ratio(row.total_usd(), clairvoyant.total_usd());
    cost["usd_per_million_reads"] = per_million(row, row.total_usd());
    result.push_back(std::move(one));
  }
  return result;
}

std::string to_page(const scene& on, const std::vector<outcome>& rows, const outcome& clairvoyant,
                    const page_facts& facts) {
  auto text = fmt::format("{}: {} reads of {} items in {} regions, origin {}; the last {} are counted\n", facts.source,
                          replay::grouped(on.reads.size()), replay::grouped(on.items.size()), on.regions.size(),
                          on.regions[on.origin].name, replay::grouped(on.reads.size() - on.measured_from));
  for (const auto& note : facts.notes)
    text += "  " + note + "\n";
  text += fmt::format("\n{:<12} {:>7} {:>8} {:>7} {:>7} {:>8} {:>8} {:>6} {:>7} {:>39} {:>6}\n", "", "local", "mean",
                      "p95", "p99", "moved", "ahead", "read", "copies", "$ per million reads", "times");
  text += fmt::format("{:<12} {:>7} {:>8} {:>7} {:>7} {:>8} {:>8} {:>6} {:>7} {:>9} {:>9} {:>9} {:>9} {:>6}\n",
                      "policy", "%", "ms", "ms", "ms", "per 100", "per 100", "%", "an item", "moved", "stored",
                      "waiting", "total", "best");
  for (const auto& row : rows)
    text += row_text(row, clairvoyant);
  text += row_text(clairvoyant, clairvoyant);
  text += fmt::format("\nWithout knowing when items come to be, at most {:.2f}% of the reads can be local.\n",
                      100 * facts.ceiling);
  for (const auto& row : rows)
    if (!row.notes.empty())
      text += fmt::format("{}: {}\n", row.policy, row.notes);
  return text + in_a_month(on, rows);
}

} // namespace gnomon::virtual_replay
