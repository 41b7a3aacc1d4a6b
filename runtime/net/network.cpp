#include "runtime/net/network.hpp"

#include "actors/cluster/gate.hpp"
#include "runtime/net/dialer.hpp"
#include "runtime/net/unix_middleman.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace gnomon {
namespace {

/// Asks membership about each caller, through an actor that lives for that one question.
tunnel::greeter make_greeter(caf::actor_system& system, context_ptr node) {
  return [&system, node](node_identity caller, tunnel::answer_function answer) {
    auto membership = node->handles.get()->membership;
    if (!membership)
      return answer({reception::busy, "node " + node->self.node + " is still starting; try again", {}});
    auto ask = [=](caf::event_based_actor* self, const node_identity& who) {
      self->request(membership, node->config.peer_timeout, greet_a_v, who)
          .then([=](const greeting& verdict) { answer(verdict); },
                [=](const caf::error& reason) {
                  answer({reception::busy, sentence_of(reason), {}});
                });
    };
    system.spawn<caf::hidden>(std::move(ask), std::move(caller)); // without an argument CAF binds a null reference
  };
}

std::string bytes_of(caf::actor_system& system, caf::node_id id) {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  return sink(id) ? std::string{} : std::string{bytes.begin(), bytes.end()};
}

caf::node_id node_of(caf::actor_system& system, const std::string& bytes) {
  caf::node_id id;
  caf::binary_deserializer source{system, bytes.data(), bytes.size()};
  return source(id) ? caf::node_id{} : id;
}

} // namespace

network::network(caf::actor_system& system, std::string socket) : system_(system), socket_(std::move(socket)) {}

expected<std::unique_ptr<network>> network::start(caf::actor_system& system, context_ptr node, tunnel_config config) {
  std::unique_ptr<network> net{new network{system, config.socket}};
  config.self = node->self;
  config.caf_node = bytes_of(system, system.node());
  config.shell_came = [&system, node](const std::string& id, asker who) {
    node->shells.add(node_of(system, id), std::move(who));
  };
  config.shell_left = [&system, node](const std::string& id) { node->shells.forget(node_of(system, id)); };
  net->gate_ = system.spawn(gate, node);
  if (auto err = publish_on_socket(system, caf::actor_cast<caf::strong_actor_ptr>(net->gate_), config.socket))
    return err;
  auto dial_timeout = config.handshake_timeout;
  auto started = tunnel::start(std::move(config), make_greeter(system, std::move(node)));
  if (!started)
    return std::move(started.error());
  net->tunnel_ = std::move(*started);
  net->dialer_ = system.spawn(gnomon::dialer, net->tunnel_, dial_timeout);
  return net;
}

network::~network() {
  stop();
}

const std::string& network::address() const {
  return tunnel_->address();
}

dialer_actor network::dialer() const {
  return dialer_;
}

caf::error network::secure(tunnel_security security) {
  return tunnel_->secure(std::move(security));
}

std::map<std::string, uint64_t> network::counts() const {
  return tunnel_->counts();
}

void network::when_failed(const std::function<void(std::string_view part)>& tell) const {
  auto watch = [&](const caf::actor& part, std::string_view name) {
    part->attach_functor([tell, name](const caf::error& reason) {
      if (reason != caf::exit_reason::user_shutdown)
        tell(name);
    });
  };
  watch(caf::actor_cast<caf::actor>(gate_), "gate");
  watch(caf::actor_cast<caf::actor>(dialer_), "dialer");
}

void network::stop() {
  if (tunnel_)
    tunnel_->stop();
  unpublish_socket(system_, socket_);
  caf::anon_send_exit(std::exchange(dialer_, dialer_actor{}), caf::exit_reason::user_shutdown);
  caf::anon_send_exit(std::exchange(gate_, gate_actor{}), caf::exit_reason::user_shutdown);
}

} // namespace gnomon
