#include "runtime/replay/pass.hpp"

#include "runtime/replay/balances.hpp"
#include "runtime/replay/costs.hpp"
#include "runtime/replay/holdings.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto settle_bound = 30s;
constexpr auto settle_rhythm = 500ms;

std::vector<api_address> addresses(const load_plan& plan) {
  std::vector<api_address> result;
  for (const auto& node : plan.targets)
    result.push_back(node.api);
  return result;
}

/// Waits until the copies that the writes started have arrived: the count stays the same for a while.
expected<cluster_totals> settled_totals(event_loop& loop, const load_plan& plan) {
  auto deadline = std::chrono::steady_clock::now() + settle_bound;
  cluster_totals before;
  for (int same = 0;;) {
    auto now = ask_totals(loop, addresses(plan));
    if (!now)
      return now.error();
    same = now->copies == before.copies ? same + 1 : 0;
    if (same == 2 || std::chrono::steady_clock::now() > deadline)
      return now;
    before = *now;
    if (auto wrong = loop.pause(settle_rhythm))
      return wrong;
  }
}

} // namespace

namespace {

/// Fills in what the nodes say: at the start, when all was written, at the end, and on average between the latter.
void fill_in(pass_report& report, const load_plan& plan, const cluster_totals& start, const cluster_totals& written,
             const cluster_totals& end, const std::vector<held>& mean) {
  const auto items = static_cast<double>(plan.reads->items.size());
  for (const auto& node : mean)
    report.copies_per_item += node.items / items;
  report.copies_at_end = static_cast<double>(end.copies) / items;
  report.bytes_moved = end.bytes_moved - start.bytes_moved;
  report.bytes_moved_writing = written.bytes_moved - start.bytes_moved;
  report.ahead = end.ahead - written.ahead;
  report.ahead_read = end.ahead_read - written.ahead_read;
  if (report.ahead_read > 0)
    report.mean_lead_seconds = (end.lead_seconds - written.lead_seconds) / static_cast<double>(report.ahead_read);
  std::vector<uint64_t> sent;
  for (size_t node = 0; node < end.sent_by_node.size(); ++node)
    sent.push_back(end.sent_by_node[node] - start.sent_by_node[node]);
  const auto answered = static_cast<double>(report.all.reads - report.all.failures);
  report.cost = bill_of(plan, mean, report.all.mean_ms * answered, sent);
}

} // namespace

expected<pass_report> play_pass(event_loop& loop, load_plan& plan, progress& shown, const std::string& title) {
  auto start = ask_totals(loop, addresses(plan));
  if (!start)
    return start.error();
  if (auto wrong = write_items(loop, plan, shown))
    return wrong;
  auto written = settled_totals(loop, plan);
  if (!written)
    return written.error();
  holdings_meter meter(loop, addresses(plan));
  auto result = send_reads(loop, plan, shown, title);
  if (!result)
    return result.error();
  auto end = ask_totals(loop, addresses(plan));
  if (!end)
    return end.error();
  auto balances = ask_balances(loop, plan, plan.balances);
  if (!balances)
    return balances.error();
  auto report = sum_up(plan, *result);
  report.balances = std::move(*balances);
  fill_in(report, plan, *start, *written, *end, meter.mean());
  shown.finish(fmt::format("{}: {} reads in {}, {:.1f}% local", title, grouped(report.all.reads),
                           in_words(std::chrono::seconds{static_cast<int64_t>(report.seconds + 0.5)}),
                           report.all.local_share * 100));
  return report;
}

expected<pass_report> play_on_fresh_nodes(event_loop& loop, load_plan& plan, const cluster_options& nodes,
                                          progress& shown, const std::string& title) {
  shown.update(title + ": starting nodes", 0, 1, "");
  auto cluster = local_cluster::start(loop, nodes);
  if (!cluster)
    return cluster.error();
  plan.targets = (*cluster)->targets();
  loop.watch([&] { return (*cluster)->check(); });
  auto report = play_pass(loop, plan, shown, title);
  loop.watch(nullptr);
  (*cluster)->stop();
  return report;
}

} // namespace gnomon::replay
