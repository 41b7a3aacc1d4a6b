#include "actors/cluster/membership.hpp"

#include "actors/cluster/link.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <set>

namespace gnomon {
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
  for (auto& address : config_.met)
    if (auto i = contacts_.find(address); i != contacts_.end())
      i->second.met = true;
  contacts_.erase(node_->self.address);
  for (auto& who : config_.known)
    learn(who, told::by_others);
  notice_lapse();
  self_->set_down_handler([this](const caf::down_msg& down) { link_ended(down.source); });
  tick();
}

// -- who may come in -------------------------------------------------------------------------------------------------

/// Why `who` cannot be in this cluster beside the nodes that are known; empty when it can. A node whose connection is
/// lost is no obstacle to its successor. A node that listened at the same address before is none either.
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
  if (node_->removed.get()->refuses(who.node, who.incarnation))
    return why_removed(who.node);
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
    auto removed = node_->removed.get()->refuses(caller.node, caller.incarnation);
    return answer(removed ? reception::removed : reception::refused, reason);
  }
  if (learn(caller, told::first_hand) == nullptr)
    return answer(reception::refused, "the cluster has as many nodes as it can");
  if (node_->self.node > caller.node) {
    contacts_[caller.address].next = now() + config_.dial_timeout; // its session is on the way
    return answer(reception::welcome, {});
  }
  contacts_[caller.address].next = now();
  dial_due();
  return answer(reception::call_back, "node " + node_->self.node + " dials, because its name is smaller");
}

caf::result<hello> membership_state::admit(const hello& theirs) {
  auto reason = conflict(theirs.from);
  auto p = reason.empty() ? learn(theirs.from, told::first_hand) : nullptr;
  if (p == nullptr || node_->self.node <= theirs.from.node)
    return make_error(ec::rejected, reason.empty() ? "only the node with the smaller name dials" : reason);
  connected(*p);
  return self_->delegate(p->link, theirs);
}

/// The entry of `who`, made when there is none. What is told at first hand replaces what was known; gossip only adds.
membership_state::peer* membership_state::learn(const node_identity& who, told how) {
  if (who.node == node_->self.node || who.node.empty() || who.cluster != node_->self.cluster
      || node_->removed.get()->refuses(who.node, who.incarnation))
    return nullptr;
  auto i = peers_.find(who.node);
  if (i == peers_.end()) {
    if (peers_.size() + 1 >= config_.max_nodes || (how == told::by_others && !conflict(who).empty()))
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
  } else if (how == told::first_hand || (!i->second.connected && who.start != i->second.identity.start)) {
    if (who.start != i->second.identity.start)
      disconnect(i->second); // the process that we knew is gone
    i->second.identity = who;
    contacts_[who.address];
  }
  return &i->second;
}

// -- reaching out ----------------------------------------------------------------------------------------------------

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
    learn(from, told::first_hand);
    c.reached = c.tried = true;
    break;
  case reception::removed:
    node_->removed.update([&](removed_nodes& all) { all.add({node_->self.node, node_->self.incarnation}); });
    [[fallthrough]];
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
  auto p = reason.empty() ? learn(result.answer.from, told::first_hand) : nullptr;
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
            if (auto found = learn(who, told::first_hand))
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
  p.away_since_ms = 0;
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

size_t membership_state::unmet_seeds() const {
  std::set<std::string> met;
  for (auto& [name, p] : peers_)
    met.insert(p.identity.address);
  auto unmet = [&](auto& entry) {
    auto& [address, c] = entry;
    return c.seed && !c.own && !c.met && !c.reached && !met.count(address);
  };
  return static_cast<size_t>(std::count_if(contacts_.begin(), contacts_.end(), unmet));
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

membership_state::peer* membership_state::find(const std::string& node) {
  auto i = peers_.find(node);
  return i == peers_.end() ? nullptr : &i->second;
}

membership_state::time_point membership_state::now() const {
  return self_->clock().now();
}

// -- the actor -------------------------------------------------------------------------------------------------------

membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self, context_ptr node,
                                           membership_config config) {
  self->state.start(self, std::move(node), std::move(config));
  return {
      [self](const ping& theirs) { return self->state.answer(theirs); },
      [self](greet_a, const node_identity& caller) { return self->state.greet(caller); },
      [self](const hello& theirs) { return self->state.admit(theirs); },
      [self](const session_lost& what) { self->state.lost(what); },
      [self](join_a) { return self->state.join(); },
      [self](const catalog_row& row) { self->state.tell_news(row); },
      [self](tick_a) { self->state.tick(); },
      [self](flush_a) { self->state.news_due(); },
  };
}

} // namespace gnomon
