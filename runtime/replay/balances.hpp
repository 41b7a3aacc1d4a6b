#pragma once

#include "runtime/replay/load.hpp"

#include <vector>

namespace gnomon::replay {

/// What the copies of an item outside of the origin have saved and cost since they were made, in US dollars, as their
/// nodes say. Copies that have gone do not count.
struct item_balance {
  size_t item = 0;
  double saved_usd = 0, spent_usd = 0;
};

/// Asks the origin's node about the items with most reads, at most `most`. An item without an answer is left out.
/// Errors: the loop's.
expected<std::vector<item_balance>> ask_balances(event_loop& loop, const load_plan& plan, size_t most);

/// From an answer to /shadow/status. Zeroes where it is none.
item_balance balance_in(const std::string& status, std::string_view origin);

} // namespace gnomon::replay
