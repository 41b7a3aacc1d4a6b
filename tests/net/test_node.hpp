#pragma once

#include "actors/cluster/membership.hpp"
#include "runtime/net/network.hpp"
#include "runtime/net/unix_middleman.hpp"
#include "tests/net/eventually.hpp"
#include "tests/support/fake_region.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/io/all.hpp>

#include <map>

/// Nodes of one process, each with an actor system, a tunnel and a membership of its own, and a region that is not
/// real.
namespace gnomon::test {

struct test_config : caf::actor_system_config {
  test_config() {
    register_messages(*this);
    load_middleman(*this);
    set("scheduler.max-threads", size_t{2});
  }
};

inline settings quick_settings() {
  settings s;
  s.heartbeat = 100ms;
  s.suspect_after = 500ms;
  s.down_after = sanitizer_slowdown > 1 ? 8s : 2s;
  s.link_queue_bytes = 32u << 20;
  return s;
}

class test_node {
public:
  test_node(node_identity who, std::vector<std::string> seeds, std::map<std::string, duration> delays,
            const std::string& socket)
      : system(config) {
    tunnel_config way;
    way.listen = who.address;
    way.socket = socket;
    way.delays = std::move(delays);
    context = std::make_shared<node_context>(std::move(who), quick_settings(), std::make_shared<scaled_clock>());
    auto started = network::start(system, context, way);
    if (!started)
      throw std::runtime_error(sentence_of(started.error()));
    net = std::move(*started);
    node_handles handles;
    handles.region = system.spawn(fake_region);
    handles.membership = system.spawn(membership, context, membership_config{std::move(seeds), net->dialer()});
    context->handles.set(handles);
  }

  ~test_node() {
    net->stop();
    auto handles = context->handles.get();
    caf::anon_send_exit(handles->membership, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(handles->region, caf::exit_reason::user_shutdown);
    context->handles.set({});
    context->cluster.set({});
  }

  const std::string& address() const {
    return context->self.address;
  }

  link_actor link_to(const std::string& node) const {
    auto view = context->cluster.get();
    auto peer = view->find(node);
    return peer == nullptr ? link_actor{} : peer->link;
  }

  double rtt_to(const std::string& node) const {
    auto view = context->cluster.get();
    return view->find(node) == nullptr ? -1 : view->find(node)->rtt_ms;
  }

  size_t live_peers() const {
    auto view = context->cluster.get();
    return static_cast<size_t>(
        std::count_if(view->peers.begin(), view->peers.end(), [](auto& p) { return p.state == peer_state::live; }));
  }

  /// Waits until the seeds have answered; the sentence of a refusal, or nothing.
  std::string join() {
    std::string sentence;
    caf::scoped_actor self{system, true};
    self->request(context->handles.get()->membership, 10s, join_a_v)
        .receive([](uint32_t) {}, [&](const caf::error& reason) { sentence = sentence_of(reason); });
    return sentence;
  }

  test_config config;
  caf::actor_system system;
  context_ptr context;
  std::unique_ptr<network> net;
};

class test_cluster {
public:
  /// The region is called after the node unless it is given.
  test_node& start(const std::string& name, std::vector<std::string> seeds = {}, std::string region = {},
                   std::map<std::string, duration> delays = {}) {
    node_identity who{
        "test", name, region.empty() ? "region-" + name : region, free_address(), random_u64(), random_u64(), 0, 0};
    auto socket = folder_ / (std::to_string(++count_) + ".sock");
    auto& slot = nodes_[name];
    slot = std::make_unique<test_node>(std::move(who), std::move(seeds), std::move(delays), socket);
    return *slot;
  }

  void stop(const std::string& name) {
    nodes_.erase(name);
  }

  /// The node goes on, but its name may be started again.
  void forget(const std::string& name) {
    nodes_["forgotten " + name] = std::move(nodes_[name]);
  }

private:
  // A port that was free a moment ago: nodes must know their address before they listen.
  static std::string free_address() {
    tunnel_config probe;
    probe.self.cluster = "probe";
    auto taken = tunnel::start(probe, [](node_identity, tunnel::answer_function) {});
    return (*taken)->address();
  }

  temporary_directory folder_;
  std::map<std::string, std::unique_ptr<test_node>> nodes_;
  int count_ = 0;
};

} // namespace gnomon::test
