#include "actors/shadow/shadow_damage.hpp"

#include "actors/node/known_nodes.hpp"
#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

void shadow_damage::load_values(const std::string& record) {
  auto decoded = decode_record(record);
  if (!decoded)
    return damaged({std::move(decoded.error())});
  std::vector<dot> dots;
  store_get wanted;
  for (const auto& s : decoded->versions.siblings)
    if (!s.deleted) {
      dots.push_back(s.id);
      wanted.keys.push_back(keys::value(item().record().id, s.id));
    }
  for (const auto& node : decoded->owed)
    wanted.keys.push_back(keys::hint(node, item().record().id));
  auto store = this_node().store(item().record().id);
  self()
      ->request(store, caf::infinite, std::move(wanted)) // always answers
      .then([this, record, dots, owed = decoded->owed](store_values& got) { take_values(record, dots, owed, got); },
            [this, record, dots](caf::error& reason) {
              code_of(reason) == ec::store_corrupt ? damaged({reason, record, {}, dots}) : shadow().loaded(reason);
            });
}

/// `got`: a value for each dot, then a hint for each node that is owed the item, where one was kept.
void shadow_damage::take_values(const std::string& record, const std::vector<dot>& dots,
                                const std::set<std::string>& owed, store_values& got) {
  damage found{{}, record};
  for (size_t i = 0; i < dots.size(); ++i) {
    auto value = got.found[i] ? decode_value(got.values[i].view())
                              : expected<blob>{make_error(ec::store_corrupt, "a value is missing")};
    if (value) {
      found.values.emplace(dots[i], std::move(*value));
    } else {
      found.lost.push_back(dots[i]);
      found.problem = std::move(value.error());
    }
  }
  if (!found.lost.empty())
    return damaged(std::move(found));
  auto problem = item().load(record, found.values);
  auto place = dots.size();
  for (const auto& node : owed)
    if (auto at = place++; got.found[at])
      shadow().debts.found_hint(node, got.values[at].view());
  shadow().loaded(std::move(problem));
}

void shadow_damage::damaged(damage found) {
  this_node().counters.copies_damaged.fetch_add(1, std::memory_order_relaxed);
  this_node().index.erase(item().record().id); // this copy takes no updates
  log::error("shadow", "damaged", {{"id", item().record().id}, {"reason", sentence_of(found.problem)}});
  found.all_heard = knows_all_nodes(this_node());
  auto view = this_node().cluster.get();
  for (auto peer : view->by_latency())
    found.ask.push_back(peer->identity.node);
  ask_for_sound_copy(std::make_shared<damage>(std::move(found)));
}

void shadow_damage::ask_for_sound_copy(const std::shared_ptr<damage>& found) {
  if (found->ask.empty())
    return give_versions_up(*found);
  auto node = std::move(found->ask.front());
  found->ask.pop_front();
  ask_peer<item_copy>(
      node, traffic::repair,
      fetch_item{.id = item().record().id,
                 .requester = this_node().self.node,
                 .without_values = found->record.empty(),
                 .tombstones = true},
      [this, found, node](item_copy& copy) {
        if (found->record.empty())
          return clear_for(copy, node);
        note_sound_copy(*found, copy, node);
        auto sound = std::make_shared<item_copy>(std::move(copy));
        shadow().transfer.fetch_values(sound, node, traffic::repair, [this, found, sound](const caf::error& problem) {
          if (problem || !mend(*found, *sound))
            ask_for_sound_copy(found);
        });
      },
      [this, found](const caf::error& reason) {
        found->all_heard &= code_of(reason) == ec::not_here;
        ask_for_sound_copy(found);
      });
}

/// Nobody has a sound copy of what is lost here. Once every node has said so, a copy without it takes the place of this
/// one.
void shadow_damage::give_versions_up(const damage& found) {
  if (!found.all_heard || found.giver.empty()) {
    next_try_ = self()->clock().now() + this_node().config.join_timeout;
    return shadow().loaded(found.problem);
  }
  log::error("shadow", "versions-lost", {{"id", item().record().id}, {"versions", found.lost.size()}});
  clear_for(found.sound, found.giver);
}

/// The copy at `node` can take the place of the damaged one when it knows all versions but the lost ones.
void shadow_damage::note_sound_copy(damage& found, const item_copy& copy, const std::string& node) const {
  auto record = decode_record(found.record);
  if (!record || !found.giver.empty())
    return;
  const auto& siblings = record->versions.siblings;
  auto lost = [&](const dot& d) { return std::find(found.lost.begin(), found.lost.end(), d) != found.lost.end(); };
  if (std::all_of(siblings.begin(), siblings.end(),
                  [&](const sibling& s) { return lost(s.id) || copy.versions.context.covers(s.id); })) {
    found.giver = node;
    found.sound = copy;
    found.sound.values.clear();
  }
}

/// Takes the lost values from `sound`, which must have them or know that they were replaced, and with them what is
/// newer there.
bool shadow_damage::mend(const damage& found, const item_copy& sound) {
  auto values = found.values;
  for (const auto& d : found.lost) {
    auto there = sound.versions.find(d);
    if (!there && !sound.versions.context.covers(d))
      return false;
    values[d] = there ? sound.values[static_cast<size_t>(there - sound.versions.siblings.data())] : blob{};
  }
  if (auto problem = item().load(found.record, values))
    return false;
  shadow().listing.count_as_listed();
  item().write_again(found.lost);
  if (may_take(sound.versions)) // a rule may have come to keep what is newer away
    take_in(sound);
  else
    core_.behind.merge(sound.versions.context);
  this_node().counters.copies_mended.fetch_add(1, std::memory_order_relaxed);
  persist([this] {
    shadow().loaded({});
    shadow().holders.tell_holders(others(), item().record().holders);
  });
  return true;
}

/// The record cannot be used: what is left of its values goes, and the copy is joined anew.
void shadow_damage::clear_for(const item_copy& sound, const std::string& giver) {
  auto store = this_node().store(item().record().id);
  auto range = keys::values(item().record().id);
  self()
      ->request(store, this_node().config.request_timeout, store_scan{range.first, range.last, UINT32_MAX, true})
      .then(
          [this, store, giver, versions = sound.versions,
           was = sound.holders.state_of(this_node().self.node)](const store_entries& left) {
            store_batch batch;
            for (const auto& entry : left.entries)
              batch.erases.push_back(entry.first);
            batch.erases.push_back(keys::record(item().record().id));
            caf::anon_send(store, std::move(batch));
            if (!is_tombstone(versions))
              join_anew(giver, was == holder_state::durable ? was : holder_state::shadow);
            shadow().loaded({});
          },
          [this](const caf::error& reason) { shadow().loaded(reason); });
}

void shadow_damage::join_anew(const std::string& giver, holder_state as) {
  if (!may_hold(this_node().self.node))
    return;
  lease terms{lease_reason::policy, 1.0, now(), now(), rules().ttl};
  auto& joins =
      shadow().search.find_copy({true, as, terms}, audience::all, traffic::repair, giver, [this](const copy_search&) {
        this_node().counters.copies_mended.fetch_add(item().present() ? 1 : 0, std::memory_order_relaxed);
      });
  item().join(terms);
  joins.joined = true;
  persist();
}

} // namespace gnomon
