#include "actors/region/region.hpp"

#include "actors/cluster/cluster_memory.hpp"
#include "actors/node/placement.hpp"
#include "actors/shadow/catalog.hpp"
#include "actors/shadow/reaping.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint32_t scan_page = 1000;
constexpr auto reading_pause = std::chrono::seconds{1};
constexpr auto tell_every = std::chrono::seconds{5}; // how far the reading is
constexpr uint32_t handoff_page = 512;
constexpr auto handoff_pause = std::chrono::seconds{2};
constexpr uint32_t positions_every = 8; // heartbeats

} // namespace

region_actor::behavior_type region(region_actor::stateful_pointer<region_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const fetch_item& x) { return state.pass<item_copy>(x); },
      [&](const fetch_value& x) { return state.pass<version_value>(x); },
      [&](const replicate_item& x) { return state.pass<replicate_ack>(x); },
      [&](const invite_copy& x) { return state.pass<invite_answer>(x); },
      [&](const update_holders& x) { return state.pass<holders_ack>(x); },
      [&](const get_copy_report& x) { return state.pass<copy_report>(x); },
      [&](const read_item& x) {
        auto forwarded = x;
        forwarded.forwarded = true;
        return state.pass<item_versions>(std::move(forwarded));
      },
      [&](const write_item& x) {
        auto forwarded = x;
        forwarded.forwarded = true;
        return state.pass<write_receipt>(std::move(forwarded));
      },
      [&](const create_shadow& x) { return state.place(x); },
      [&](const steward_order& x) { return state.pass<steward_answer>(x); },
      [&](const compare_trees& x) { return state.pass_comparison<tree_difference>(x); },
      [&](const compare_leaves& x) { return state.pass_comparison<leaf_difference>(x); },
      [&](const pull_catalog& x) { return state.pass<catalog_delta>(x); },
      [=, &state](const exchange_policies& x) -> caf::result<policy_list> {
        answer<policy_list> reply{self->make_response_promise<policy_list>()};
        state.merge_policies(x, reply);
        return caf::delegated<policy_list>{};
      },
      [&](const region_accesses& x) { return state.to_predictor<accesses_ack>(x); },
      [&](const get_prediction& x) { return state.to_predictor<prediction>(x); },
      [&](const forget_user& x) { return state.to_predictor<forget_receipt>(x); },
      [&](const find_actor& x) { return state.find(x); },
      [&](const actor_message& x) { return state.pass_to_actor(x); },
      [&](const pull_steps& x) { return state.to_feed<step_page>(x); },
      [&](const list_states& x) { return state.to_feed<state_page>(x); },
      [=, &state](const put_policy& x) -> caf::result<policy_list> {
        answer<policy_list> reply{self->make_response_promise<policy_list>()};
        state.set_policy(x, reply);
        return caf::delegated<policy_list>{};
      },
      [&](const get_policies&) { return state.policies(); },
      [=, &state](const remove_node& x) -> caf::result<node_removal> {
        answer<node_removal> reply{self->make_response_promise<node_removal>()};
        state.remove(x, reply);
        return caf::delegated<node_removal>{};
      },
      [=, &state](const put_token& x) -> caf::result<token_list> {
        state.add_token(x.token, answer<token_list>{self->make_response_promise<token_list>()});
        return caf::delegated<token_list>{};
      },
      [=, &state](const revoke_token& x) -> caf::result<token_list> {
        state.revoke(x.name, answer<token_list>{self->make_response_promise<token_list>()});
        return caf::delegated<token_list>{};
      },
      [&](const get_tokens&) { return state.tokens(); },
      [&](const ping& facts) { state.heard(facts); },
      [&](tick_a) { state.read_on(); },
  };
}

void region_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  auto handles = node_->handles.get();
  stores_unread_ = handles->stores.size();
  // A region before this one, of the same process, may have found that all hints are refused; they are still there.
  for (const auto& peer : node_->cluster.get()->names())
    node_->owed.begin(peer)->leaves_hint();
  begin_reading();
  read_tokens([this] { read_policies(); });
  for (const auto& store : handles->stores)
    read_slices({store, {}});
}

// -- what peers ask

