#pragma once

#include "learning/economy/bill.hpp"
#include "learning/economy/prices.hpp"
#include "runtime/replay/holdings.hpp"
#include "runtime/replay/load.hpp"

namespace gnomon::replay {

/// `given`, or where configs/prices.csv is; empty when it is nowhere.
std::string price_file(const std::string& given);
/// The prices in that file. Errors: not_found, bad_config.
expected<learning::price_table> prices_from(const std::string& given);

/// What a pass came to at the prices of `plan`: the bytes that each region has sent to others from the first write to
/// the last read, the copies that it held meanwhile, for as long as the trace lasts, and `waited_ms` of all readers.
learning::bill bill_of(const load_plan& plan, const std::vector<held>& mean, double waited_ms,
                       const std::vector<uint64_t>& sent_bytes);

} // namespace gnomon::replay
