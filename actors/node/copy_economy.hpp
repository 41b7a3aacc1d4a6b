#pragma once

#include "actors/node/node_context.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What a copy in this node's region costs, what it spares, and how long it is therefore kept.
namespace gnomon {

/// A copy as its costs see it.
struct copy_facts {
  std::string_view id;
  uint64_t bytes = 0;
  uint64_t reads = 0;              // served from it
  uint64_t cost_bytes = 0;         // moved to make and to refresh it
  double age_s = 0;                // since it was made
  double idle_s = 0;               // since it was read last
  std::vector<std::string> others; // nodes that hold the item as well
};

/// Prices of keeping it, of the updates that it gets as often as until now, and of a read without it: the nearest
/// usable holder sends the value, and the reader waits for that. In dollars.
learning::copy_costs costs_of(const node_context& node, const copy_facts& copy);
/// The same for a copy that is not here yet, with the price of moving it here.
learning::copy_costs costs_of_making(const node_context& node, const copy_facts& copy);

/// How long the copy is kept after a read, from what the agent has learned so far.
learning::lifetime lifetime_of(const node_context& node, const copy_facts& copy);
/// The same when that time is over: how long after its last read it is kept now, at least `idle_s`.
duration extended_lifetime_of(const node_context& node, const copy_facts& copy);
duration duration_of(const learning::lifetime& life);

/// What it has cost and has saved since it was made.
struct copy_balance {
  double spent_usd = 0;
  double saved_usd = 0;
};
copy_balance balance_of(const node_context& node, const copy_facts& copy, uint64_t saved_ms);

} // namespace gnomon
