#include "runtime/shell/command.hpp"

#include "runtime/base/base64.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/shell/pager.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <optional>

namespace gnomon::shell {

namespace {

void complain(session_context& context, std::string_view code, const std::string& sentence) {
  if (context.json)
    context.to.err << json_text(nlohmann::ordered_json{{"error", {{"code", code}, {"message", sentence}}}}) << '\n';
  else
    context.to.err << (context.interactive ? "" : "gnomon: ") << printable(sentence) << '\n';
}

[[noreturn]] void throw_unknown(const std::vector<std::string>& words) {
  std::vector<std::string> names, seconds;
  for (auto& c : command_table()) {
    auto space = c.name.find(' ');
    names.push_back(c.name.substr(0, space));
    if (space != c.name.npos && c.name.substr(0, space) == words[0])
      seconds.push_back(c.name.substr(space + 1));
  }
  if (!seconds.empty())
    throw usage_error{fmt::format("'{}' goes on with one of: {}", words[0], fmt::join(seconds, ", "))};
  auto meant = nearest(words[0], names);
  throw usage_error{
      fmt::format("there is no command '{}'{}", words[0],
                  meant.empty() ? "; 'help' lists them all" : fmt::format("; did you mean '{}'?", meant))};
}

int run_words(session_context& context, const std::vector<std::string>& words) {
  auto [what, count] = find_command(words);
  if (!what)
    throw_unknown(words);
  auto specs = what->options;
  specs.insert(specs.end(), common_options().begin(), common_options().end());
  auto args = parse_arguments({words.begin() + count, words.end()}, specs);
  if (args.has("--help")) {
    context.to.out << help_of(*what);
    return done;
  }
  auto n = args.positional.size();
  if (n < what->least || n > what->most)
    throw usage_error{fmt::format("{}: usage: {} {}", n < what->least ? "something is missing" : "too many words",
                                  what->name, what->synopsis)};
  context.json = context.json || args.has("--json");
  std::optional<pager> pages;
  if (what->long_answer)
    pages.emplace(context.to);
  return what->run(context, args);
}

/// Sets back what a command chose for itself.
struct keep_json {
  explicit keep_json(session_context& c) : context(c), before(c.json) {}
  ~keep_json() {
    context.json = before;
  }
  session_context& context;
  bool before;
};

} // namespace

client& session_context::node() {
  if (node_)
    return *node_;
  const auto found = find_place(place);
  node_ = found.socket.empty() ? std::make_unique<client>(found.elsewhere, options_)
                               : std::make_unique<client>(found.socket, options_);
  return *node_;
}

client& session_context::patient_node() {
  node().cluster();
  options_.patience = options_.timeout;
  node_ = nullptr;
  return node();
}

void session_context::connect(node_place to) {
  place = std::move(to);
  node_ = nullptr;
  seen_.clear();
}

std::string session_context::seen(const std::string& id) const {
  auto known = seen_.find(id);
  return known == seen_.end() ? std::string{} : known->second;
}

void session_context::remember(const std::string& id, const std::string& context) {
  constexpr size_t enough = 1000;
  if (seen_.size() == enough)
    seen_.clear();
  if (interactive)
    seen_[id] = context;
}

void add_value(nlohmann::ordered_json& to, const std::string& value) {
  auto text = is_utf8(value);
  to[text ? "text" : "base64"] = text ? value : base64_encode(value);
}

void session_context::print(const nlohmann::ordered_json& document) {
  to.out << json_text(document, 2) << '\n';
}

void session_context::print_line(const nlohmann::ordered_json& document) {
  to.out << json_text(document) << '\n';
}

input_file& session_context::input() {
  constexpr size_t longest_line = 96u << 20; // a value of 64 MiB, written out
  if (!input_ || interactive)
    input_ = std::make_unique<input_file>("-", longest_line, coding::as_it_is);
  return *input_;
}

const std::vector<option_spec>& common_options() {
  static const std::vector<option_spec> options{{"--json", "", "print JSON"}, {"--help", "", "explain the command"}};
  return options;
}

const std::vector<command>& command_table() {
  static const auto table = [] {
    std::vector<command> all;
    for (auto group :
         {data_commands, copy_commands, policy_commands, cluster_commands, watch_commands, transfer_commands,
          snapshot_commands, user_commands, train_commands, evaluate_commands, token_commands, cert_commands})
      for (auto& c : group())
        all.push_back(std::move(c));
    return all;
  }();
  return table;
}

found_command find_command(const std::vector<std::string>& words) {
  for (auto& c : command_table()) {
    if (words.size() > 1 && c.name == words[0] + " " + words[1])
      return {&c, 2};
    if (!words.empty() && c.name == words[0])
      return {&c, 1};
  }
  return {};
}

int run_command(session_context& context, const std::vector<std::string>& words) {
  keep_json scope{context};
  try {
    auto status = run_words(context, words);
    context.to.out.flush();
    return status;
  } catch (const usage_error& e) {
    complain(context, "usage", e.what());
    return misused;
  } catch (const failure& e) {
    complain(context, name(e.code()), e.what());
    context.away |= e.code() == ec::unavailable || e.code() == ec::peer_gone || e.code() == ec::timeout;
    return e.code() == ec::invalid_argument ? misused : failed;
  } catch (const std::exception& e) {
    complain(context, "failed", e.what());
    return failed;
  }
}

std::string help_of(const command& c) {
  auto text = fmt::format("{} {}\n\n  {}\n", c.name, c.synopsis, c.summary);
  if (!c.details.empty())
    text += "\n" + c.details;
  auto options = c.options;
  options.push_back(common_options().front());
  size_t width = 0;
  for (auto& o : options)
    width = std::max(width, o.name.size() + 1 + o.placeholder.size());
  text += "\nOptions:\n";
  for (auto& o : options)
    text += fmt::format("  {:{}}  {}\n", o.placeholder.empty() ? o.name : o.name + " " + o.placeholder, width, o.help);
  return text;
}

std::string help_overview() {
  size_t width = 0;
  for (auto& c : command_table())
    width = std::max(width, columns(c.name + " " + c.synopsis));
  std::string text;
  for (auto& c : command_table())
    text += fmt::format("  {:{}}  {}\n", c.name + " " + c.synopsis, width, c.summary);
  return text;
}

} // namespace gnomon::shell
