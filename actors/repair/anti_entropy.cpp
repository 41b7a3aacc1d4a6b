#include "actors/repair/anti_entropy.hpp"

#include "actors/shadow/reaping.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t records_at_once = 1000;

} // namespace

anti_entropy_actor::behavior_type anti_entropy(anti_entropy_actor::stateful_pointer<anti_entropy_state> self,
                                               context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const copy_notes& news) { state.note(news); },
      [&](doubt_a, const std::string& id) { state.doubt(id); },
      [&](const compare_trees& theirs) { return state.compare(theirs); },
      [=, &state](const compare_leaves& theirs) -> caf::result<leaf_difference> {
        answer<leaf_difference> reply{self->make_response_promise<leaf_difference>()};
        state.compare(theirs, reply);
        return caf::delegated<leaf_difference>{};
      },
      [&](const catalog_position& slice) { state.slice_known(slice); },
      [&](meet_a, const std::string& peer, const held_ids& both) { state.look_at(peer, both); },
      [&](compare_a, const std::string& peer) { state.peer_is_back(peer); },
      [&](compare_a, uint64_t number) { state.step(number); },
      [&](tick_a) { state.tick(); },
  };
}

void anti_entropy_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  memory_ = {node_->memory, memory_part::comparison};
  self_->delayed_send(self_, node_->config.compare_every, tick_a_v);
}

// -- what is held here -----------------------------------------------------------------------------------------------

void anti_entropy_state::note(const copy_notes& news) {
  for (const auto& note : news.notes) {
    trees_.set(note);
    doubts_.erase(note.id);
  }
  node_->counters.tombstones.store(trees_.tombstones());
  if (!news.complete || ++complete_shards_ != shard_count)
    return;
  complete_ = true;
  begin_next();
}

void anti_entropy_state::doubt(const std::string& id) {
  doubts_.insert(id);
  reread(id);
}

/// Notes what the store has of an item, unless its next shadow says it first.
void anti_entropy_state::reread(const std::string& id) {
  auto store = node_->store(id);
  self_->request(store, node_->config.request_timeout, store_get{{keys::record(id)}})
      .then(
          [this, id](const store_values& got) {
            if (doubts_.count(id) == 0)
              return;
            copy_notes news{{{id, false, 0, {}, false}}, false};
            if (got.found[0])
              if (auto record = decode_record(got.values[0].view()))
                news.notes[0] = note_of(*record, *node_);
            note(news);
          },
          [](const caf::error&) {}); // the doubt stays
}

// -- what peers ask --------------------------------------------------------------------------------------------------

caf::result<tree_difference> anti_entropy_state::compare(const compare_trees& theirs) const {
  tree_difference result;
  for (const auto& block : theirs.blocks)
    result.masks.push_back(differing(trees_.block(theirs.from, theirs.level, block.index), block.hashes));
  return result;
}

void anti_entropy_state::compare(const compare_leaves& theirs, answer<leaf_difference> reply) {
  if (theirs.leaves.size() > batch)
    return reply.fail(make_error(ec::bad_message, "too many leaves in one comparison"));
  read_leaves(theirs.leaves, theirs.from, [this, theirs, reply](expected<shared_copies> ours) {
    if (!ours)
      return reply.fail(ours.error());
    std::map<std::string_view, uint64_t> unmatched;
    for (const auto& entry : theirs.entries)
      unmatched.emplace(entry.id, entry.digest);
    leaf_difference result;
    for (const auto& copy : *ours) {
      auto found = unmatched.find(copy.id);
      if (found == unmatched.end() || found->second != copy.digest) {
        compare_copies(copy.id, theirs.from);
        result.bytes += copy.bytes;
      }
      if (found != unmatched.end())
        unmatched.erase(found);
    }
    for (const auto& [id, digest] : unmatched)
      result.ids.emplace_back(id);
    reply.give(std::move(result));
  });
}

