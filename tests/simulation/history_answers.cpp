// What an answer promises beyond what the disks must hold: that it is as new as it may be taken for, that what it says
// is not there is not there, and that a write has met what it was to replace.
#include "tests/simulation/history.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::simulation {

/// Versions that nobody has to be told of any more.
bool history::has_ended(const std::string& id, const dot& d) const {
  const auto& what = items_.at(id);
  const auto& v = what.versions.at(d);
  std::set<dot> visited;
  return v.buried || v.excused || v.facts.ended(latest()) || ends_deleted(id, what, d, visited);
}

/// A delete without a context and a condition are about what there is in the cluster, not about what their node has.
void history::note_what_is(operation& op) const {
  auto meets = op.condition != write_condition::none || (op.kind == op_kind::remove && op.seen.empty());
  for (int node = 0; node < static_cast<int>(disks_.size()); ++node) {
    auto record = disks_[static_cast<size_t>(node)]->record(op.id);
    if (!is_copy(node, record))
      continue;
    op.had_copies.push_back(node);
    for (const auto& s : record->versions.siblings)
      if (meets && !s.deleted)
        op.met.emplace_back(node, s.id);
  }
}

void history::check_values(const operation& op, const item_versions& got) {
  const auto& siblings = got.versions.siblings;
  for (size_t i = 0; i < siblings.size() && wanted_.values_are_whole; ++i) {
    const auto& made_by = op_of(siblings[i]);
    if (i >= got.values.size() || (!siblings[i].deleted && got.values[i].view() != made_by.value))
      accuse("an answer brings the bytes that were written", op.id,
             fmt::format("read {} shows {} with another value", op.number, siblings[i].user));
  }
}

/// An answer that is not marked as stale has seen every write that was acknowledged before its node last came back from
/// a pause, by a node that nothing has kept from telling it since before the pause; and every one that was acknowledged
/// so long ago that it has arrived wherever nothing kept it back. What only damaged copies had cannot be told.
void history::check_fresh(const operation& op) {
  if (!wanted_.answers_are_fresh || op.served_by == outside)
    return;
  for (const auto& [d, v] : items_[op.id].versions)
    if (!op.context.covers(d) && is_readable(op.id, d) && !may_lack(op, v))
      return accuse("an answer that is not marked as stale is not of the past", op.id,
                    fmt::format("read {} was answered by {} without {}, which was acknowledged at {:.3f} s", op.number,
                                node_name(op.served_by), v.facts.user,
                                static_cast<double>(operations_.at(v.op)->ended.count()) / 1e6));
}

bool history::may_lack(const operation& op, const version& v) const {
  const auto& write = *operations_.at(v.op);
  auto replaced =
      std::any_of(v.replaced_by.begin(), v.replaced_by.end(), [&](const dot& by) { return op.context.covers(by); });
  auto whole = whole_since(v.born_at, op.served_by);
  if (removed_.count(v.born_at) > 0 || removed_.count(op.served_by) > 0)
    return true;
  if (write.end != op_end::done || write.ended > op.begun || v.excused || v.buried || replaced
      || v.facts.ended(latest()) || whole == moment::max())
    return true;
  // What a snapshot brought began beside what could not be asked; and a node that holds nothing any more tells nobody.
  auto maker = disks_[static_cast<size_t>(v.born_at)]->record(op.id);
  if (items_.at(op.id).loaded >= write.ended || !maker || !maker->versions.context.covers(v.facts.id))
    return true;
  // A copy that was made from one that is behind is behind as well, unless what is newer could reach all of them.
  const auto& copies = items_.at(op.id).copies;
  auto copy = copies.find(op.served_by);
  auto began = copy == copies.end() || reaches_all_since(v.born_at) <= write.ended ? moment{-1} : copy->second;
  auto away = last_absence(op.served_by);
  if (write.ended <= away.until && whole <= away.until && reaches_since(v.born_at, op.served_by) <= away.from
      && began <= away.until)
    return false;
  return engine_.now() - std::max({write.ended, whole, began}) <= wanted_.delivery;
}

void history::note_meetings() {
  for (auto& [stranger, met] : strangers_)
    for (auto node : nodes_)
      if (whole_since(stranger, node) != moment::max())
        met.insert(node);
}

