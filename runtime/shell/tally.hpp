#pragma once

#include "runtime/shell/command.hpp"
#include "runtime/shell/progress.hpp"

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>

/// What import, export and snapshots have in common: many requests under way, counted.
namespace gnomon::shell {

inline constexpr size_t max_bytes_in_flight = 64u << 20;

/// `--in-flight N`
extern const option_spec in_flight_option;
size_t window_from(const arguments& args);

/// Says that the node did not serve the request, rather than that it refused it.
bool node_is_away(const failure& e);

/// Counts, complaints and the progress line of one transfer.
class tally {
public:
  /// `verb`: "imported"; `summary`: where the closing JSON goes.
  tally(session_context& context, std::string verb, std::ostream& summary);
  void good(size_t bytes);
  /// The first twenty are named on standard error.
  void bad(const std::string& where, const std::string& why);
  /// Throws `failure` when a hundred in a row failed because the node is not there.
  void away();
  void show(double share);
  uint64_t items() const {
    return facts_.items;
  }
  /// Prints the closing line and answers the exit status. `stopped`: why not all was done; empty when all was. `more`
  /// are further counts, by what they count.
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