template <class Reply, class Message>
caf::result<Reply> region_state::to_predictor(const Message& message) {
  if (auto predictor = node_->handles.get()->predictor)
    return self_->delegate(predictor, message);
  if (node_->config.predict)
    return node_->still_starting();
  if constexpr (std::is_same_v<Message, forget_user>)
    return forget_receipt{message.user, 0}; // nothing is learned here
  return make_error(ec::rejected, "region " + node_->self.region + " does not predict");
}

template <class Reply, class Message>
caf::result<Reply> region_state::to_feed(const Message& message) {
  return self_->delegate(node_->handles.get()->feed, message);
}

template <class Message>
size_t shard_of_message(const Message& message) {
  return shard_of(message.id);
}

size_t shard_of_message(const replicate_item& message) {
  return shard_of(message.copy.id);
}

size_t shard_of_message(const pull_catalog& message) {
  return message.shard % shard_count;
}

template <class Reply, class Message>
caf::result<Reply> region_state::pass(Message message) {
  // What is held of one item the store knows; all that is held here only the catalog, once it is whole.
  auto ready = std::is_same_v<Message, pull_catalog> ? stores_unread_ == 0 : node_->counters.rules_known.load();
  if (!ready)
    return node_->still_starting();
  auto handles = node_->handles.get();
  const auto& shard = handles->shards[shard_of_message(message)];
  return self_->delegate(shard, std::move(message));
}

/// Copies of an item that the asking region may not keep are planned from here.
caf::result<shadow_plan> region_state::place(const create_shadow& wish) {
  if (!node_->counters.rules_known)
    return node_->still_starting();
  return self_->delegate(node_->shard(wish.id), plan_copies(*node_, wish));
}

template <class Reply, class Message>
caf::result<Reply> region_state::pass_comparison(Message message) {
  auto target = node_->handles.get()->anti_entropy;
  if (stores_unread_ > 0 || !target)
    return node_->still_starting();
  return self_->delegate(target, std::move(message));
}

// -- the start

/// What is counted while the store is read begins anew. So does the catalog: its changes get new numbers, and peers
/// that know those of before have to see that.
void region_state::begin_reading() {
  auto& counters = node_->counters;
  counters.items = counters.shadows = counters.bytes = counters.active_shadows = 0;
  counters.tombstones = counters.records_read = 0;
  counters.shards_ready = 0;
  reported_ = self_->clock().now();
  for (size_t i = 0; i < shard_count; ++i)
    counters.catalog_heads[i] = counters.catalog_digests[i] = 0;
  auto reuse = node_->config.fault == deliberate_fault::reuse_generation;
  counters.catalog_generation = reuse ? node_->self.incarnation : random_u64();
  found_.assign(shard_count, 0);
}

/// Reads every record once, page by page: what is held here, for the shards' catalogs and the node's counters.
void region_state::read_slices(start_scan scan) {
  auto range = keys::records({}, scan.after);
  self_->request(scan.store, node_->config.request_timeout, store_scan{range.first, range.last, scan_page, false})
      .then([this, scan](const store_entries& page) { take_page(scan, page); },
            [this, scan](const caf::error& reason) { read_later(scan, reason); });
}

/// A store that cannot be read now may be read later; meanwhile the node serves what it can.
void region_state::read_later(const start_scan& scan, const caf::error& reason) {
  log::error("region", "store-not-read", {{"after", scan.after}, {"reason", sentence_of(reason)}});
  node_->reading_problem.set(sentence_of(reason));
  unread_.push_back(scan);
  if (unread_.size() == 1)
    self_->delayed_send(self_, reading_pause, tick_a_v);
}

void region_state::read_on() {
  for (auto& scan : std::exchange(unread_, {}))
    read_slices(std::move(scan));
}

void region_state::report_reading(size_t records) {
  auto all = node_->counters.records_read.fetch_add(records) + records;
  node_->reading_problem.set({});
  auto now = self_->clock().now();
  if (now - reported_ < tell_every)
    return;
  reported_ = now;
  log::info("region", "reading", {{"records", all}});
}

