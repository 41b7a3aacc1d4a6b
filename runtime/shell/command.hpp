#pragma once

#include "gnomon/client.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/node_place.hpp"
#include "runtime/shell/output.hpp"
#include "runtime/shell/words.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// Defines a command of the shell. Each group of commands has its own file, which returns its part of the table.
namespace gnomon::shell {

/// Exit statuses.
inline constexpr int done = 0;
inline constexpr int failed = 1; // not found, refused, not reachable
inline constexpr int misused = 2;

/// The options that hold for all commands, and the node they talk to.
class session_context {
public:
  session_context(const terminal& where, client_options options) : to(where), options_(options) {}
  /// The node at `place`, as `find_place` finds it. Throws `failure`.
  client& node();
  /// The same for long work: from now on requests wait for a node that restarts. Throws at once when there is no node.
  client& patient_node();
  /// Waits for the answer. In a conversation Ctrl-C ends the wait: throws `interruption`.
  template <class T>
  T wait(later<T> answer);
  /// From now on the node there is talked to.
  void connect(node_place to);
  /// Writes one JSON document to standard output, indented for people, or in one line.
  void print(const nlohmann::ordered_json& document);
  void print_line(const nlohmann::ordered_json& document);
  /// Standard input, for commands and for the values among them; anew for each in a conversation, where Ctrl-D ends
  /// one.
  input_file& input();
  /// In a session: the context of what it last saw of an item, so that it never reads anything older. Otherwise empty.
  std::string seen(const std::string& id) const;
  void remember(const std::string& id, const std::string& context);

  const terminal& to;
  node_place place;
  bool json = false;
  bool interactive = false;
  bool away = false; // the node did not answer when it was asked last

private:
  client_options options_;
  std::unique_ptr<client> node_;
  std::unique_ptr<input_file> input_;
  std::map<std::string, std::string> seen_; // contexts by id; begun anew when there are many
};

/// Adds an item's value to a JSON object: as `text` when it is UTF-8, else as `base64`.
void add_value(nlohmann::ordered_json& to, const std::string& value);

/// The user does not want to wait for the answer any longer. What was asked may be carried out all the same.
struct interruption : std::runtime_error {
  interruption() : std::runtime_error("interrupted; what was asked may be carried out all the same") {}
};

template <class T>
T session_context::wait(later<T> answer) {
  constexpr auto look_every = std::chrono::milliseconds{50};
  if (interactive)
    for (interrupt_guard guard; !answer.wait_for(look_every);)
      if (guard.interrupted())
        throw interruption{};
  auto found = answer.get();
  away = false;
  return found;
}

/// What the tab key offers for a word.
enum class offer { nothing, ids, files, scopes, scoped, policies, regions, nodes, sockets };

struct command {
  std::string name; // one or two words
  std::string synopsis;
  std::string summary;
  std::string details = {}; // lines for `help COMMAND`
  std::vector<option_spec> options = {};
  size_t least = 0; // positional arguments
  size_t most = 0;
  std::vector<offer> offers = {}; // by position
  bool long_answer = false;       // on a terminal it may need a pager
  /// Returns the exit status. Throws usage_error, `failure`, or std::runtime_error with a sentence.
  std::function<int(session_context&, const arguments&)> run;
};

std::vector<command> data_commands();     // put get del list count
std::vector<command> copy_commands();     // shadow create, shadow drop, status, explain, label, route
std::vector<command> policy_commands();   // policy set get del list show
std::vector<command> cluster_commands();  // cluster
std::vector<command> watch_commands();    // watch
std::vector<command> transfer_commands(); // import export
std::vector<command> user_commands();     // predict forget report
std::vector<command> snapshot_commands(); // snapshot save load check
std::vector<command> train_commands();    // train
std::vector<command> evaluate_commands(); // evaluate replay
std::vector<command> token_commands();    // token create list revoke
std::vector<command> cert_commands();     // cert new-ca issue show

/// All of them, in the order in which `help` lists them.
const std::vector<command>& command_table();

/// The command whose name `words` begin with, and how many words the name has; null when there is none.
struct found_command {
  const command* what = nullptr;
  size_t words = 0;
};
found_command find_command(const std::vector<std::string>& words);

/// Runs the command that `words` spell. Prints errors, and returns the exit status. Throws nothing.
int run_command(session_context& context, const std::vector<std::string>& words);

/// Options that every command takes.
const std::vector<option_spec>& common_options();

std::string help_overview();
std::string help_of(const command& c);

} // namespace gnomon::shell
