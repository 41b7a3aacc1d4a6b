#pragma once

#include "runtime/report/page.hpp"
#include "runtime/virtual_replay/report.hpp"

namespace gnomon::virtual_replay {

/// What --report writes. Flows and items are those of the policy that would be used: full, adaptive, or the cheapest.
report::page_data graphic(const scene& on, const std::vector<outcome>& rows, const page_facts& facts);

/// The clairvoyant from least patience to most: for any number of copies, nobody can be cheaper.
std::vector<outcome> frontier(const scene& on);

/// A row of the graphic, also for the passes of ./dev run.
report::policy_row row_of(const outcome& figures);

} // namespace gnomon::virtual_replay
