#include "learning/economy/prices.hpp"

#include "runtime/base/csv.hpp"
#include "runtime/base/numbers.hpp"

namespace gnomon::learning {

namespace {

constexpr double dearest_usd = 1e6;
constexpr size_t longest_line = 4096;
constexpr std::string_view header = "region,storage_usd_per_gb_month,egress_usd_per_gb_to_other_regions";

bool is_price(const std::optional<double>& number) {
  return number && *number >= 0 && *number <= dearest_usd;
}

} // namespace

expected<price_table> price_table::load(const std::string& file) {
  auto lines = line_reader::open(file, longest_line);
  if (!lines)
    return lines.error();
  csv_reader records{**lines};
  price_table result;
  std::vector<std::string> fields;
  for (std::string line; records.next(line);) {
    if (line.empty() || line.starts_with('#') || line == header)
      continue;
    const auto number = records.number();
    const bool three = !records.too_long() && records.split(line, fields) == csv_state::whole && fields.size() == 3;
    const auto storage = three ? parse_number<double>(fields[1]) : std::nullopt;
    const auto egress = three ? parse_number<double>(fields[2]) : std::nullopt;
    if (!is_price(storage) || !is_price(egress))
      return make_error(ec::bad_config, file + " line " + std::to_string(number)
                                            + " is not a region, its storage in $ per GB and month, and its outgoing "
                                              "traffic in $ per GB: "
                                            + line);
    result.set(fields[0], {*storage, *egress});
  }
  if (!(*lines)->fault().empty())
    return make_error(ec::bad_config, (*lines)->fault());
  if (result.prices_.empty())
    return make_error(ec::bad_config, file + " names no region");
  return result;
}

price_table price_table::flat(const region_price& everywhere) {
  price_table result;
  result.mean_ = everywhere;
  return result;
}

void price_table::set(const std::string& region, const region_price& price) {
  prices_[region] = price;
  mean_ = {0, 0};
  const auto count = static_cast<double>(prices_.size());
  for (const auto& [name, each] : prices_) {
    mean_.storage_usd_per_gb_month += each.storage_usd_per_gb_month / count;
    mean_.egress_usd_per_gb += each.egress_usd_per_gb / count;
  }
}

const region_price& price_table::of(std::string_view region) const {
  auto known = prices_.find(region);
  return known == prices_.end() ? mean_ : known->second;
}

price_table price_table::with_storage_times(double factor) const {
  auto result = *this;
  result.mean_.storage_usd_per_gb_month *= factor;
  for (auto& [name, price] : result.prices_)
    price.storage_usd_per_gb_month *= factor;
  return result;
}

} // namespace gnomon::learning
