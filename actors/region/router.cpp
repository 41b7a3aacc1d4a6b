#include "actors/region/router.hpp"

#include "actors/cluster/soundness.hpp"
#include "actors/node/known_nodes.hpp"
#include "actors/node/patience.hpp"
#include "actors/node/placement.hpp"
#include "actors/region/audit.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr auto own_program = "program";

caf::error not_sound() {
  return make_error(ec::bad_message, "a request with an id or versions that cannot be");
}

} // namespace

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  auto handles = [&state] { return state.node().handles.get(); };
  return {
      [&](const read_item& x) { return state.to_item<item_versions>(x); },
      [&](const write_item& x) { return state.to_item<write_receipt>(x); },
      [&](const list_items& x) { return state.answered<item_page>([&](auto to) { state.list(x, to); }); },
      [&](const create_shadow& x) { return state.to_item<shadow_plan>(x); },
      [&](const get_shadow_status& x) {
        return state.answered<shadow_report>([&](auto to) { state.status(x.id, to); });
      },
      [&](const put_policy& x) { return state.act<policy_list>(x); },
      [=](const get_policies& x) -> caf::result<policy_list> { return self->delegate(handles()->region, x); },
      [=, &state](const fetch_item& x) -> caf::result<item_copy> {
        if (!is_sound(x))
          return not_sound();
        return self->delegate(state.node().shard(x.id), fetch_item{.id = x.id, .requester = state.node().self.node});
      },
      [&](const load_item& x) { return state.load(x); },
      [=](const exchange_policies& x) -> caf::result<policy_list> {
        return self->delegate(
            handles()->region,
            exchange_policies{.entries = x.entries, .tell_peers = !x.entries.empty(), .all = x.entries.empty()});
      },
      [&](const get_route& x) { return state.answered<route_list>([&](auto to) { state.route(x, to); }); },
      [&](const get_cluster&) { return state.cluster(); },
      [&](const remove_node& x) { return state.act<node_removal>(x); },
      [&](deadline_a, uint64_t number) { state.run_postponed(number); },
      [&](const get_prediction& x) { return state.answered<prediction>([&](auto to) { state.predict(x, to); }); },
      [&](const find_actor& x) { return state.answered<found_actor>([&](auto to) { state.find(x, to); }); },
      [&](const forget_user& x) {
        state.audited(x); // before `answered` takes the sender
        return state.answered<forget_receipt>([&](auto to) { state.forget(x, to); });
      },
      [&](const train_piece& x) { return state.to_trainer<training_status>(x.number == 0 ? state.audited(x) : x); },
      [&](const get_training& x) { return state.to_trainer<training_status>(x); },
      [=](const access_batch& x) { self->send(handles()->agent, x); },
      [&](flush_a) { state.hand_over_accesses(); },
      [=](const follow_changes& x) -> caf::result<change_page> { return self->delegate(handles()->feed, x); },
      [&](const get_effective_policy& x) {
        return state.answered<effective_policy>([&](auto to) { state.explain_policy(x, to); });
      },
      [&](const list_trainings& x) { return state.to_trainer<training_list>(x); },
      [&](const report_reads& x) { return state.report(x); },
      [&](const drop_shadow& x) { return state.answered<shadow_drop>([&](auto to) { state.drop(x, to); }); },
      [&](const count_items& x) { return state.answered<item_count>([&](auto to) { state.count(x, to); }); },
      [&](const put_token& x) { return state.act<token_list>(x); },
      [&](const revoke_token& x) { return state.act<token_list>(x); },
      [=](const get_tokens& x) -> caf::result<token_list> { return self->delegate(handles()->region, x); },
  };
}

void router_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
}

template <class Message>
const Message& router_state::audited(const Message& request) const {
  auto by = program_that_asks();
  if constexpr (requires { request.by; })
    if (by.who == own_program && !request.by.who.empty())
      by = request.by;
  audit(act_of(request), by);
  return request;
}

