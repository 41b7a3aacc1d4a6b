#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/node_context.hpp"
#include "runtime/location/region_ranking.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace gnomon {

/// The node's entry for clients: sends each request to the item's shard, or to a region that may keep the item.
class router_state {
public:
  using self_pointer = router_actor::stateful_pointer<router_state>;

  router_state() = default;
  const char* name = "router";

  void start(self_pointer self, context_ptr node);
  /// Runs `begin` with the answer to the present request, which may come later.
  template <class Reply, class F>
  caf::result<Reply> answered(F begin) {
    begin(answer<Reply>{self_->make_response_promise<Reply>()});
    return caf::delegated<Reply>{};
  }
  template <class Reply, class Message>
  caf::result<Reply> to_item(const Message& request);
  caf::result<load_receipt> load(const load_item& request);
  void list(const list_items& request, answer<item_page> reply);
  void status(const std::string& id, answer<shadow_report> reply);
  void drop(const drop_shadow& request, answer<shadow_drop> reply);
  void explain_policy(const get_effective_policy& request, answer<effective_policy> reply);
  void count(const count_items& request, answer<item_count> reply);
  reads_receipt report(const report_reads& request);
  void redirect(const read_item& request, answer<item_versions> reply);
  void route(const get_route& request, answer<route_list> reply);
  std::vector<const peer_view*> to_ask_for_holders(const cluster_view& view,
                                                   const std::vector<std::string>& believed) const;
  route_list rank_routes(const get_route& request, const std::vector<std::string>& holders) const;
  std::vector<region_condition> conditions_of(const std::vector<region_site>& sites) const;
  std::pair<client_place, std::string> client_of(const get_route& request) const;
  void predict(const get_prediction& request, answer<prediction> reply);
  void forget(const forget_user& request, answer<forget_receipt> reply);
  template <class Reply, class Message>
  caf::result<Reply> to_trainer(const Message& request);
  /// Notes in the log who asks for an act of an administrator; then it goes to the region.
  template <class Message>
  const Message& audited(const Message& request) const;
  asker program_that_asks() const;
  template <class Reply, class Message>
  caf::result<Reply> act(const Message& request);
  void find(const find_actor& request, answer<found_actor> reply);
  cluster_report cluster() const;
  void run_postponed(uint64_t number);
  /// Tells the predictor of the accesses since the last time.
  void hand_over_accesses();
  self_pointer self() const {
    return self_;
  }
  const node_context& node() const {
    return *node_;
  }

private:
  /// The search for a node that serves a request. One that lacks the item does not end it.
  struct item_search {
    std::deque<std::string> nodes;                                 // still to be asked, in this order
    caf::error problem;                                            // the last one
    bool whole = false;                                            // they are all that may have the item
    size_t open = 0;                                               // nodes that were asked and have not answered yet
    std::optional<item_versions> old;                              // answer of a node that is not fresh
    std::function<void(std::optional<item_versions>)> last_resort; // when no node serves it; null: it fails
  };
  /// A search for a region that knows a user: the nodes to ask, and the regions that do not predict or did not answer.
  struct user_search {
    std::deque<std::string> nodes;
    std::string off, silent;
    bool anyone_predicts = false;
  };
  void note_access(const read_item& request);
  void note_access(const write_item& request);
  void to_agent(access_sample sample);
  /// Runs `step` once, after that time.
  void postpone(duration time, std::function<void()> step);
  /// The search for a published actor: the nodes to ask, and whether one of them did not answer.
  struct actor_search {
    find_actor request;
    std::deque<std::string> nodes = {};
    bool silent = false;
    caf::actor_clock::time_point until; // until then it begins anew while nodes are silent
  };
  void find_here(std::shared_ptr<actor_search> search, answer<found_actor> reply);
  void find_at_peers(std::shared_ptr<actor_search> search, answer<found_actor> reply);
  void not_found_at_peers(std::shared_ptr<actor_search> search, answer<found_actor> reply);
  static caf::error not_predicting();
  void ask_peers(std::shared_ptr<user_search> search, get_prediction request, answer<prediction> reply);
  static void note_refusal(user_search& search, const std::string& region, const caf::error& reason);
  caf::error unknown(const user_search& search, const std::string& user) const;
  const peer_view* next_target(const cluster_view& view, item_search& search) const;
  template <class Reply, class Message>
  void forward(std::shared_ptr<item_search> search, Message request, answer<Reply> reply);
  template <class Reply, class Message>
  void end_search(item_search& search, const answer<Reply>& reply);
  template <class Reply, class Message>
  void hedge_later(std::shared_ptr<item_search> search, Message request, answer<Reply> reply);
  /// Runs `then` with the nodes that the catalog believes to hold `id`, this one first. An error fails `reply`.
  template <class Reply, class F>
  void with_holders(const std::string& id, const answer<Reply>& reply, F then) {
    self_->request(node_->shard(id), node_->config.peer_timeout, locate_a_v, id)
        .then([then](const std::vector<std::string>& holders, bool) { then(holders); },
              [reply](const caf::error& reason) { reply.fail(reason); });
  }
  void take_read(const std::shared_ptr<item_search>& search, const read_item& request, item_versions got,
                 const answer<item_versions>& reply);
  bool prefers_others() const;
  void read_elsewhere(const read_item& request, answer<item_versions> reply);
  void serve_here(const read_item& request, answer<item_versions> reply, std::function<void(const caf::error&)> failed);
  void serve_until_moved(read_item request, const answer<item_versions>& reply);
  template <class Reply, class Message>
  void forward_near(const Message& request, answer<Reply> reply);
  /// Runs `found` with any copy of the item, without values; tombstones count as copies. Else `failed` gets not_found,
  /// or unavailable when a node that may have one does not answer.
  using copy_taker = std::function<void(const item_copy&)>;
  using error_taker = std::function<void(const caf::error&)>;
  void find_copy(const std::string& id, copy_taker found, error_taker failed);
  void ask_for_copy(const std::string& id, std::shared_ptr<item_search> search, copy_taker found, error_taker failed);
  /// Asks the item's shadow at that node.
  template <class Reply, class Message>
  void ask_at(const std::string& node, const Message& question, std::function<void(const Reply&)> done,
              error_taker failed);
  void ask_holders(const item_copy& copy, answer<shadow_report> reply);

  self_pointer self_ = nullptr;
  context_ptr node_;
  std::map<uint64_t, std::function<void()>> postponed_; // by number
  uint64_t next_postponed_ = 0;
  access_batch noted_;
};

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self, context_ptr node);

} // namespace gnomon
