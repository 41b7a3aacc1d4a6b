#include "gnomon/node.hpp"

#include "actors/node/node_context.hpp"
#include "runtime/base/log.hpp"
#include "runtime/client/client.hpp"
#include "runtime/client/client_values.hpp"
#include "runtime/node/node_process.hpp"

#include <spdlog/fmt/fmt.h>

#include <mutex>

namespace gnomon {

namespace {

node_config value_or_throw(expected<node_config> config) {
  if (!config)
    raise(config.error());
  return std::move(*config);
}

} // namespace

struct node::impl {
  impl(node_config config, std::string source, std::vector<std::string> settings)
      : file(std::move(source)), overrides(std::move(settings)), current(config), process(std::move(config)) {}

  std::string file; // empty: the config came as text
  std::vector<std::string> overrides;
  std::mutex one_at_a_time; // start, stop and reload
  node_config current;      // as last reloaded
  node_process process;
  local_clients clients; // after `process`: they end first
};

node::node(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
node::node(node&&) noexcept = default;
node& node::operator=(node&&) noexcept = default;
node::~node() = default;

node node::from_file(const std::filesystem::path& file, const std::vector<std::string>& settings) {
  return node{std::make_unique<impl>(value_or_throw(load_config(file, settings)), file, settings)};
}

node node::from_text(std::string_view toml) {
  auto config = value_or_throw(parse_config(toml, "text"));
  if (auto err = check_config(config))
    raise(err);
  return node{std::make_unique<impl>(std::move(config), std::string{}, std::vector<std::string>{})};
}

void node::start() {
  std::lock_guard lock{impl_->one_at_a_time};
  if (auto err = impl_->process.start())
    raise(err);
}

void node::stop() {
  std::lock_guard lock{impl_->one_at_a_time};
  impl_->clients.close();
  impl_->process.stop();
}

bool node::wait(std::chrono::milliseconds bound) {
  return impl_->process.wait(bound);
}

bool node::running() const {
  return impl_->process.running();
}

const std::string& node::name() const {
  return impl_->process.config().name;
}

const std::string& node::region() const {
  return impl_->process.config().region;
}

std::string node::http_address() const {
  return impl_->process.http_address();
}

std::string node::dns_address() const {
  auto all = impl_->process.dns_addresses();
  return all.empty() ? std::string{} : to_string(all.front());
}

std::string node::tunnel_address() const {
  return impl_->process.tunnel_address();
}

std::filesystem::path node::socket() const {
  return impl_->process.config().socket_path();
}

void node::reload() {
  std::lock_guard lock{impl_->one_at_a_time};
  auto after = impl_->file.empty() ? impl_->current : value_or_throw(load_config(impl_->file, impl_->overrides));
  auto [restart, now] = changed_keys(impl_->current, after);
  if (!log::start(after.log_file, after.log_level))
    throw failure{ec::bad_config, fmt::format("log.file = \"{}\" cannot be opened for writing", after.log_file)};
  if (auto problem = impl_->process.relocate(after))
    log::error("gnomond", "location-not-reloaded", {{"reason", sentence_of(problem)}});
  impl_->current = after;
  log::info("gnomond", "reloaded",
            {{"changed", fmt::format("{}", fmt::join(now, ","))},
             {"need_restart", fmt::format("{}", fmt::join(restart, ","))}});
}

caf::actor_system& node::system() {
  return impl_->process.system();
}

client node::make_client(client_options options) {
  return impl_->clients.make(
      system(), [context = impl_->process.context()] { return context->handles.get()->router; }, options);
}

} // namespace gnomon
