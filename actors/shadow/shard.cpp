#include "actors/shadow/shard.hpp"

#include "actors/node/known_nodes.hpp"
#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint32_t catalog_page = 2000;

} // namespace

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, context_ptr node, size_t index) {
  auto& state = self->state;
  state.start(self, std::move(node), index);
  return {
      [&](const read_item& x) { return state.read(x); },
      [&](const write_item& x) { return state.pass<write_receipt>(claim::client, x.id, x); },
      [&](const place_copies& x) {
        return state.pass<shadow_plan>(x.wait ? claim::background : claim::client, x.id, x);
      },
      [&](const fetch_item& x) { return state.pass<item_copy>(claim::peer, x.id, x); },
      [&](const fetch_value& x) { return state.pass<version_value>(claim::peer, x.id, x); },
      [&](const replicate_item& x) { return state.pass<replicate_ack>(claim::peer, x.copy.id, x); },
      [&](const invite_copy& x) {
        auto ahead = x.lease.reason == lease_reason::prediction;
        return state.pass<invite_answer>(ahead ? claim::background : claim::peer, x.id, x);
      },
      [&](const update_holders& x) { return state.pass<holders_ack>(claim::peer, x.id, x); },
      [&](const get_copy_report& x) { return state.pass<copy_report>(claim::client, x.id, x); },
      [&](const steward_order& x) { return state.pass<steward_answer>(claim::peer, x.id, x); },
      [&](const load_item& x) { return state.pass<load_receipt>(claim::client, x.copy.id, x); },
      [&](locate_a, const std::string& id) -> caf::result<std::vector<std::string>, bool> {
        return {state.locate(id), state.knows_whole()};
      },
      [&](const pull_catalog& x) { return state.slice(x); },
      [&](const catalog_position& x) { state.compare(x); },
      [&](const found_copies& page) { state.take_found(page); },
      [&](const catalog_delta& rows) { state.take_own(rows); },
      [&](const lost_ids& part) { state.lose(part); },
      [&](const catalog_row& row) { state.note(row); },
      [&](const access_batch& batch) { state.spread(batch); },
      [&](rules_a) { state.forget_removed(); },
      [&](expire_a, const std::string& id) { state.tell(claim::background, id, expire_a_v); },
      [&](const expiry_due& x) { state.tell(claim::background, x.id, x); },
      [&](refresh_a, const std::string& id, const std::string& peer) {
        state.tell(claim::background, id, refresh_a_v, peer);
      },
      [&](compare_a, const std::string& id, const std::string& peer) {
        state.tell(claim::background, id, compare_a_v, peer);
      },
      [&](reap_a, const std::string& id) { state.tell(claim::background, id, reap_a_v); },
      [&](const list_held& which) { return state.list(which); },
      [&](const count_items& which) { return state.count(which); },
      [&](verify_a, const std::string& id, const std::string& peer) {
        state.tell(claim::background, id, verify_a_v, peer);
      },
      [&](flush_a) { state.look_again(); },
      [&](tick_a) { state.rest(); },
  };
}

shard_state::~shard_state() {
  for (auto& [id, entry] : awake_)
    caf::anon_send_exit(entry.shadow, caf::exit_reason::user_shutdown);
  for (size_t i = 0; i < expected_.size(); ++i)
    node_->pace.end_wait();
  if (node_) {
    node_->counters.catalogs_whole[index_] = false;
    node_->slices.forget(index_);
  }
  if (node_ && node_->catalog_lost)
    node_->catalog_lost();
}

void shard_state::start(self_pointer self, context_ptr node, size_t index) {
  self_ = self;
  node_ = std::move(node);
  index_ = static_cast<uint32_t>(index);
  memory_ = {node_->memory, memory_part::catalog};
  gone_ = recent_ids{node_->config.catalog_age.count()};
  others_ = catalog_view{[this](const std::string& id) { rows_changed(id); }};
  self_->set_down_handler([this](const caf::down_msg& down) { shadow_down(down); });
  self_->delayed_send(self_, node_->config.shadow_idle / 8, tick_a_v);
}

// -- what shadows are told -------------------------------------------------------------------------------------------

/// Shadows that sleep are not woken for that: what is counted here reaches them when they wake, or makes room.
void shard_state::spread(const access_batch& batch) {
  std::map<std::string, access_batch> awake;
  for (const auto& read : batch.samples) {
    if (read.elsewhere > 0 && !own_.has_value(read.id))
      continue; // there is no copy here that it could count for
    if (auto i = awake_.find(read.id); i != awake_.end() && !i->second.stopping) {
      awake[read.id].samples.push_back(read);
      continue;
    }
    auto entry = node_->index.peek(read.id);
    auto ended = reads_.add(read, entry ? entry->ttl : duration{});
    if (!ended)
      continue;
    auto given_up = node_->index.peek(ended->id);
    if (given_up && given_up->ttl.count() == 0) // a durable copy: only counts are lost
      node_->counters.reads_not_kept.fetch_add(ended->count, std::memory_order_relaxed);
    else
      tell(claim::background, ended->id, access_batch{{*ended}});
  }
  for (auto& [id, samples] : awake)
    self_->send(awake_.at(id).shadow, std::move(samples));
}

