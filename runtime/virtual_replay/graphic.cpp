#include "runtime/virtual_replay/graphic.hpp"

#include "runtime/replay/places.hpp"
#include "runtime/replay/report.hpp"
#include "runtime/virtual_replay/baselines.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::virtual_replay {

namespace {

/// The row of Gnomon's own policy, or the cheapest.
size_t chosen(const std::vector<outcome>& rows) {
  for (auto name : {"full", "adaptive"})
    for (size_t k = 0; k < rows.size(); ++k)
      if (rows[k].policy == name)
        return k;
  const auto best =
      std::min_element(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.total_usd() < b.total_usd(); });
  return static_cast<size_t>(best - rows.begin());
}

std::vector<report::flow> flows_of(const scene& on, const outcome& row) {
  std::vector<report::flow> flows;
  for (size_t from = 0; from < on.regions.size(); ++from)
    for (size_t to = 0; to < on.regions.size(); ++to)
      if (const double bytes = row.moved_bytes[from * on.regions.size() + to]; bytes > 0)
        flows.push_back({from, to, bytes});
  return flows;
}

std::vector<report::item_row> items_of(const scene& on, const outcome& without, const outcome& with) {
  std::vector<report::item_row> items;
  for (size_t item = 0; item < on.items.size(); ++item)
    items.push_back({on.items[item], on.bytes[item], 0, without.item_usd[item], with.item_usd[item]});
  for (size_t k = on.measured_from; k < on.reads.size(); ++k)
    ++items[on.reads[k].item].reads;
  return items;
}

outcome without_copies(const scene& on, const std::vector<outcome>& rows) {
  for (const auto& row : rows)
    if (row.policy == "origin")
      return row;
  return play(on, "origin", *origin_only());
}

} // namespace

report::policy_row row_of(const outcome& figures) {
  auto usd = [&](double sum) { return learning::per_million(sum, figures.reads); };
  return {.name = figures.policy,
          .local_share = figures.local_share,
          .mean_ms = figures.mean_ms,
          .p50_ms = figures.p50_ms,
          .p95_ms = figures.p95_ms,
          .p99_ms = figures.p99_ms,
          .copies_per_item = figures.copies_per_item,
          .moved_usd = usd(figures.moved_usd),
          .stored_usd = usd(figures.stored_usd),
          .latency_usd = usd(figures.latency_usd),
          .local_over_time = figures.local_over_time};
}

std::vector<outcome> frontier(const scene& on) {
  std::vector<outcome> points;
  for (double patience : {0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0})
    points.push_back(play_clairvoyant(on, patience));
  return points;
}

report::page_data graphic(const scene& on, const std::vector<outcome>& rows, const page_facts& facts) {
  report::page_data page;
  page.title = "Replay of " + facts.source;
  page.facts = {fmt::format(
      "{} reads of {} items in {} regions, origin {}; the last {} are counted, over {:.1f} hours.",
      replay::grouped(on.reads.size()), replay::grouped(on.items.size()), on.regions.size(), on.regions[on.origin].name,
      replay::grouped(on.reads.size() - on.measured_from), (on.end() - on.begin()) / 3600)};
  page.notes = facts.notes;
  page.notes.push_back(fmt::format("Without knowing when items come to be, at most {:.2f}% of the reads can be local.",
                                   100 * facts.ceiling));
  page.about = chosen(rows);
  const auto& own = rows[page.about].policy;
  for (const auto& row : rows) {
    page.policies.push_back(row_of(row));
    if (row.policy != own && row.policy != "origin" && row.policy != "everywhere" && row.policy != "ttl-24h")
      page.policies.back().local_over_time.clear(); // more lines than these cover one another
  }
  for (const auto& point : frontier(on))
    page.bound.push_back(row_of(point));
  page.hours = (on.end() - on.begin()) / 3600;
  for (const auto& region : on.regions)
    page.regions.push_back({region.name, replay::place_of(region.name)});
  page.flows = flows_of(on, rows[page.about]);
  page.items = items_of(on, without_copies(on, rows), rows[page.about]);
  return page;
}

} // namespace gnomon::virtual_replay