/// A new node that nothing has let through to the other one yet is not known there, nor is what it has taken.
bool history::may_have_met(int node, int other) const {
  auto knows = [&](int stranger, int who) {
    auto met = strangers_.find(stranger);
    return met == strangers_.end() || met->second.count(who) > 0;
  };
  return knows(node, other) && knows(other, node);
}

/// "There is no such item" although a durable copy was there all the time, or for longer than a read without a context
/// may go by what its node knows.
void history::check_missing(const operation& op) {
  if (!wanted_.misses_are_known)
    return;
  const auto& what = items_[op.id];
  auto known = op.seen.empty() && !op.strong ? op.begun - wanted_.catalog_age : op.begun;
  for (int node = 0; node < static_cast<int>(disks_.size()); ++node) {
    auto record = disks_[static_cast<size_t>(node)]->record(op.id);
    if (!record || removed_.count(node) > 0 || !may_have_met(op.node, node)
        || record->holders.state_of(node_name(node)) != holder_state::durable || what.copies.at(node) >= op.begun)
      continue;
    for (const auto& s : record->versions.siblings) {
      const auto& write = op_of(s);
      if (write.end == op_end::done && write.ended < known && !s.deleted && !has_ended(op.id, s.id))
        return accuse("what is said not to exist does not exist", op.id,
                      fmt::format("read {} at {} was told so, but {} has {}", op.number, node_name(op.node),
                                  node_name(node), s.user));
    }
  }
}

/// The answer may be that of the same request, made earlier.
bool history::is_repeated(const operation& op) const {
  return !op.request_id.empty() && std::any_of(operations_.begin(), operations_.end(), [&](const auto& other) {
    return other->number != op.number && other->request_id == op.request_id;
  });
}

/// A delete, and a condition where the node had no copy of its own, has met what was at all nodes with which its node
/// has been in touch for long enough that both must know it.
void history::check_meeting(const operation& op) {
  const auto& copies = op.had_copies;
  auto record = op.served_by == outside ? nullptr : disks_[static_cast<size_t>(op.served_by)]->record(op.id);
  auto own = std::find(copies.begin(), copies.end(), op.served_by) != copies.end();
  if (!wanted_.writes_meet_what_is || !record || (own && op.kind != op_kind::remove) || is_repeated(op))
    return;
  const auto& state = record->versions;
  for (const auto& [node, d] : op.met) {
    auto there = std::any_of(state.siblings.begin(), state.siblings.end(), [&](const sibling& s) { return s.id == d; });
    auto since = whole_since(op.served_by, node);
    auto known = since != moment::max() && since + wanted_.delivery <= op.begun;
    if (removed_.count(node) == 0 && known && !has_ended(op.id, d) && (there || !state.context.covers(d)))
      return accuse("a delete or a condition meets what there is", op.id,
                    fmt::format("request {} was acknowledged by {}, which has not seen {} of {}", op.number,
                                node_name(op.served_by), items_[op.id].versions.at(d).facts.user, node_name(node)));
  }
}

/// Of two conditional writes that were under way at one node at the same time, and that one state allowed, one failed.
void history::check_exclusion(const operation& op) {
  if (!wanted_.conditions_exclude || op.condition == write_condition::none || is_repeated(op))
    return;
  auto overlap = [&](const operation& other) { return other.end == op_end::open || other.ended >= op.begun; };
  auto may_have_expired = [&](const operation& x) { return x.expires != timestamp{} && x.expires <= latest(); };
  auto changed = disk_changes_.find(op.served_by);
  if (may_have_expired(op))
    return;
  std::vector<const operation*> beside;
  for (const auto& other : operations_)
    if (other->id == op.id && other->number != op.number && overlap(*other) && !may_have_expired(*other))
      beside.push_back(other.get());
  if (std::any_of(beside.begin(), beside.end(), [](auto other) { return other->kind == op_kind::remove; }))
    return; // the item may have gone and come between the two
  for (auto other : beside)
    if (other->end == op_end::done && other->served_by == op.served_by && other->condition == op.condition
        && other->wanted == op.wanted && !is_repeated(*other)
        && (changed == disk_changes_.end() || changed->second < other->begun))
      return accuse("two conditional writes at one node exclude each other", op.id,
                    fmt::format("{} acknowledged both {} and {}", node_name(op.served_by), other->number, op.number));
}

} // namespace gnomon::simulation
