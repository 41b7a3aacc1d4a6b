#include "gnomon/node.hpp"

#include "actors/node/node_context.hpp"
#include "actors/region/remote_actor.hpp"
#include "gnomon/actors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/client/client.hpp"
#include "runtime/client/client_values.hpp"
#include "runtime/node/node_process.hpp"

#include <spdlog/fmt/fmt.h>

#include <atomic>
#include <mutex>
#include <optional>

namespace gnomon {

namespace {

node_config value_or_throw(expected<node_config> config) {
  if (!config)
    raise(config.error());
  return std::move(*config);
}

} // namespace

struct node::impl {
  enum class stage { made, running, over };

  impl(node_config config, std::string source, std::vector<std::string> settings)
      : file(std::move(source)), overrides(std::move(settings)), current(config),
        process(std::make_unique<node_process>(std::move(config))) {}
  ~impl() {
    stop();
    log::scope here{lines};
    process.reset();
  }
  void must_be_new(std::string_view what) const {
    if (now != stage::made)
      throw failure{ec::precondition_failed, fmt::format("{} comes before `start`, and a node starts once", what)};
  }
  void must_run() const {
    if (now != stage::running)
      throw failure{ec::precondition_failed, now == stage::made ? "the node is not running: call `start` first"
                                                                : "the node has stopped: make a new one"};
  }
  void stop() {
    std::lock_guard lock{one_at_a_time};
    if (now.exchange(stage::over) != stage::running)
      return;
    log::scope here{lines};
    clients.close();
    process->stop();
  }

  std::string file; // empty: the config came as text
  std::vector<std::string> overrides;
  std::function<void(const log_line&)> sink;
  std::mutex one_at_a_time; // start, stop and reload
  std::atomic<stage> now{stage::made};
  log::output_ptr lines; // from `start` on; null: those of the process
  node_config current;   // as last reloaded
  std::unique_ptr<node_process> process;
  local_clients clients; // after `process`: they end first
  std::once_flag once;
  std::optional<client> own; // of the handles
};

namespace {

std::string_view name_of(log::level level) {
  switch (level) {
  case log::level::debug:
    return "debug";
  case log::level::info:
    return "info";
  case log::level::warn:
    return "warn";
  case log::level::error:
    break;
  }
  return "error";
}

/// Where the program's main has already opened the log, the node's lines go there as well.
log::output_ptr open_lines(const node_config& config, const std::function<void(const log_line&)>& sink) {
  if (sink)
    return log::open(
        [sink](log::level level, std::string_view text) {
          sink({std::string{name_of(level)}, std::string{text}});
        },
        config.log_level);
  if (auto present = log::in_use(); present || config.log_file.empty())
    return present;
  auto lines = log::open(config.log_file, config.log_level);
  if (!lines)
    throw failure{ec::bad_config, fmt::format("log.file = \"{}\" cannot be opened for writing", config.log_file)};
  return lines;
}

/// The actor itself, or one that stands for it here. A program that takes any message may ask any actor.
caf::strong_actor_ptr handle_of(const found_actor& found, const std::set<std::string>& types, const context_ptr& node,
                                caf::actor_system& system) {
  if (!types.empty() && !system.assignable({found.types.begin(), found.types.end()}, types))
    throw failure{ec::invalid_argument, fmt::format("actor '{}' at node {} takes other messages: {}", found.name,
                                                    found.node, fmt::join(found.types, ", "))};
  if (found.node != node->self.node)
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_remote_actor(system, node, found));
  if (auto here = node->actors.find(found.name))
    return here->actor;
  throw failure{ec::not_found, fmt::format("actor '{}' has just ended", found.name)};
}

} // namespace

