#pragma once

#include "runtime/replay/cluster.hpp"
#include "runtime/replay/load.hpp"
#include "runtime/replay/options.hpp"
#include "runtime/replay/pace.hpp"
#include "runtime/replay/report.hpp"

#include <filesystem>
#include <memory>
#include <string>

/// What has to be known before a trace is played.
namespace gnomon::replay {

/// A trace, laid over a cluster.
struct prepared {
  trace reads;
  load_plan plan; // without targets' addresses when the nodes do not run yet
  run_facts facts;
  pace speed;
};

/// The configs that the options name; else those of the five regions: from here, from the build folder or as installed.
/// Errors: not_found.
expected<std::filesystem::path> find_configs(const options& wanted);

/// The trace that the options name, laid over a cluster. Errors: those of reading the trace and of mapping its regions.
expected<std::unique_ptr<prepared>> prepare(const options& wanted, std::vector<target> targets,
                                            const round_trips& distances);

/// The same over the nodes that the configs describe. Errors: also those of the configs.
expected<std::unique_ptr<prepared>> prepare_run(const options& wanted, const std::filesystem::path& configs);

/// The nodes that the options ask for, at that speed; `work` and `zone` are left to the caller.
cluster_options nodes_for(const options& wanted, const std::filesystem::path& configs, const pace& speed);

/// What will be played, for the progress. `baseline`: with the two other passes.
std::string announcement(const prepared& job, bool baseline);

} // namespace gnomon::replay