/// The rows of nodes that were removed go.
void shard_state::forget_removed() {
  for (const auto& gone : node_->removed.get()->list()) {
    others_.forget(gone.node);
    positions_.erase(gone.node);
  }
  show_whole();
}

// -- what nobody holds -----------------------------------------------------------------------------------------------

caf::result<item_versions> shard_state::read(const read_item& request) {
  if (request.takes_absence() && is_absent(request.id)) {
    node_->counters.reads_absent.fetch_add(1, std::memory_order_relaxed);
    return nobody_holds_it();
  }
  return pass<item_versions>(claim::client, request.id, request);
}

/// What was held until lately may have moved to a node that is not yet known to have it.
bool shard_state::is_absent(const std::string& id) const {
  return awake_.count(id) == 0 && expected_.count(id) == 0 && !own_.holds(id) && !others_.has(id)
         && !gone_.has(id, node_->steady_ms()) && node_->knows_slice(index_);
}

void shard_state::rows_changed(const std::string& id) {
  if (own_.holds(id) || others_.has(id))
    node_->ids.add(id);
  else
    gone_.add(id, node_->steady_ms());
  show_holders(id);
}

/// Once what is in the filter is mostly gone, or as much as it was made for. Ids that went lately stay in it.
void shard_state::renew_filter() {
  if (!node_->ids.is_crowded(index_) || gone_.knows_too_many(node_->steady_ms()))
    return;
  auto next = known_ids::begin_anew(own_.size() + others_.size() + awake_.size() + expected_.size());
  own_.each({}, [&](const std::string& id, const catalog_log::copy&) {
    next->add(id);
    return true;
  });
  others_.each([&](const std::string& id) { next->add(id); });
  for (const auto& [id, entry] : awake_)
    next->add(id);
  for (const auto& [id, entry] : expected_)
    next->add(id);
  gone_.each([&](const std::string& id) { next->add(id); });
  node_->ids.replace(index_, std::move(next));
}

// -- the catalog

std::vector<std::string> shard_state::locate(const std::string& id) const {
  std::vector<std::string> found;
  if (own_.holds(id))
    found.push_back(node_->self.node);
  auto believed = others_.holders(id);
  auto view = node_->cluster.get();
  for (auto peer : view->by_latency())
    if (auto i = std::find(believed.begin(), believed.end(), peer->identity.node); i != believed.end()) {
      found.push_back(*i);
      believed.erase(i);
    }
  found.insert(found.end(), believed.begin(), believed.end()); // those that are not reachable now
  return found;
}

bool shard_state::knows_whole() const {
  if (!ready_)
    return false;
  auto view = node_->cluster.get();
  return std::all_of(view->peers.begin(), view->peers.end(), [this](const peer_view& peer) {
    auto known = positions_.find(peer.identity.node);
    auto told = known != positions_.end() && known->second.generation != 0 && !known->second.reading;
    return told || !peer.usable();
  });
}

catalog_delta shard_state::slice(const pull_catalog& request) const {
  auto whole = request.generation != node_->counters.catalog_generation || !request.after.empty();
  auto result = own_.delta(request.since, whole, request.after, catalog_page);
  result.shard = index_;
  result.generation = node_->counters.catalog_generation;
  return result;
}

held_ids shard_state::list(const list_held& which) const {
  held_ids found;
  std::set<uint32_t> leaves(which.leaves.begin(), which.leaves.end());
  own_.each({}, [&](const std::string& id, const catalog_log::copy&) {
    if (which.peer.empty() ? leaves.count(leaf_of(id)) > 0 : others_.holds(which.peer, id))
      found.ids.push_back(id);
    return true;
  });
  return found;
}

caf::result<item_count> shard_state::count(const count_items& which) const {
  if (!ready_)
    return node_->still_starting();
  item_count result{.complete = knows_whole()};
  own_.each(which.prefix, [&](const std::string& id, const catalog_log::copy& held) {
    auto counts = id.starts_with(which.prefix);
    result.here += counts && !held.deleted ? 1 : 0;
    return counts;
  });
  result.everywhere = result.here;
  others_.each_value(which.prefix, [&](const std::string& id) { result.everywhere += own_.has_value(id) ? 0 : 1; });
  return result;
}

void shard_state::compare(const catalog_position& theirs) {
  auto& known = positions_[theirs.node];
  known.reading = theirs.generation == 0;
  if (known.reading)
    return;
  show_whole();
  auto same = known.generation == theirs.generation && known.head == theirs.head;
  if (same || pulling_.count(theirs.node) > 0)
    return;
  if (known.generation == theirs.generation && known.head < theirs.head)
    take_news(theirs);
  auto unit = node_->pace.begin();
  if (!unit)
    return; // a later heartbeat says it again
  pulling_.insert(theirs.node);
  pull(theirs.node, {index_, known.generation, known.head, {}}, 0, std::move(unit));
}