void region_state::take_page(start_scan scan, const store_entries& page) {
  auto handles = node_->handles.get();
  std::map<size_t, found_copies> found;
  std::map<std::string, store_batch> owed;
  for (const auto& [key, value] : page.entries) {
    scan.after = keys::record_id(key).value_or(std::string{});
    auto record = decode_record(value.view());
    if (!record) {
      log::error("region", "record-corrupt", {{"id", scan.after}, {"reason", sentence_of(record.error())}});
      continue;
    }
    auto role = record->holders.state_of(node_->self.node);
    if (role == holder_state::joining || role == holder_state::left)
      continue;
    auto shard = shard_of(record->id);
    found_[shard] = digest_with(found_[shard], record->id, is_tombstone(record->versions));
    found[shard].copies.push_back({note_of(*record, *node_), role == holder_state::shadow, record->versions.bytes(),
                                   end_of_copy(*record, node_->self.node)});
    node_->crowded.note(record->id, record->versions.siblings.size(), record->versions.bytes());
    for (const auto& peer : record->owed) // a crash may have come before the hint
      if (!node_->is_removed(peer))
        owed[peer].puts.emplace_back(keys::hint(peer, record->id), blob{keys::hint_value({})});
  }
  for (auto& [shard, copies] : found)
    self_->send(handles->shards[shard], std::move(copies));
  for (auto& [peer, hints] : owed)
    leave_hints(scan.store, peer, std::move(hints));
  report_reading(page.entries.size());
  if (page.more)
    read_slices(std::move(scan));
  else if (--stores_unread_ == 0)
    slices_read();
}

/// What the last stop left undone is handed over like all that peers missed, and wakes nobody before. It counts as
/// under way until the hints are on disk.
void region_state::leave_hints(const store_actor& store, const std::string& peer, store_batch hints) {
  auto update = node_->owed.begin(peer);
  update->leaves_hint();
  self_->request(store, node_->config.request_timeout, std::move(hints))
      .then([update](const store_receipt&) {}, [update](const caf::error&) {}); // the store says so in the log
}

/// When the last run ended well, and the store holds just what its catalog said, its numbers go on.
void region_state::slices_read() {
  auto handles = node_->handles.get();
  auto last = std::exchange(node_->last_catalog, std::nullopt);
  auto goes_on = last && last->digests == found_;
  if (goes_on)
    node_->counters.catalog_generation = last->generation;
  for (uint32_t i = 0; i < shard_count; ++i)
    self_->send(handles->shards[i],
                catalog_delta{.shard = i, .head = goes_on ? last->heads[i] : 0, .whole = true, .rows = {}});
  log::info("region", "ready", {{"records", node_->counters.records_read.load()}});
}

// -- peers' heartbeats

void region_state::heard(const ping& facts) {
  if (!node_->counters.rules_known)
    return;
  const auto& peer = facts.from.node;
  pass_positions(facts);
  remember_member(facts.from);
  auto is_new = greeted_[peer] != facts.from.start;
  if (is_new) {
    greeted_[peer] = facts.from.start;
    greet(peer);
  }
  auto now = self_->clock().now();
  auto& last = heard_[peer];
  if (is_new || now - last > node_->config.down_after) // what happened meanwhile was seen by one side only
    self_->send(node_->handles.get()->anti_entropy, compare_a_v, peer);
  last = now;
  auto& handoff = handoffs_[peer];
  if (!handoff.more && facts.fresh && now - handoff.last <= handoff_pause)
    return; // one that is catching up waits for it
  handoff.last = now;
  hand_off(peer);
}

/// The store remembers every peer, so that a later start knows whom it does not reach.
void region_state::remember_member(const node_identity& peer) {
  if (std::exchange(members_[peer.node], peer.start) == peer.start)
    return;
  self_->request(node_->handles.get()->stores.front(), node_->config.request_timeout, remember(peer))
      .then([](const store_receipt&) {}, [this, node = peer.node](const caf::error&) { members_.erase(node); });
}