/// Other programs cannot say who they are: the tunnel knows, or it is the user of the Unix socket. The gateway of this
/// one can.
asker router_state::program_that_asks() const {
  const auto sender = self_->current_sender();
  if (!sender || sender->node() == self_->node())
    return {own_program, "this machine"};
  if (auto shell = node_->shells.find(sender->node()))
    return *std::move(shell);
  return {"socket", "this machine"};
}

template <class Reply, class Message>
caf::result<Reply> router_state::act(const Message& request) {
  return self_->delegate(node_->handles.get()->region, audited(request));
}

// -- reads and writes

template <class Reply, class Message>
caf::result<Reply> router_state::to_item(const Message& request) {
  if (!is_sound(request))
    return not_sound();
  if (!node_->counters.rules_known)
    return node_->still_starting();
  if (node_->removed.get()->refuses(node_->self.node, node_->self.incarnation)) // what it took would be lost
    return make_error(ec::unavailable, why_removed(node_->self.node));
  if constexpr (!std::is_same_v<Message, create_shadow>)
    note_access(request);
  auto rules = node_->effective_policy(request.id, request.user);
  if (rules.allows(node_->self.region)) {
    if constexpr (std::is_same_v<Message, read_item>) {
      auto redirects = rules.routing == routing_rule::redirect && !request.client.empty();
      if (redirects || prefers_others()) {
        answer<Reply> reply{self_->make_response_promise<Reply>()};
        redirects ? redirect(request, reply) : read_elsewhere(request, reply);
        return caf::delegated<Reply>{};
      }
    }
    if constexpr (std::is_same_v<Message, create_shadow>)
      return self_->delegate(node_->shard(request.id), plan_copies(*node_, request));
    else
      return self_->delegate(node_->shard(request.id), request);
  }
  answer<Reply> reply{self_->make_response_promise<Reply>()};
  forward_near(request, reply);
  return caf::delegated<Reply>{};
}

/// While this node catches up, its copies may be old, and others can do better.
bool router_state::prefers_others() const {
  auto lapsed = node_->lapsed_at_ms.load();
  if (lapsed == 0 || node_->steady_ms() - lapsed >= node_->config.catch_up_for.count())
    return false;
  auto view = node_->cluster.get();
  return std::any_of(view->peers.begin(), view->peers.end(),
                     [](const peer_view& peer) { return peer.usable() && peer.fresh; });
}

void router_state::serve_here(const read_item& request, answer<item_versions> reply,
                              std::function<void(const caf::error&)> failed) {
  self_->request(node_->shard(request.id), node_->config.request_timeout, request)
      .then([reply](item_versions& got) { reply.give(std::move(got)); }, std::move(failed));
}

/// The copy here is to move to a region that may keep it. Until one has it, it is read here.
void router_state::serve_until_moved(read_item request, const answer<item_versions>& reply) {
  request.forwarded = true; // nobody else is asked again
  serve_here(request, reply, [reply](const caf::error&) {
    reply.fail(make_error(ec::unavailable, "the item is moving to a region that may keep it; try again"));
  });
}

/// Where the item is not here, its client is sent to the live holder that is nearest to it; when none can be named, it
/// is served here.
void router_state::redirect(const read_item& request, answer<item_versions> reply) {
  auto serve = [=, this] { serve_here(request, reply, [reply](const caf::error& reason) { reply.fail(reason); }); };
  self_->request(node_->shard(request.id), node_->config.peer_timeout, locate_a_v, request.id)
      .then(
          [=, this](const std::vector<std::string>& holders, bool) {
            get_route question;
            question.id = request.id;
            question.ip = request.client;
            auto nearest = rank_routes(question, holders).choices.front();
            auto view = node_->cluster.get();
            auto peer = view->find(nearest.node);
            auto here = std::find(holders.begin(), holders.end(), node_->self.node) != holders.end();
            if (here || !nearest.live || !nearest.holds || !peer || peer->identity.http.empty())
              return serve();
            item_versions elsewhere;
            elsewhere.id = request.id;
            elsewhere.elsewhere = peer->identity.http.front();
            reply.give(std::move(elsewhere));
          },
          [serve](const caf::error&) { serve(); });
}

