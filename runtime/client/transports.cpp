#include "runtime/client/transports.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/net/dialer.hpp"
#include "runtime/net/unix_middleman.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

constexpr auto connect_timeout = std::chrono::seconds{3};
constexpr auto nothing = "-"; // what only nodes have, see preamble.hpp

using explanation = std::function<caf::error(const caf::error&)>;

/// Asks the gate for the router.
void greet_gate(session_actor::pointer self, const gate_actor& gate, const session_transport::answer& done,
                const explanation& explain) {
  self->request(gate, connect_timeout, hello_client{"client", 1})
      .then([done](const client_welcome& welcome) { done(welcome.router); },
            [=](const caf::error& reason) { done(explain(reason)); });
}

class socket_transport final : public session_transport {
public:
  explicit socket_transport(std::string path) : path_(std::move(path)) {}

  void connect(session_actor::pointer self, answer done) override {
    auto fd = connect_to_socket(path_);
    if (!fd) {
      done(explain(fd.error()));
      return;
    }
    self->request(basp_broker_of(self->system()), connect_timeout, begin_session(self->system(), *fd))
        .then([this, self,
               done](const caf::node_id&, const caf::strong_actor_ptr& published,
                     const std::set<std::string>&) { greet(self, caf::actor_cast<gate_actor>(published), done); },
              [this, done](const caf::error& reason) { done(explain(reason)); });
  }

private:
  void greet(session_actor::pointer self, const gate_actor& gate, const answer& done) {
    if (!gate)
      done(make_error(ec::unavailable, fmt::format("the process behind '{}' is not a gnomon node", path_)));
    else
      greet_gate(self, gate, done, [this](const caf::error& reason) { return explain(reason); });
  }

  caf::error explain(const caf::error& reason) const {
    if (code_of(reason) == ec::timeout)
      return make_error(ec::unavailable, fmt::format("the node behind '{}' does not answer: is it frozen?", path_));
    return make_error(ec::unavailable,
                      fmt::format("{}; is gnomond running, and is this its socket?", sentence_of(reason)));
  }

  std::string path_;
};

/// Calls as nodes call each other, through a tunnel that nobody can call. Each connect begins with a new one, so that
/// it shows the certificate that is in the files then.
class tunnel_transport final : public session_transport {
public:
  explicit tunnel_transport(remote_node where) : where_(std::move(where)) {}
  ~tunnel_transport() override {
    hang_up();
  }

  void connect(session_actor::pointer self, answer done) override {
    hang_up();
    if (auto problem = open_way(self->system()))
      return done(std::move(problem));
    self->request(dialer_, 3 * connect_timeout, dial_a_v, where_.address)
        .then([this, self, done](const dial_result& found) { greet(self, found, done); },
              [this, done](const caf::error& reason) { done(explain(reason)); });
  }

private:
  caf::error open_way(caf::actor_system& system) {
    auto ours = credentials::of_shell({where_.certificate.string(), where_.key.string(), where_.authorities.string()});
    if (!ours)
      return std::move(ours.error());
    tunnel_config config;
    config.listen.clear();
    config.self.cluster = config.self.region = config.self.address = nothing;
    config.self.node = (*ours)->own().shells.front();
    config.self.start = program_;
    config.security = {std::move(*ours), false};
    auto started = tunnel::start(std::move(config), {});
    if (!started)
      return std::move(started.error());
    way_ = std::move(*started);
    dialer_ = system.spawn<caf::hidden>(dialer, way_, connect_timeout);
    return {};
  }

  /// Its thread ends before the dialer can: else that might have to wait for itself.
  void hang_up() {
    if (way_)
      way_->stop();
    way_.reset();
    if (dialer_)
      caf::anon_send_exit(std::exchange(dialer_, nullptr), caf::exit_reason::user_shutdown);
  }

  void greet(session_actor::pointer self, const dial_result& found, const answer& done) {
    if (found.answer.verdict != reception::welcome)
      done(make_error(ec::rejected, fmt::format("the node at {} says: {}", where_.address, found.answer.sentence)));
    else
      greet_gate(self, found.gate, done, [this](const caf::error& reason) { return explain(reason); });
  }

  caf::error explain(const caf::error& reason) const {
    if (code_of(reason) == ec::timeout)
      return make_error(ec::unavailable, fmt::format("the node at {} does not answer", where_.address));
    return make_error(ec::unavailable, sentence_of(reason));
  }

  const uint64_t program_ = random_u64(); // the same at each connect, so that the node ends the one before
  remote_node where_;
  std::shared_ptr<tunnel> way_;
  dialer_actor dialer_;
};

} // namespace

std::shared_ptr<session_transport> to_socket(std::string path) {
  return std::make_shared<socket_transport>(std::move(path));
}

std::shared_ptr<session_transport> to_tunnel(remote_node where) {
  return std::make_shared<tunnel_transport>(std::move(where));
}

} // namespace gnomon