/// A shard hears of its slice when it has changed, and now and then all the same: a pull may have failed.
void region_state::pass_positions(const ping& facts) {
  auto& last = positions_[facts.from.node];
  auto all = last.generation != facts.catalog_generation || last.heads.size() != facts.catalog_heads.size()
             || ++last.beats % positions_every == 0;
  auto handles = node_->handles.get();
  std::map<size_t, std::vector<catalog_row>> news;
  for (const auto& row : facts.news)
    news[shard_of(row.id)].push_back(row);
  for (uint32_t i = 0; i < facts.catalog_heads.size() && i < shard_count; ++i)
    if (all || last.heads[i] != facts.catalog_heads[i])
      self_->send(handles->shards[i], catalog_position{facts.from.node, i, facts.catalog_generation,
                                                       facts.catalog_heads[i], std::move(news[i])});
  last.generation = facts.catalog_generation;
  last.heads = facts.catalog_heads;
}

/// Exchanges policies with a peer that (re)started.
void region_state::greet(const std::string& peer) {
  auto view = node_->cluster.get();
  auto known = view->find(peer);
  if (!known || !known->link) {
    greeted_.erase(peer);
    return;
  }
  self_
      ->request(known->link, node_->config.peer_timeout, traffic::repair,
                exchange_policies{.entries = node_->policies.get()->all_entries(),
                                  .removed = node_->removed.get()->list(),
                                  .all = true,
                                  .tokens = node_->tokens.get()->all(),
                                  .with_tokens = true})
      .then(
          [this](const policy_list& newer) {
            merge_policies({.entries = newer.entries, .removed = newer.removed, .tokens = newer.tokens}, {});
          },
          [this, peer](const caf::error&) { greeted_.erase(peer); });
}

/// Sends what the peer missed, a page at each heartbeat: each hint wakes its item's shadow, which sends the versions as
/// they are now. Hints that wait for their time are passed over. When a round from the first key on finds none, or only
/// such as the peer has refused, which are the trouble of their items, the peer hears so.
void region_state::hand_off(const std::string& peer) {
  auto& handoff = handoffs_[peer];
  auto limit = std::min<uint64_t>(handoff_page, node_->pace.room());
  auto busy = handoff.open > 0 || node_->owed.under_way(peer) >= handoff_page;
  if (busy || (!node_->owed.of(peer).hints && handoff.refused == 0))
    return;
  handoff.more = true; // goes on at the next heartbeat
  if (limit == 0)
    return;
  auto range = keys::hints(peer);
  auto handles = node_->handles.get();
  handoff.more = false;
  handoff.places.resize(handles->stores.size());
  handoff.open = handles->stores.size();
  if (handoff.from_the_first()) {
    handoff.none = true;
    handoff.refusing = 0;
    handoff.made = node_->owed.hints_made(peer);
  }
  for (size_t i = 0; i < handles->stores.size(); ++i) {
    const auto& first = handoff.places[i].empty() ? range.first : handoff.places[i];
    self_
        ->request(handles->stores[i], node_->config.request_timeout,
                  store_scan{first, range.last, static_cast<uint32_t>(limit), false})
        .then([this, peer, i](const store_entries& found) { wake_owing(peer, i, found); },
              [this, peer](const caf::error&) {
                auto& failed = handoffs_[peer];
                failed.none = false;
                --failed.open;
              });
  }
}

void region_state::wake_owing(const std::string& peer, size_t store, const store_entries& found) {
  auto now = node_->time->now();
  for (const auto& [key, value] : found.entries)
    if (auto id = keys::hint_id(peer, key); id && keys::hint_due(value.view(), now))
      self_->send(node_->shard(*id), refresh_a_v, *id, peer);
  auto& handoff = handoffs_[peer];
  auto refused = std::count_if(found.entries.begin(), found.entries.end(),
                               [](const auto& entry) { return keys::hint_refused(entry.second.view()); });
  handoff.refusing += static_cast<uint64_t>(refused);
  handoff.more |= found.more;
  if (store < handoff.places.size())
    handoff.places[store] = found.more ? found.entries.back().first + '\0' : std::string{};
  handoff.none = handoff.none && static_cast<size_t>(refused) == found.entries.size();
  if (--handoff.open == 0 && handoff.from_the_first())
    end_round(peer);
}

void region_state::end_round(const std::string& peer) {
  auto& handoff = handoffs_[peer];
  if (handoff.none)
    node_->owed.found_no_hints(peer, handoff.made);
  handoff.refused = handoff.refusing;
  uint64_t all = 0;
  for (const auto& [name, other] : handoffs_)
    all += other.refused;
  node_->counters.undelivered = all;
}

} // namespace gnomon