/// Asks the holders that are fresh, nearest first; when none has it, what is here is the answer.
void router_state::read_elsewhere(const read_item& request, answer<item_versions> reply) {
  with_holders(request.id, reply, [=, this](const std::vector<std::string>& holders) {
    auto search = std::make_shared<item_search>();
    auto view = node_->cluster.get();
    for (const auto& node : holders)
      if (auto peer = view->find(node); peer && peer->usable() && peer->fresh)
        search->nodes.push_back(node);
    search->last_resort = [=, this](std::optional<item_versions> old) {
      serve_here(request, reply,
                 [reply, old](const caf::error& reason) { old ? reply.give(*old) : reply.fail(reason); });
    };
    forward(search, request, reply);
  });
}

// What the read index answers, the gateways report themselves.
void router_state::note_access(const read_item& request) {
  if (!request.without_values)
    to_agent({.id = request.id, .user = request.user});
}

void router_state::note_access(const write_item& request) {
  to_agent({.id = request.id, .user = request.user, .write = true});
}

/// Reads that an application answered from a cache of its own, in this region.
reads_receipt router_state::report(const report_reads& request) {
  reads_receipt receipt;
  for (const auto& read : request.reads) {
    to_agent({.id = read.id, .user = read.user, .count = read.count, .elsewhere = read.count});
    receipt.reads += read.count;
  }
  return receipt;
}

template <class Reply, class Message>
caf::result<Reply> router_state::to_trainer(const Message& request) {
  auto trainer = node_->handles.get()->trainer;
  if (!trainer)
    return not_predicting();
  return self_->delegate(trainer, request);
}

/// Together with the requests that wait already, those of one moment are one message.
void router_state::to_agent(access_sample sample) {
  if (noted_.samples.empty())
    self_->send(self_, flush_a_v);
  sample.at = node_->time->now();
  noted_.samples.push_back(std::move(sample));
}

void router_state::hand_over_accesses() {
  auto batch = std::exchange(noted_, {});
  if (auto agent = node_->handles.get()->agent)
    self_->send(agent, std::move(batch));
}

// A read may ask node after node. A write goes to one node only: a second try could store it twice.
template <class Message>
constexpr bool repeatable = !std::is_same_v<Message, write_item>;
template <class Message>
constexpr bool reads = std::is_same_v<Message, read_item>;

/// A rule keeps the item away from this region. Its holders serve the request, fresh ones before others; when none of
/// them does, any permitted region is asked.
template <class Reply, class Message>
void router_state::forward_near(const Message& request, answer<Reply> reply) {
  with_holders(request.id, reply, [=, this](const std::vector<std::string>& holders) {
    auto rules = node_->effective_policy(request.id, request.user);
    auto search = std::make_shared<item_search>();
    search->nodes.assign(holders.begin(), holders.end());
    if constexpr (reads<Message>)
      if (std::find(holders.begin(), holders.end(), node_->self.node) != holders.end())
        search->last_resort = [=, this](const std::optional<item_versions>& old) {
          old ? reply.give(*old) : serve_until_moved(request, reply);
        };
    auto view = node_->cluster.get();
    std::stable_partition(search->nodes.begin(), search->nodes.end(), [&](const std::string& node) {
      auto peer = view->find(node);
      return !peer || peer->fresh;
    });
    auto add = [&](const peer_view& peer, bool permitted) {
      if (rules.allows(peer.identity.region) == permitted
          && std::find(search->nodes.begin(), search->nodes.end(), peer.identity.node) == search->nodes.end())
        search->nodes.push_back(peer.identity.node);
    };
    for (auto peer : view->by_latency())
      add(*peer, true);
    for (const auto& peer : view->peers)
      add(peer, true);
    // An item may have begun at a node that had not heard of the rule.
    if constexpr (reads<Message>)
      for (const auto& peer : view->peers)
        add(peer, false);
    search->whole = knows_all_nodes(*node_);
    forward(search, request, reply);
  });
}

