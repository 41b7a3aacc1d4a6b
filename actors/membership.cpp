#include "actors/membership.hpp"

#include "actors/link.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {
namespace {

using std::chrono::duration_cast;

double milliseconds_between(membership_state::time_point from, membership_state::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// RFC 6298, section 2: the smoothed round trip moves an eighth of the way to each new one.
double smoothed(double old, double sample) {
  return old < 0 ? sample : old + (sample - old) / 8;
}

} // namespace

membership_state::~membership_state() {
  for (auto& entry : peers_)
    caf::anon_send_exit(entry.second.link, caf::exit_reason::user_shutdown);
  for (auto& promise : joins_)
    promise.deliver(make_error(ec::unavailable, "the node stops"));
}

void membership_state::start(self_pointer me, context_ptr owner, membership_config settings) {
  self_ = me;
  node_ = std::move(owner);
  config_ = std::move(settings);
  last_tick_ = now();
  for (auto& seed : config_.seeds)
    contacts_[seed].seed = true;
  contacts_.erase(node_->self.address);
  self_->set_down_handler([this](const caf::down_msg& down) { link_ended(down.source); });
  tick();
}

// -- who may come in
// ----------------------------------------------------------------------------------------------------

/// Why `who` cannot be in this cluster beside the nodes that are known; empty when it can. A node whose connection is
/// lost does not stand in the way of its successor, nor does what listened at the same address before.
std::string membership_state::conflict(const node_identity& who) const {
  if (who.cluster != node_->self.cluster)
    return "node " + node_->self.node + " at " + node_->self.address + " belongs to cluster '" + node_->self.cluster
           + "', not '" + who.cluster + "'; check the seeds and the cluster's name";
  auto name_taken = [&](const node_identity& known) {
    return "the name " + who.node + " is taken by the node at " + known.address + "; give every node its own name";
  };
  if (who.node == node_->self.node)
    return who.start == node_->self.start ? "" : name_taken(node_->self);
  auto against = [&](const node_identity& known) -> std::string {
    if (who.node == known.node && who.start != known.start && who.address != known.address)
      return name_taken(known);
    if (who.node != known.node && who.region == known.region)
      return "region " + who.region + " already has node " + known.node + " at " + known.address
             + "; one node a region";
    return {};
  };
  if (auto reason = against(node_->self); !reason.empty())
    return reason;
  for (auto& [name, p] : peers_)
    if (p.connected || p.state == peer_state::unknown)
      if (auto reason = against(p.identity); !reason.empty())
        return reason;
  return {};
}

greeting membership_state::greet(const node_identity& caller) {
  auto answer = [&](reception verdict, std::string sentence) {
    return greeting{verdict, std::move(sentence), node_->self};
  };
  if (caller.node == node_->self.node && caller.start == node_->self.start)
    return answer(reception::call_back, "this is the caller itself");
  if (auto reason = conflict(caller); !reason.empty()) {
    log::warn("membership", "refused", {{"node", caller.node}, {"address", caller.address}, {"reason", reason}});
    return answer(reception::refused, reason);
  }
  if (learn(caller, true) == nullptr)
    return answer(reception::refused, "the cluster has as many nodes as it can");
  if (node_->self.node > caller.node)
    return answer(reception::welcome, {});
  contacts_[caller.address].next = now();
  dial_due();
  return answer(reception::call_back, "node " + node_->self.node + " dials, because its name is smaller");
}

caf::result<hello> membership_state::admit(const hello& theirs) {
  auto reason = conflict(theirs.from);
  auto p = reason.empty() ? learn(theirs.from, true) : nullptr;
  if (p == nullptr || node_->self.node <= theirs.from.node)
    return make_error(ec::rejected, reason.empty() ? "only the node with the smaller name dials" : reason);
  connected(*p);
  return self_->delegate(p->link, theirs);
}

/// The entry of `who`, made when there is none. What is told at first hand replaces what was known; gossip only adds.
membership_state::peer* membership_state::learn(const node_identity& who, bool first_hand) {
  if (who.node == node_->self.node || who.node.empty() || who.cluster != node_->self.cluster)
    return nullptr;
  auto i = peers_.find(who.node);
  if (i == peers_.end()) {
    if (peers_.size() + 1 >= config_.max_nodes || (!first_hand && !conflict(who).empty()))
      return nullptr;
    i = peers_.emplace(who.node, peer{}).first;
    auto& p = i->second;
    p.identity = who;
    p.heard = now();
    p.link = self_->spawn(link, node_, link_config{who.node, membership_actor{self_}});
    self_->monitor(p.link);
    contacts_[who.address];
    log::info("membership", "learned", {{"node", who.node}, {"region", who.region}, {"address", who.address}});
    publish();
  } else if (first_hand || (!i->second.connected && who.start != i->second.identity.start)) {
    if (who.start != i->second.identity.start)
      disconnect(i->second); // the process that we knew is gone
    i->second.identity = who;
    contacts_[who.address];
  }
  return &i->second;
}

// -- reaching out
// -------------------------------------------------------------------------------------------------------

void membership_state::dial_due() {
  std::map<std::string, const peer*> by_address;
  for (auto& [name, p] : peers_)
    by_address.emplace(p.identity.address, &p);
  auto t = now();
  for (auto i = contacts_.begin(); i != contacts_.end();) {
    auto& [address, c] = *i;
    auto known = by_address.find(address);
    auto wanted = known != by_address.end() ? !known->second->connected : c.seed && !c.own;
    if (known == by_address.end() && !c.seed && !c.dialing) {
      i = contacts_.erase(i); // where a peer once was
      continue;
    }
    if (wanted && !c.dialing && c.next <= t)
      dial(address);
    ++i;
  }
}

void membership_state::dial(const std::string& address) {
  contacts_[address].dialing = true;
  self_->request(config_.dialer, config_.dial_timeout, dial_a_v, address)
      .then([this, address](const dial_result& result) { dialed(address, result); },
            [this, address](const caf::error& reason) { dial_failed(address, reason); });
}

void membership_state::dialed(const std::string& address, const dial_result& result) {
  auto& c = contacts_[address];
  auto& from = result.answer.from;
  c.own = from.node == node_->self.node && from.start == node_->self.start;
  switch (result.answer.verdict) {
  case reception::welcome:
    return open_session(address, result);
  case reception::call_back:
    learn(from, true);
    c.reached = c.tried = true;
    break;
  case reception::refused:
    c.tried = true;
    refused(result.answer.sentence);
    break;
  case reception::busy:
    break;
  }
  later(c);
  answer_joins();
}

void membership_state::open_session(const std::string& address, const dial_result& result) {
  auto reason = conflict(result.answer.from);
  auto p = reason.empty() ? learn(result.answer.from, true) : nullptr;
  if (p == nullptr) {
    self_->send(config_.dialer, hang_up_a_v, address);
    return dial_failed(address, make_error(ec::rejected, reason.empty() ? "that node cannot be a peer" : reason));
  }
  self_->request(p->link, config_.dial_timeout, open_a_v, result.gate)
      .then(
          [this, address](const node_identity& who) {
            auto& c = contacts_[address];
            c.dialing = false;
            c.reached = c.tried = true;
            c.backoff = {};
            if (auto found = learn(who, true))
              connected(*found);
            answer_joins();
          },
          [this, address](const caf::error& failure) {
            self_->send(config_.dialer, hang_up_a_v, address);
            dial_failed(address, failure);
          });
}

void membership_state::dial_failed(const std::string& address, const caf::error& reason) {
  auto& c = contacts_[address];
  if (c.backoff < config_.backoff_last) // the same again and again is no news
    log::info("membership", "dial-failed", {{"address", address}, {"reason", sentence_of(reason)}});
  c.tried = true;
  if (code_of(reason) == ec::rejected)
    refused(sentence_of(reason));
  later(c);
  answer_joins();
}

void membership_state::later(contact& c) {
  c.dialing = false;
  c.backoff = std::clamp(c.backoff * 2, config_.backoff_first, config_.backoff_last);
  c.next = now() + c.backoff;
}

void membership_state::connected(peer& p) {
  auto back = p.state == peer_state::down;
  p.connected = true;
  p.state = peer_state::live;
  p.heard = now();
  log::info("membership", back ? "back" : "connected", {{"node", p.identity.node}, {"region", p.identity.region}});
  send_ping(p);
  publish();
}

void membership_state::disconnect(peer& p) {
  if (!std::exchange(p.connected, false))
    return;
  self_->send(p.link, hang_up_a_v);
  self_->send(config_.dialer, hang_up_a_v, p.identity.address);
  auto& c = contacts_[p.identity.address];
  c.backoff = {};
  later(c);
}

void membership_state::lost(const session_lost& what) {
  auto p = find(what.node);
  if (p == nullptr || !p->connected)
    return;
  log::warn("membership", "connection-lost", {{"node", what.node}, {"reason", what.reason}});
  disconnect(*p);
  p->state = peer_state::suspect;
  publish();
}

/// A link is there as long as its peer is known: one that failed gets a successor.
void membership_state::link_ended(const caf::actor_addr& link_address) {
  for (auto& [name, p] : peers_) {
    if (p.link.address() != link_address)
      continue;
    log::error("membership", "link-failed", {{"node", name}});
    p.link = self_->spawn(link, node_, link_config{name, membership_actor{self_}});
    self_->monitor(p.link);
    disconnect(p);
    return publish();
  }
}

void membership_state::refused(const std::string& sentence) {
  if (std::exchange(refusal_, sentence) != sentence)
    log::error("membership", "refused-by-peer", {{"reason", sentence}});
}

caf::result<uint32_t> membership_state::join() {
  joins_.push_back(self_->make_response_promise<uint32_t>());
  auto promise = joins_.back();
  answer_joins();
  return promise;
}

bool membership_state::knows_seeds() const {
  auto settled = [](auto& entry) { return !entry.second.seed || entry.second.own || entry.second.tried; };
  return std::all_of(contacts_.begin(), contacts_.end(), settled);
}

void membership_state::answer_joins() {
  if (!knows_seeds() && refusal_.empty())
    return;
  auto reached = std::count_if(contacts_.begin(), contacts_.end(),
                               [](auto& entry) { return entry.second.seed && entry.second.reached; });
  for (auto& promise : std::exchange(joins_, {})) {
    if (refusal_.empty())
      promise.deliver(static_cast<uint32_t>(reached));
    else
      promise.deliver(make_error(ec::rejected, refusal_));
  }
}

// -- heartbeat
// ----------------------------------------------------------------------------------------------------------

void membership_state::tick() {
  self_->delayed_send(self_, node_->config.heartbeat, tick_a_v);
  auto t = now();
  // A node that was itself stopped for a while has heard nobody, which says nothing about the others.
  auto overslept = t - last_tick_ - 2 * node_->config.heartbeat;
  if (overslept > caf::actor_clock::duration_type::zero())
    for (auto& [name, p] : peers_)
      p.heard += overslept;
  last_tick_ = t;
  for (auto& [name, p] : peers_)
    if (p.connected)
      send_ping(p);
  judge(t);
  dial_due();
  renew_freshness(t);
  publish();
}

ping membership_state::facts() const {
  ping out;
  out.from = node_->self;
  for (auto& [name, p] : peers_)
    if (p.state == peer_state::live || p.state == peer_state::suspect)
      out.known.push_back(p.identity);
  auto& counters = node_->counters;
  out.catalog_generation = counters.catalog_generation;
  for (auto& head : counters.catalog_heads)
    out.catalog_heads.push_back(head.load());
  out.items = counters.items;
  out.leases = counters.leases;
  out.bytes = counters.bytes;
  return out;
}

pong membership_state::answer(const ping& theirs) {
  heard(theirs.from.node, theirs, {});
  return {facts()};
}

void membership_state::send_ping(peer& to) {
  auto sent = now();
  self_->request(to.link, node_->config.down_after, traffic::client, facts())
      .then(
          [this, sent, name = to.identity.node](const pong& answer) {
            if (auto p = find(name))
              p->rtt_ms = smoothed(p->rtt_ms, milliseconds_between(sent, now()));
            heard(name, answer.facts, sent);
            renew_freshness(now());
          },
          [](const caf::error&) {
            // silence is judged by its length
          });
}

/// `proven`: when the question was sent that these facts answer; a ping answers none.
void membership_state::heard(const std::string& node, const ping& facts, time_point proven) {
  auto p = find(node);
  if (p == nullptr || !p->connected)
    return;
  p->heard = now();
  p->proven = std::max(p->proven, proven);
  p->items = facts.items;
  p->leases = facts.leases;
  p->bytes = facts.bytes;
  if (std::exchange(p->state, peer_state::live) != peer_state::live)
    publish();
  for (auto& other : facts.known)
    learn(other, false);
  if (auto region = node_->handles.get()->region)
    self_->send(region, facts);
}

void membership_state::judge(time_point t) {
  for (auto& [name, p] : peers_) {
    auto silence = t - p.heard;
    if (p.state != peer_state::down && silence >= node_->config.down_after) {
      log::warn("membership", "down", {{"node", name}, {"region", p.identity.region}});
      p.state = peer_state::down;
      disconnect(p);
    } else if (p.state == peer_state::live && silence >= node_->config.suspect_after) {
      p.state = peer_state::suspect;
    }
  }
}

/// The node is current as long as a majority of all nodes, itself included, answered a ping that was sent less than
/// `fresh_for` ago. Pings that arrive prove nothing: they may have waited while this process was frozen.
void membership_state::renew_freshness(time_point t) {
  auto needed = (peers_.size() + 1) / 2;
  if (needed == 0) { // alone; but there may be others as long as a seed was not tried
    node_->fresh_until_ms = knows_seeds() ? std::numeric_limits<int64_t>::max() : 0;
    return;
  }
  std::vector<time_point> proofs;
  for (auto& [name, p] : peers_)
    proofs.push_back(p.proven);
  std::nth_element(proofs.begin(), proofs.begin() + static_cast<ptrdiff_t>(needed - 1), proofs.end(), std::greater<>{});
  auto until = proofs[needed - 1] + node_->config.fresh_for;
  auto left = duration_cast<duration>(until - t).count();
  node_->fresh_until_ms = proofs[needed - 1] == time_point{} ? 0 : node_->steady_ms() + left;
}

void membership_state::publish() {
  cluster_view view;
  for (auto& [name, p] : peers_)
    view.peers.push_back({p.identity, p.state, p.rtt_ms, p.link, p.items, p.leases, p.bytes});
  node_->cluster.set(std::move(view));
}

membership_state::peer* membership_state::find(const std::string& node) {
  auto i = peers_.find(node);
  return i == peers_.end() ? nullptr : &i->second;
}

membership_state::time_point membership_state::now() const {
  return self_->clock().now();
}

// -- the actor
// ----------------------------------------------------------------------------------------------------------

membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self, context_ptr node,
                                           membership_config config) {
  self->state.start(self, std::move(node), std::move(config));
  return {
      [self](const ping& theirs) { return self->state.answer(theirs); },
      [self](greet_a, const node_identity& caller) { return self->state.greet(caller); },
      [self](const hello& theirs) { return self->state.admit(theirs); },
      [self](const session_lost& what) { self->state.lost(what); },
      [self](join_a) { return self->state.join(); },
      [self](tick_a) { self->state.tick(); },
  };
}

} // namespace gnomon
