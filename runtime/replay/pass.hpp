#pragma once

#include "runtime/replay/cluster.hpp"
#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/load.hpp"
#include "runtime/replay/progress.hpp"
#include "runtime/replay/report.hpp"

#include <string>

namespace gnomon::replay {

/// One pass over a running cluster: writes the items, waits until their copies have settled, sends the reads, and asks
/// the nodes what they hold and have moved, the former all the while. `title` names the pass in the progress. Errors:
/// those of its steps.
expected<pass_report> play_pass(event_loop& loop, load_plan& plan, progress& shown, const std::string& title);

/// One pass over fresh nodes, which are stopped again in the end whatever happens. The plan gets their addresses.
expected<pass_report> play_on_fresh_nodes(event_loop& loop, load_plan& plan, const cluster_options& nodes,
                                          progress& shown, const std::string& title);

} // namespace gnomon::replay
