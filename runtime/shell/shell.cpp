#include "runtime/shell/shell.hpp"

#include "gnomon/version.hpp"
#include "runtime/base/process.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/editor.hpp"
#include "runtime/shell/pager.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

namespace gnomon::shell {

namespace {

using namespace std::chrono_literals;

constexpr size_t ids_to_offer = 100;
constexpr size_t types_to_offer = 50; // each takes a request

const std::vector<option_spec>& program_options() {
  static const auto options = [] {
    auto all = place_options();
    all.insert(all.end(), {{"--timeout", "SECONDS", "how long one request may take (default 15)"},
                           {"--json", "", "print JSON, errors as well"},
                           {"--help", "", "this text (-h); with a command: what it does"},
                           {"--version", "", "print the version (-V)"}});
    return all;
  }();
  return options;
}

std::string program_help() {
  auto text = fmt::format("gnomon {}: talks to a Gnomon node on this machine or another\n\n"
                          "usage: gnomon [OPTIONS]                  type commands, with history and completion\n"
                          "       gnomon [OPTIONS] COMMAND [WORDS]  run one command\n\nCommands:\n{}"
                          "  help [COMMAND]\n\nOptions:\n",
                          version, help_overview());
  for (auto& o : program_options())
    text += fmt::format("  {:19} {}\n", o.placeholder.empty() ? o.name : o.name + " " + o.placeholder, o.help);
  const auto ready = find_config("single.toml");
  return text
         + "\nExit status: 0 done, 1 failed or not found, 2 wrong usage.\n\n"
           "Try:\n"
           "  gnomond --config-file="
         + (ready.empty() ? "FILE" : ready.string())
         + " &\n"
           "  gnomon put greetings/1 \"hello world\"\n"
           "  gnomon get greetings/1\n"
           "  gnomon status greetings/1\n"
           "  gnomon list --json | head\n";
}

/// The options before the command, and what follows them.
struct command_line {
  arguments options;
  std::vector<std::string> words;
};

command_line split(const std::vector<std::string>& words) {
  size_t i = 0;
  while (i < words.size() && words[i].starts_with('-')) {
    auto& specs = program_options();
    auto takes_value =
        std::any_of(specs.begin(), specs.end(), [&](auto& o) { return o.name == words[i] && !o.placeholder.empty(); });
    i += takes_value ? 2 : 1;
  }
  i = std::min(i, words.size());
  return {parse_arguments({words.begin(), words.begin() + static_cast<ptrdiff_t>(i)}, program_options()),
          {words.begin() + static_cast<ptrdiff_t>(i), words.end()}};
}

int help(const terminal& to, const std::vector<std::string>& words) {
  if (words.empty()) {
    to.out << help_overview() << "  help [COMMAND]\n  connect [NUMBER|PATH|HOST:PORT]\n  quit\n";
    return done;
  }
  auto shown = false;
  for (auto& c : command_table())
    if (c.name == fmt::format("{}", fmt::join(words, " ")) || c.name.substr(0, c.name.find(' ')) == words[0]) {
      to.out << (shown ? "\n" : "") << help_of(c);
      shown = true;
    }
  if (!shown)
    to.err << fmt::format("there is no command '{}'; 'help' lists them all\n", printable(words[0]));
  return shown ? done : misused;
}

/// The parts of ids before their first slash, beginning with `prefix`: the first id of each is enough.
std::vector<std::string> types_held(session_context& context, const std::string& prefix) {
  constexpr const char* last_in_type = "/\xF4\x8F\xBF\xBF"; // the greatest character
  std::vector<std::string> types;
  for (std::string after; types.size() < types_to_offer;) {
    auto page = context.wait(context.node().list_later(prefix, after, 1)).items;
    if (page.empty())
      break;
    types.push_back(page.front().id.substr(0, page.front().id.find('/')));
    after = types.back() + last_in_type;
  }
  return types;
}

int paged_help(session_context& context, const std::vector<std::string>& words) {
  pager pages{context.to};
  return help(context.to, words);
}

completion_sources sources_of(session_context& context) {
  completion_sources sources;
  sources.ids = [&context](const std::string& prefix) {
    std::vector<std::string> ids;
    for (auto& i : context.wait(context.node().list_later(prefix, {}, ids_to_offer)).items)
      ids.push_back(i.id);
    return ids;
  };
  sources.types = [&context](const std::string& prefix) { return types_held(context, prefix); };
  sources.policies = [&context](const std::string& scope) {
    std::vector<std::string> names;
    for (auto& policy : context.wait(context.node().policies_later()))
      if (policy.scope == scope && !policy.name.empty())
        names.push_back(policy.name);
    return names;
  };
  sources.nodes = [&context] {
    std::vector<std::string> nodes;
    for (auto& n : context.wait(context.node().cluster_later()).nodes)
      nodes.push_back(n.node);
    return nodes;
  };
  sources.sockets = sockets_nearby;
  sources.regions = [&context] {
    std::vector<std::string> regions;
    for (auto& n : context.wait(context.node().cluster_later()).nodes)
      regions.push_back(n.region);
    return regions;
  };
  return sources;
}

/// Says whom one talks to. Answers the node's name; empty when it does not answer.
std::string greet(session_context& context) {
  try {
    auto report = context.wait(context.node().cluster_later());
    auto live = std::count_if(report.nodes.begin(), report.nodes.end(),
                              [](auto& n) { return n.state == "live" || n.state == "self"; });
    const auto self = printable(report.self);
    context.to.out << fmt::format("{}, {} of {} nodes live; 'help' lists the commands, Ctrl-D leaves\n", self, live,
                                  report.nodes.size());
    return self;
  } catch (const std::exception& e) {
    context.away = true;
    context.to.err << printable(e.what()) << "\n'help' lists the commands, Ctrl-D leaves\n";
    return {};
  }
}

/// `connect`: to the node behind a socket or behind the one with that number, or at an address.
int connect(session_context& context, const std::vector<std::string>& words) {
  auto nearby = sockets_nearby();
  if (words.size() != 2) {
    for (size_t i = 0; i < nearby.size(); ++i)
      context.to.out << fmt::format("  {}  {}\n", i + 1, printable(nearby[i]));
    context.to.out << "connect NUMBER, connect PATH of a socket, or connect HOST:PORT of a node elsewhere\n";
    return words.size() == 1 ? done : misused;
  }
  size_t number = 0;
  auto [end, wrong] = std::from_chars(words[1].data(), words[1].data() + words[1].size(), number);
  auto counts = wrong == std::errc{} && end == words[1].data() + words[1].size();
  if (counts && (number == 0 || number > nearby.size())) {
    context.to.err << fmt::format("there are {} sockets here; 'connect' lists them\n", nearby.size());
    return misused;
  }
  context.connect(counts ? node_place{nearby[number - 1], {}} : place_called(words[1], context.place));
  return done;
}

/// Other words for the same, as other programs have them.
std::vector<std::string> in_our_words(std::vector<std::string> given) {
  if (given.size() == 1 && (asks_for_version(given[0]) || given[0] == "version"))
    return {"--version"};
  for (auto& word : given) {
    if (word == "--")
      break;
    if (asks_for_help(word))
      word = "--help";
  }
  if (!given.empty() && given[0] == "?")
    given[0] = "help";
  return given;
}

bool is_comment(const std::string& line) {
  auto first = line.find_first_not_of(" \t");
  return first != line.npos && line[first] == '#';
}

/// True when more lines belong to this one. An apostrophe in a comment is no quote.
bool is_unfinished(const std::string& text) {
  return !is_comment(text) && goes_on(text);
}

enum class next { go_on, leave };

next run_line(session_context& context, const std::string& line, int& status) {
  if (is_comment(line))
    return next::go_on;
  std::vector<std::string> words;
  try {
    words = split_words(line);
  } catch (const usage_error& e) {
    context.to.err << printable(e.what()) << '\n';
    status = misused;
    return next::go_on;
  }
  if (words.empty())
    return next::go_on;
  if (words[0] == "quit" || words[0] == "exit")
    return next::leave;
  words = in_our_words(std::move(words));
  if (words[0] == "--version") {
    context.to.out << "gnomon " << version << '\n';
    return next::go_on;
  }
  if (words[0] == "help")
    status = paged_help(context, {words.begin() + 1, words.end()});
  else if (words[0] == "connect" && context.interactive)
    status = connect(context, words);
  else
    status = run_command(context, words);
  return next::go_on;
}

/// A node that is away is asked again before each prompt; its return is said there.
class prompts {
public:
  explicit prompts(session_context& context) : context_(context), place_(context.place.name()), name_(greet(context)) {}

