#pragma once

#include "runtime/virtual_replay/policy.hpp"

#include <optional>

/// What people use today, to compare with.
namespace gnomon::virtual_replay {

/// Every read is answered by the nearest durable copy.
std::unique_ptr<policy> origin_only();
/// A read leaves a copy, which goes when it is not read for `keep_s`.
std::unique_ptr<policy> fixed_lifetime(double keep_s);
/// The same, with the time at which holding has cost as much as a miss (ski rental, Karlin et al. 1990).
std::unique_ptr<policy> break_even(const scene& on);
/// Full replication: every item is copied to all regions when it comes to be.
std::unique_ptr<policy> everywhere(const scene& on);
/// Fixed lifetimes, and the item that most often followed the one just read is copied into the reader's region, if it
/// followed at least one time of ten (first-order Markov chain).
std::unique_ptr<policy> markov(const scene& on, double keep_s);
/// Fixed lifetimes, and once an hour the `count` items with most reads of late are copied into all regions.
std::unique_ptr<policy> top_items(const scene& on, size_t count, double keep_s);

} // namespace gnomon::virtual_replay
