#pragma once

#include "runtime/shell/command.hpp"
#include "runtime/shell/progress.hpp"

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>

/// The common part of import, export and snapshots: many requests under way, counted.
namespace gnomon::shell {

/// `--in-flight N`
extern const option_spec in_flight_option;
size_t window_from(const arguments& args);

/// The asked node's own line of its report.
node_status self_of(const cluster_status& report);

/// Counts, complaints and the progress line of one transfer.
class tally {
public:
  /// `verb`: "imported"; `summary`: where the closing JSON goes.
  tally(session_context& context, std::string verb, std::ostream& summary);
  void good(size_t bytes);
  /// The first twenty are named on standard error.
  void bad(const std::string& where, const std::string& why);
  /// The same for a request. Throws `failure` when a hundred in a row failed because the node is not there.
  void bad(const std::string& where, const failure& why);
  /// `share` of the work that is done: 0 to 1, negative when the total is unknown.
  void show(double share);
  /// Prints the closing line and returns the exit status. `stopped`: why not everything was done; empty when it was.
  /// `more`: further counts, with their names.
  int finish(const std::string& stopped, const nlohmann::ordered_json& more = nlohmann::ordered_json::object());

private:
  session_context& context_;
  std::string verb_;
  std::ostream& summary_;
  progress progress_;
  progress_facts facts_;
  size_t in_a_row_ = 0;
};

} // namespace gnomon::shell
