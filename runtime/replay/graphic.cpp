#include "runtime/replay/graphic.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace {

report::policy_row row_of(const named_pass& pass) {
  const auto& p = pass.report;
  auto usd = [&](double sum) { return learning::per_million(sum, p.all.reads - p.all.failures); };
  return {.name = pass.title,
          .local_share = p.all.local_share,
          .mean_ms = p.all.mean_ms,
          .p50_ms = p.all.p50_ms,
          .p95_ms = p.all.p95_ms,
          .p99_ms = p.all.p99_ms,
          .copies_per_item = p.copies_per_item,
          .moved_usd = usd(p.cost.moved_usd),
          .stored_usd = usd(p.cost.stored_usd),
          .latency_usd = usd(p.cost.latency_usd),
          .local_over_time = p.local_over_time};
}

std::vector<report::flow> flows_of(const pass_report& pass) {
  std::vector<report::flow> flows;
  const size_t regions = pass.by_region.size();
  for (size_t k = 0; k < pass.answered_bytes.size(); ++k)
    if (pass.answered_bytes[k] > 0)
      flows.push_back({k / regions, k % regions, pass.answered_bytes[k]});
  return flows;
}

} // namespace

report::page_data graphic(const prepared& job, const std::vector<named_pass>& passes) {
  report::page_data page;
  page.title = "Run of " + job.facts.source;
  page.facts = {
      fmt::format("{} reads and {} updates of {} items of {}, written in {}. Five regions on one machine, with "
                  "links as slow as real ones.",
                  grouped(job.reads.reads.size()), grouped(job.reads.updates.size()), grouped(job.facts.items),
                  size_in_words(job.facts.value_bytes), job.facts.origin)};
  page.notes = job.facts.notes;
  for (const auto& pass : passes)
    page.policies.push_back(row_of(pass));
  page.about = passes.size() - 1;
  auto reads = job.reads.reads_by_item();
  page.hours = job.reads.span() / 3600;
  for (const auto& node : job.plan.targets)
    page.regions.push_back({node.region.name, node.region.where});
  page.flow_name = "Values that answered reads from another region";
  page.flows = flows_of(passes.back().report);
  page.item_heads = {"saved", "spent"};
  for (const auto& [item, saved, spent] : passes.back().report.balances)
    page.items.push_back(
        {job.reads.items[item], static_cast<double>(job.plan.bytes_of(item)), reads[item], saved, spent});
  return page;
}

} // namespace gnomon::replay
