#include "tests/support/small_cluster.hpp"

#include "actors/cluster/cluster_memory.hpp"
#include "actors/feed/feed.hpp"
#include "actors/prediction/predictor.hpp"
#include "actors/prediction/prefetcher.hpp"
#include "actors/prediction/trainer.hpp"
#include "actors/region/agent.hpp"
#include "actors/region/region.hpp"
#include "actors/region/router.hpp"
#include "actors/repair/anti_entropy.hpp"
#include "actors/repair/repair.hpp"
#include "actors/shadow/collector.hpp"
#include "actors/shadow/shard.hpp"
#include "actors/shadow/store.hpp"
#include "tests/support/link_behavior.hpp"

#include <caf/all.hpp>

#include <deque>
#include <functional>

namespace gnomon::test {

namespace {

/// A link without a connection: what it is asked goes straight to the other node's region actor.
struct direct_link_state {
  std::shared_ptr<small_network> network;
  std::string from, to;
  std::deque<std::function<void()>> unanswered; // requests; each fails in time, as with a link

  template <class Self, class Message>
  caf::result<reply_of<Message>> pass(Self* self, const Message& message) {
    std::string_view name{caf::type_name_by_id<caf::type_id<Message>::value>::value};
    ++network->asked[std::string{name.substr(name.rfind(':') + 1)}];
    if (network->cut.count({from, to}) > 0)
      return make_error(ec::peer_gone, to + " is cut off");
    if (network->silent.count({from, to}) > 0) {
      auto promise = self->template make_response_promise<reply_of<Message>>();
      unanswered.push_back([promise]() mutable { promise.deliver(make_error(ec::timeout, "no answer")); });
      self->delayed_send(self, network->nodes.at(from)->config.peer_timeout, tick_a_v);
      return promise;
    }
    auto region = network->nodes.at(to)->handles.get()->region;
    return self->delegate(region, message);
  }
};

link_actor::behavior_type direct_link(link_actor::stateful_pointer<direct_link_state> self,
                                      std::shared_ptr<small_network> network, std::string from, std::string to) {
  auto& s = self->state;
  s.network = std::move(network);
  s.from = std::move(from);
  s.to = std::move(to);
  auto carry = [=, &s](const auto& message) { return s.pass(self, message); };
  auto fail_first = [&s] {
    s.unanswered.front()();
    s.unanswered.pop_front();
  };
  return link_behavior(carry, fail_first);
}

} // namespace

void small_node::stop() {
  for (auto& a : actors)
    caf::anon_send_exit(a, caf::exit_reason::kill);
  actors.clear();
  context->handles.set({});
}

void start(small_node& node, caf::actor_system& sys, const node_identity& who, settings config,
           std::shared_ptr<const clock> time) {
  auto identity = who;
  identity.incarnation = node.database->identity().incarnation;
  node.context = std::make_shared<node_context>(identity, std::move(config), std::move(time));
  node.context->holding_sequence = node.database->identity().start << 32;
  node.context->fresh_until_ms = INT64_MAX;
  if (auto memory = recall_cluster(*node.database))
    node.context->removed.set(memory->removed);
  if (auto numbers = take_catalog(*node.database))
    node.context->last_catalog = std::move(*numbers);
  auto keep = [&](const auto& handle) {
    node.actors.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  };
  node_handles handles;
  handles.stores.push_back(keep(sys.spawn(store, node.context, node.database)));
  for (size_t i = 0; i < shard_count; ++i)
    handles.shards.push_back(keep(sys.spawn(shard, node.context, i)));
  handles.anti_entropy = keep(sys.spawn(anti_entropy, node.context));
  if (node.context->config.predict) {
    handles.trainer = keep(sys.spawn(trainer, node.context));
    handles.prefetcher = keep(sys.spawn(prefetcher, node.context));
    handles.predictor = keep(sys.spawn(predictor, node.context));
  }
  handles.agent = keep(sys.spawn(agent, node.context));
  handles.feed = keep(sys.spawn(feed, node.context));
  handles.router = keep(sys.spawn(router, node.context));
  node.context->handles.set(handles);
  handles.region = keep(sys.spawn(region, node.context));
  handles.collector = keep(sys.spawn(collector, node.context));
  handles.repair = keep(sys.spawn(repair, node.context));
  node.context->handles.set(handles);
}

void connect(std::map<std::string, small_node>& nodes, caf::actor_system& sys,
             const std::shared_ptr<small_network>& network, const std::vector<std::string>& order) {
  for (const auto& name : order)
    network->nodes[name] = nodes.at(name).context;
  for (size_t i = 0; i < order.size(); ++i) {
    auto& node = nodes.at(order[i]);
    cluster_view view;
    for (size_t k = 0; k < order.size(); ++k) {
      if (k == i)
        continue;
      auto link = sys.spawn(direct_link, network, order[i], order[k]);
      node.actors.push_back(caf::actor_cast<caf::actor>(link));
      auto distance = static_cast<double>(k > i ? k - i : i - k);
      peer_view peer;
      peer.identity = nodes.at(order[k]).context->self;
      peer.state = peer_state::live;
      peer.rtt_ms = 20 * distance;
      peer.link = link;
      view.peers.push_back(std::move(peer));
    }
    std::sort(view.peers.begin(), view.peers.end(),
              [](const auto& a, const auto& b) { return a.identity.node < b.identity.node; });
    node.context->cluster.set(std::move(view));
  }
}

} // namespace gnomon::test