/// Items that began here and there meet; all others know each other.
void anti_entropy_state::look_at(const std::string& peer, const held_ids& both) {
  for (const auto& id : both.ids)
    if (trees_.hides_from(peer, id))
      compare_copies(id, peer);
}

void anti_entropy_state::compare_copies(const std::string& id, const std::string& peer) {
  node_->counters.differences.fetch_add(1, std::memory_order_relaxed);
  self_->send(node_->shard(id), compare_a_v, id, peer);
}

// -- reading leaves --------------------------------------------------------------------------------------------------

/// Reads the copies in these leaves that this node holds and believes `peer` to hold.
void anti_entropy_state::read_leaves(const std::vector<uint32_t>& leaves, const std::string& peer,
                                     std::function<void(expected<shared_copies>)> then) {
  std::map<uint32_t, std::vector<uint32_t>> by_shard;
  for (auto leaf : leaves)
    by_shard[shard_of_leaf(leaf % tree_leaves)].push_back(leaf);
  auto r = std::make_shared<reading>();
  r->peer = peer;
  r->open = by_shard.size();
  r->then = std::move(then);
  if (by_shard.empty())
    return read_records(r);
  auto handles = node_->handles.get();
  for (auto& [shard, wanted] : by_shard)
    self_->request(handles->shards[shard], node_->config.request_timeout, list_held{std::move(wanted), {}})
        .then(
            [this, r](const held_ids& held) {
              r->ids.insert(r->ids.end(), held.ids.begin(), held.ids.end());
              if (--r->open == 0)
                read_records(r);
            },
            [this, r](const caf::error& problem) {
              r->problem = problem;
              if (--r->open == 0)
                read_records(r);
            });
}

void anti_entropy_state::read_records(const reading_ptr& r) {
  if (r->problem)
    return r->then(r->problem);
  auto handles = node_->handles.get();
  std::map<size_t, std::vector<std::vector<std::string>>> by_store;
  for (const auto& id : r->ids) {
    auto& groups = by_store[shard_of(id) % handles->stores.size()];
    if (groups.empty() || groups.back().size() == records_at_once)
      groups.emplace_back();
    groups.back().push_back(id);
  }
  auto finish = [r] {
    std::sort(r->copies.begin(), r->copies.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    r->then(r->problem ? expected<shared_copies>{r->problem} : expected<shared_copies>{std::move(r->copies)});
  };
  for (const auto& [store, groups] : by_store)
    r->open += groups.size();
  if (r->open == 0)
    return finish();
  for (const auto& [store, groups] : by_store)
    for (const auto& ids : groups) {
      store_get wanted;
      for (const auto& id : ids)
        wanted.keys.push_back(keys::record(id));
      self_->request(handles->stores[store], node_->config.request_timeout, std::move(wanted))
          .then(
              [this, r, ids, finish](const store_values& got) {
                for (size_t i = 0; i < ids.size(); ++i)
                  take_record(*r, ids[i], got.found[i] ? &got.values[i] : nullptr);
                if (--r->open == 0)
                  finish();
              },
              [r, finish](const caf::error& problem) {
                r->problem = problem;
                if (--r->open == 0)
                  finish();
              });
    }
}

/// A tree that says anything else than the store does so because news is on its way, or was lost: the shadow, which
/// alone knows, is asked to say it again.
void anti_entropy_state::take_record(reading& r, const std::string& id, const blob* stored) {
  copy_note note{id, false, 0, {}, false};
  auto record = stored ? decode_record(stored->view()) : expected<item_record>{make_error(ec::not_here)};
  if (record)
    note = note_of(*record, *node_);
  if (!trees_.knows(note))
    self_->send(node_->shard(id), compare_a_v, id, r.peer);
  if (note.digest == 0 || std::find(note.peers.begin(), note.peers.end(), r.peer) == note.peers.end())
    return;
  r.copies.push_back({id, note.digest, record->versions.bytes()});
}

} // namespace gnomon