  std::string next() {
    if (context_.place.name() != place_) {
      place_ = context_.place.name();
      context_.away = false;
      name_ = greet(context_);
    } else if (context_.away && answers()) {
      context_.to.out << name_ << " answers again\n";
    }
    auto name = name_.empty() ? std::string{"gnomon"} : name_;
    return context_.away ? name + " (away)> " : name + "> ";
  }

private:
  bool answers() {
    try {
      name_ = printable(context_.wait(context_.node().cluster_later()).self);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  session_context& context_;
  std::string place_, name_;
};

/// The next command, which may have several lines. Ctrl-C discards all of them.
std::optional<std::string> read_whole(editor& lines, const std::string& prompt) {
  auto text = lines.read(prompt);
  while (text && is_unfinished(*text)) {
    auto more = lines.read("... ");
    if (!more || lines.interrupted())
      return more ? more : text;
    *text += '\n' + *more;
  }
  return text;
}

int converse(session_context& context) {
  context.interactive = true;
  if (with_environment(context.place).name().empty() && sockets_nearby().size() > 1)
    connect(context, {"connect"});
  editor lines{default_history_file(), sources_of(context)};
  prompts prompt{context};
  int last = done;
  while (auto line = read_whole(lines, prompt.next())) {
    if (line->find_first_not_of(" \t") != line->npos)
      lines.remember(*line);
    if (run_line(context, *line, last) == next::leave)
      break;
  }
  return done;
}

/// Commands from a pipe or file, one a line, or more where a quote goes on; the worst status counts.
int run_script(session_context& context) {
  int worst = done;
  for (std::string line, more; context.input().next(line);) {
    while (is_unfinished(line) && context.input().next(more))
      line += '\n' + more;
    int status = done;
    auto what = run_line(context, line, status);
    worst = std::max(worst, status);
    if (what == next::leave || !context.to.out.good())
      break;
  }
  return worst;
}

/// When the reader of our output has gone, ends as other programs do. The reason is asked for anew: the stream keeps
/// none.
int leave(const terminal& to, int status) {
  to.out.flush();
  if (!to.out.good() && errno == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  if (!to.out.good()) {
    to.err << "gnomon: standard output cannot be written\n";
    return failed;
  }
  return status;
}

int dispatch(const terminal& to, const std::vector<std::string>& given) {
  auto [options, words] = split(in_our_words(given));
  if (options.has("--version")) {
    to.out << "gnomon " << version << '\n';
    return done;
  }
  if (words.empty() ? options.has("--help") : words[0] == "help") {
    if (words.size() > 1)
      return help(to, {words.begin() + 1, words.end()});
    to.out << program_help();
    return done;
  }
  client_options limits;
  if (options.has("--timeout"))
    limits.timeout = std::chrono::milliseconds{
        static_cast<int64_t>(parse_real(options.get("--timeout"), "--timeout", 0.001, 86400) * 1000)};
  // A person or script wants to know at once that there is no node.
  limits.patience = 0ms;
  session_context context{to, limits};
  context.place = place_in(options);
  context.json = options.has("--json");
  if (!words.empty()) {
    if (options.has("--help"))
      words.push_back("--help");
    return run_command(context, words);
  }
  return ::isatty(STDIN_FILENO) == 1 && to.out_is_tty ? converse(context) : run_script(context);
}

} // namespace

int run(const std::vector<std::string>& words) {
  auto to = terminal::of_process();
  try {
    return leave(to, dispatch(to, words));
  } catch (const std::exception& e) {
    to.err << "gnomon: " << printable(e.what()) << '\n';
    return dynamic_cast<const usage_error*>(&e) ? misused : failed;
  }
}

} // namespace gnomon::shell