/// Takes the next node that can be asked from the search; null: there is none. Notes that others cannot be reached.
const peer_view* router_state::next_target(const cluster_view& view, item_search& search) const {
  while (!search.nodes.empty()) {
    auto node = std::move(search.nodes.front());
    search.nodes.pop_front();
    if (auto peer = view.reachable(node))
      return peer;
    if (view.find(node) || (node != node_->self.node && !node_->is_removed(node)))
      search.problem =
          make_error(ec::unavailable, "node " + node + ", which may hold the item, is not reachable; try again");
  }
  return nullptr;
}

template <class Reply, class Message>
void router_state::forward(std::shared_ptr<item_search> search, Message request, answer<Reply> reply) {
  auto view = node_->cluster.get();
  auto target = next_target(*view, *search);
  if (!target)
    return end_search<Reply, Message>(*search, reply);
  ++search->open;
  self_->request(target->link, longest_patience(node_->config, request), traffic::client, request)
      .then(
          [=, this](Reply& got) {
            --search->open;
            if constexpr (reads<Message>)
              take_read(search, request, std::move(got), reply);
            else
              reply.give(std::move(got));
          },
          [=, this](const caf::error& reason) {
            --search->open;
            auto code = code_of(reason);
            if (!repeatable<Message> || code == ec::gone || code == ec::not_found)
              return reply.fail(reason);
            if (code != ec::not_here)
              search->problem = reason;
            forward(search, request, reply);
          });
  if (repeatable<Message> && (!search->nodes.empty() || search->old))
    hedge_later(search, request, reply);
}

/// No node is left to ask. If one has not answered yet, its answer decides.
template <class Reply, class Message>
void router_state::end_search(item_search& search, const answer<Reply>& reply) {
  if (search.open > 0 || reply.given())
    return;
  if (search.last_resort)
    return search.last_resort(search.old);
  if constexpr (reads<Message>)
    if (search.old)
      return reply.give(*search.old);
  if (search.problem)
    return reply.fail(search.problem);
  if (!repeatable<Message> || !search.whole)
    return reply.fail(make_error(ec::unavailable, "no region that may keep the item is reachable; try again"));
  reply.fail(make_error(ec::not_found, "no region that may keep the item has it"));
}

/// A node that takes long may be frozen. If there is no answer by then, the next one is asked as well, and the first
/// answer counts. Where no node is left, an old answer is given.
template <class Reply, class Message>
void router_state::hedge_later(std::shared_ptr<item_search> search, Message request, answer<Reply> reply) {
  postpone(node_->config.hedge_after, [=, this] {
    if (reply.given() || search->open == 0)
      return;
    if (!search->nodes.empty())
      return forward(search, request, reply);
    if constexpr (reads<Message>)
      if (search->old)
        reply.give(*search->old);
  });
}

/// What may be old is the answer only where no other region has the item.
void router_state::take_read(const std::shared_ptr<item_search>& search, const read_item& request, item_versions got,
                             const answer<item_versions>& reply) {
  got.copy = copy_kind::remote;
  if (!got.stale)
    return reply.give(std::move(got));
  search->old = std::move(got);
  forward(search, request, reply);
}

void router_state::postpone(duration time, std::function<void()> step) {
  postponed_.emplace(next_postponed_, std::move(step));
  self_->delayed_send(self_, time, deadline_a_v, next_postponed_++);
}

void router_state::run_postponed(uint64_t number) {
  auto entry = postponed_.extract(number);
  if (entry)
    entry.mapped()();
}

/// What a rule keeps away from this region is loaded at a node that may have it.
caf::result<load_receipt> router_state::load(const load_item& request) {
  if (!node_->counters.rules_known)
    return node_->still_starting();
  if (!is_sound(request))
    return not_sound();
  return self_->delegate(node_->shard(request.copy.id), request);
}

} // namespace gnomon