/// What is pulled next has these rows again, and what came behind them.
void shard_state::take_news(const catalog_position& theirs) {
  apply(theirs.node, {.shard = index_, .generation = theirs.generation, .rows = theirs.news}, true);
}

/// Asks `peer` for what is new; of a whole slice page after page. `head` is the change number the first page had.
void shard_state::pull(const std::string& peer, pull_catalog question, uint64_t head, background_pace::unit unit) {
  auto view = node_->cluster.get();
  auto known = view->reachable(peer);
  if (!known) {
    pulling_.erase(peer);
    return;
  }
  self_->request(known->link, node_->config.peer_timeout, traffic::repair, question)
      .then(
          [this, peer, question, head, unit](const catalog_delta& delta) {
            auto first = question.after.empty();
            if (!first && delta.generation != question.generation) { // numbered anew since: the next heartbeat begins
              pulling_.erase(peer);
              return;
            }
            apply(peer, delta, first);
            auto reached = first ? delta.head : head;
            if (delta.whole && delta.more && !delta.rows.empty())
              return pull(peer, {index_, delta.generation, 0, delta.rows.back().id}, reached, unit);
            positions_[peer] = {delta.generation, reached};
            node_->slices.reached(peer, index_, delta.generation, reached);
            if (delta.whole) // its rows woke nobody
              self_->send(node_->handles.get()->anti_entropy,
                          catalog_position{peer, index_, delta.generation, reached});
            pulling_.erase(peer);
            show_whole();
          },
          [this, peer](const caf::error&) { pulling_.erase(peer); });
}

void shard_state::apply(const std::string& peer, const catalog_delta& delta, bool first_page) {
  // An item that both hold although neither knew of the other began in two regions at once. Shadows that sleep are not
  // woken for that: anti-entropy knows what their records say. A whole slice names every item that the two have in
  // common, and is looked through at its end. A row that says only how long a copy lives is no news here.
  held_ids both;
  std::set<std::string> gone;
  for (const auto& row : delta.rows) {
    if (!row.holds)
      gone.insert(row.id);
    auto renewed = !delta.whole && !row.deleted && others_.holds(peer, row.id, true) && gone.count(row.id) == 0;
    if (!row.holds || !own_.holds(row.id) || renewed)
      continue;
    if (awake_.count(row.id) > 0)
      tell(claim::background, row.id, meet_a_v, peer);
    else if (!delta.whole)
      both.ids.push_back(row.id);
  }
  others_.apply(peer, delta, first_page);
  if (!both.ids.empty())
    self_->send(node_->handles.get()->anti_entropy, meet_a_v, peer, std::move(both));
}

void shard_state::take_found(const found_copies& page) {
  copy_notes notes;
  auto& counters = node_->counters;
  for (const auto& copy : page.copies) {
    if (spoken_for_.count(copy.note.id) > 0)
      continue;
    own_.found(copy.note.id, copy.note.is_tombstone(), copy.until);
    rows_changed(copy.note.id);
    counters.items.fetch_add(1);
    counters.shadows.fetch_add(copy.leased ? 1 : 0);
    counters.bytes.fetch_add(copy.bytes);
    notes.notes.push_back(copy.note);
  }
  self_->send(node_->handles.get()->anti_entropy, std::move(notes));
}

/// All that the store held was found.
void shard_state::take_own(const catalog_delta& rows) {
  own_.resume(rows.head);
  show_position();
  spoken_for_.clear();
  if (std::exchange(ready_, true))
    return;
  self_->send(node_->handles.get()->anti_entropy, copy_notes{{}, true});
  node_->counters.shards_ready.fetch_add(1);
  node_->slices.own_is_read(index_);
  show_whole();
}

void shard_state::lose(const lost_ids& part) {
  std::vector<std::string> held;
  own_.each(part.first, [&](const std::string& id, const catalog_log::copy&) {
    auto lost = part.last.empty() || id <= part.last;
    if (lost)
      held.push_back(id);
    return lost;
  });
  for (const auto& id : held)
    tell(claim::background, id, expire_a_v);
}

void shard_state::note(const catalog_row& row) {
  if (!own_.is_news(row, epoch_seconds(node_->time->now())))
    return;
  auto begins = row.holds && !own_.holds(row.id);
  own_.record(row);
  rows_changed(row.id);
  show_position();
  if (begins && node_->counters.catalog_news.fetch_add(1) < most_news)
    self_->send(node_->handles.get()->membership, row);
}

void shard_state::show_holders(const std::string& id) const {
  if (!node_->holders_changed)
    return;
  auto nodes = others_.holders(id, true);
  auto until = others_.first_end(id);
  if (auto own = own_.find(id); own && !own->deleted) {
    nodes.push_back(node_->self.node);
    until = earlier_end(until, own->until);
  }
  node_->holders_changed(id, nodes, until);
}

void shard_state::show_whole() const {
  node_->counters.catalogs_whole[index_] = knows_whole();
}

void shard_state::show_position() const {
  node_->counters.catalog_heads[index_].store(own_.head());
  node_->counters.catalog_digests[index_].store(own_.digest());
}

} // namespace gnomon