node::node(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
node::node(node&&) noexcept = default;
node& node::operator=(node&&) noexcept = default;
node::~node() = default;

node::impl& node::state() const {
  if (!impl_)
    throw failure{ec::precondition_failed, "this node was moved away: use the one that it was moved to"};
  return *impl_;
}

node node::from_file(const std::filesystem::path& file, const std::vector<std::string>& settings) {
  return node{std::make_unique<impl>(value_or_throw(load_config(file, settings)), file, settings)};
}

node node::from_text(std::string_view toml) {
  auto config = value_or_throw(parse_config(toml, "text"));
  if (auto err = check_config(config))
    raise(err);
  return node{std::make_unique<impl>(std::move(config), std::string{}, std::vector<std::string>{})};
}

void node::log_to(std::function<void(const log_line&)> write) {
  state().must_be_new("`log_to`");
  impl_->sink = std::move(write);
}

void node::prepare(std::function<void(caf::actor_system_config&)> change) {
  state().must_be_new("`prepare`");
  impl_->process->prepare(std::move(change));
}

void node::start() {
  auto& self = state();
  std::lock_guard lock{self.one_at_a_time};
  if (self.now == impl::stage::running)
    throw failure{ec::precondition_failed, "the node is running already"};
  if (self.now == impl::stage::over)
    throw failure{ec::precondition_failed, "a node starts once: make a new one"};
  self.lines = open_lines(self.current, self.sink);
  log::scope here{self.lines};
  self.now = impl::stage::over;
  if (auto err = self.process->start())
    raise(err);
  self.now = impl::stage::running;
}

void node::stop() {
  state().stop();
}

bool node::wait(std::chrono::milliseconds bound) {
  return state().process->wait(bound);
}

bool node::running() const {
  return state().process->running();
}

const std::string& node::name() const {
  return state().process->config().name;
}

const std::string& node::region() const {
  return state().process->config().region;
}

std::string node::http_address() const {
  return state().process->http_address();
}

std::string node::dns_address() const {
  auto all = state().process->dns_addresses();
  return all.empty() ? std::string{} : to_string(all.front());
}

std::string node::tunnel_address() const {
  return state().process->tunnel_address();
}

std::filesystem::path node::socket() const {
  return state().process->config().socket_path();
}

void node::reload() {
  auto& self = state();
  std::lock_guard lock{self.one_at_a_time};
  self.must_run();
  log::scope here{self.lines};
  auto after = self.file.empty() ? self.current : value_or_throw(load_config(self.file, self.overrides));
  auto [restart, now] = changed_keys(self.current, after);
  if (auto problem = self.process->secure(after))
    raise(problem);
  if (self.lines && !log::reopen(*self.lines, after.log_file, after.log_level))
    throw failure{ec::bad_config, fmt::format("log.file = \"{}\" cannot be opened for writing", after.log_file)};
  if (auto problem = self.process->relocate(after))
    log::error("gnomond", "location-not-reloaded", {{"reason", sentence_of(problem)}});
  self.current = after;
  log::info("gnomond", "reloaded",
            {{"changed", fmt::format("{}", fmt::join(now, ","))},
             {"need_restart", fmt::format("{}", fmt::join(restart, ","))}});
}

caf::actor_system& node::system() {
  state().must_run();
  return impl_->process->system();
}

client& node::own_client() {
  state().must_run();
  std::call_once(impl_->once, [this] { impl_->own = make_client(); });
  return *impl_->own;
}

client node::make_client(client_options options) {
  return impl_->clients.make(
      system(), [context = impl_->process->context()] { return context->handles.get()->router; }, options);
}

// -- actors of programs -----------------------------------------------------------------------------------------------

void detail::node_access::publish(node& at, const std::string& name, caf::strong_actor_ptr actor,
                                  std::set<std::string> types) {
  at.state().must_run();
  if (name.empty() || !actor)
    throw failure{ec::invalid_argument, "a published actor has a name, and is not null"};
  at.impl_->process->context()->actors.add(name, {std::move(actor), std::move(types)});
}

void detail::node_access::unpublish(node& at, const std::string& name) {
  at.state().must_run();
  at.impl_->process->context()->actors.remove(name);
}

later<caf::strong_actor_ptr> detail::node_access::find(node& at, const std::string& name, std::set<std::string> types) {
  auto to = std::make_shared<pending<caf::strong_actor_ptr>>();
  auto node = at.own_client().shared();
  auto context = at.impl_->process->context();
  find_actor_later(node->port(), name).then([=](outcome<found_actor> found) {
    to->end(outcome_of([&] { return handle_of(std::move(found).get(), types, context, node->system()); }));
  });
  return later<caf::strong_actor_ptr>{to};
}

} // namespace gnomon
