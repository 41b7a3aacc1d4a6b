#include "runtime/replay/costs.hpp"

#include "runtime/base/process.hpp"

namespace gnomon::replay {

std::string price_file(const std::string& given) {
  return given.empty() ? find_config("prices.csv").string() : given;
}

expected<learning::price_table> prices_from(const std::string& given) {
  const auto place = price_file(given);
  if (place.empty())
    return make_error(ec::not_found, "there is no configs/prices.csv here; name a table with --prices FILE");
  return learning::price_table::load(place);
}

learning::bill bill_of(const load_plan& plan, const std::vector<held>& mean, double waited_ms,
                       const std::vector<uint64_t>& sent_bytes) {
  learning::bill sum;
  for (size_t node = 0; node < plan.targets.size(); ++node) {
    const auto& price = plan.prices.of(plan.targets[node].region.name);
    sum.moved_usd += price.move_usd(static_cast<double>(sent_bytes[node]));
    sum.stored_usd += price.hold_usd_per_s(mean[node].bytes) * plan.reads->span();
  }
  sum.latency_usd = waited_ms * plan.usd_per_ms;
  return sum;
}

} // namespace gnomon::replay
