// What the disks hold, and what may never happen to it.
#include "tests/simulation/history.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::simulation {

namespace {

bool has(const version_set& state, const dot& d) {
  return std::any_of(state.siblings.begin(), state.siblings.end(), [&](const sibling& s) { return s.id == d; });
}

} // namespace

bool counts(int node, const record_ptr& record) {
  return record && (record->pinned || record->holders.state_of(node_name(node)) == holder_state::durable);
}

bool is_copy(int node, const record_ptr& record) {
  auto role = record ? record->holders.state_of(node_name(node)) : holder_state::left;
  return role == holder_state::durable || role == holder_state::shadow;
}

void history::note_copy(int node, const std::string& id, const record_ptr& before, const record_ptr& after) {
  if (is_copy(node, after) && !is_copy(node, before))
    items_[id].copies[node] = engine_.now();
}

void history::record_changed(int node, const std::string& id, const record_ptr& before, const record_ptr& after) {
  note_copy(node, id, before, after);
  if (!before || !after || before->versions != after->versions || before->holders != after->holders
      || before->pinned != after->pinned)
    tell(id, fmt::format("  {} has {}", node_name(node), describe(node, id, after)));
  if (!after)
    return record_gone(node, id, before);
  auto born_here = note_versions(node, id, before, *after);
  for (const auto& [who, entry] : after->holders.entries())
    if (entry.state == holder_state::joining && who != node_name(node))
      items_[id].invited[who] = engine_.now();
  if (born_here)
    check_crowd(node, id, before, *after);
  if (before)
    check_growth(node, id, before, after);
  else
    check_beginning(node, id, *after, born_here);
  check_demotion(node, id, before, after);
  if (!(disk_changes_.count(node) > 0 && disk_changes_.at(node) == engine_.now()))
    check_residency(node, id, before, *after);
  check_state(id, after->versions, "the record at " + node_name(node), false);
}

/// With the last record of a deleted item its versions are buried: none of them may come back.
void history::record_gone(int node, const std::string& id, const record_ptr& before) {
  if (!before || !before->versions.deleted())
    return;
  auto anywhere = std::any_of(disks_.begin(), disks_.end(), [&](disk* d) {
    auto record = d->record(id);
    return record && !(record->versions == version_set{}); // one that is joining has no version yet
  });
  if (!anywhere) {
    for (auto& [d, version] : items_[id].versions)
      version.buried = true;
    items_[id].reaped = engine_.now();
  }
  check_reaped(node, id, *before);
}

/// True when one of the record's versions was not known before: this node made it.
bool history::note_versions(int node, const std::string& id, const record_ptr& before, const item_record& after) {
  auto& known = items_[id].versions;
  auto born_here = false;
  for (const auto& s : after.versions.siblings) {
    auto i = known.find(s.id);
    born_here |= i == known.end();
    if (i == known.end())
      born(node, id, after, before, s);
    else if (!(i->second.facts == s) && !(s.deleted && s.ended(latest()))) // one that expired ends as a tombstone
      accuse("no dot names two versions", id, fmt::format("{} and {} are the same dot", i->second.facts.user, s.user));
    else if (i->second.buried && is_being_loaded(id))
      i->second.buried = false;
    else if (i->second.buried && wanted_.reaped_stays_away)
      accuse("a reaped item never returns", id, fmt::format("{} has {} again", node_name(node), s.user));
  }
  return born_here;
}

/// A client's write that replaces nothing is refused where the item has many versions already; merging loses none.
void history::check_crowd(int node, const std::string& id, const record_ptr& before, const item_record& after) {
  const auto& siblings = after.versions.siblings;
  if (before && siblings.size() <= before->versions.siblings.size())
    return; // it has replaced others
  auto own =
      std::count_if(siblings.begin(), siblings.end(), [&](const sibling& s) { return s.id.holding == after.holding; });
  if (own > static_cast<ptrdiff_t>(wanted_.max_versions))
    accuse("an item's versions are bounded", id, fmt::format("{} has {} that it made itself", node_name(node), own));
}

/// While a node keeps its copy, what the copy has seen only grows, unless the disk itself was put back.
void history::check_growth(int node, const std::string& id, const record_ptr& before, const record_ptr& after) {
  auto put_back = disk_changes_.count(node) > 0 && disk_changes_.at(node) == engine_.now();
  auto was = before->holders.find(node_name(node));
  auto is = after->holders.find(node_name(node));
  auto same_copy =
      was && is && was->epoch == is->epoch && (was->state == is->state || was->state == holder_state::joining);
  if (wanted_.copies_never_go_back && same_copy && !put_back
      && !after->versions.context.covers(before->versions.context))
    accuse("a copy never goes back", id,
           fmt::format("{} had {} and has {}", node_name(node), describe(id, before->versions),
                       describe(id, after->versions)));
}

/// A copy begins with a write, or with a holder that has the node among the holders before it gives the value.
void history::check_beginning(int node, const std::string& id, const item_record& after, bool writes_here) {
  auto put_back = disk_changes_.count(node) > 0 && disk_changes_.at(node) == engine_.now();
  auto invited = items_[id].invited.find(node_name(node));
  auto joined = invited != items_[id].invited.end() && engine_.now() - invited->second < moment{20'000'000};
  // Its joining record may be stored together with an update from a holder that still counts it from before.
  auto counted = false;
  for (size_t other = 0; other < disks_.size(); ++other)
    if (auto record = disks_[other]->record(id); record && static_cast<int>(other) != node)
      counted |= record->holders.state_of(node_name(node)) != holder_state::left
                 && after.holders.state_of(node_name(node)) == holder_state::joining;
  auto written_anew = items_[id].damaged.erase(node) > 0;
  if (wanted_.copies_begin_joining && !written_anew && !after.versions.siblings.empty() && !writes_here && !put_back
      && !joined && !counted && !is_being_loaded(id))
    accuse("a value is taken in only where the node is joining", id,
           fmt::format("{} has {} from nothing", node_name(node), describe(id, after.versions)));
}

/// Somebody has what replaced or deleted this version, or will replace it once the two meet.
bool history::anybody_knows_the_end_of(const std::string& id, const sibling& version) const {
  auto newer = [&](const sibling& s) {
    return last_writer_wins(id) && std::tie(s.stamp, s.id) > std::tie(version.stamp, version.id);
  };
  return std::any_of(disks_.begin(), disks_.end(), [&](disk* d) {
    auto record = d->record(id);
    if (!record)
      return false;
    const auto& siblings = record->versions.siblings;
    return (record->versions.context.covers(version.id) && !has(record->versions, version.id))
           || std::any_of(siblings.begin(), siblings.end(), newer);
  });
}

/// When nobody knows of a delete any more, nobody has what it ended. What a lost disk has taken with it is excused, and
/// what an older disk has brought back.
void history::check_reaped(int node, const std::string& id, const item_record& before) {
  const auto& seen = before.versions.context;
  auto& known = items_[id].versions;
  auto excused = items_[id].loaded >= moment{0};
  auto deleted_at = engine_.now();
  for (const auto& s : before.versions.siblings)
    if (auto v = known.find(s.id); v != known.end()) {
      excused |= v->second.excused;
      deleted_at = std::min(deleted_at, operations_.at(v->second.op)->begun);
    }
  if (!wanted_.reaped_stays_away || excused || std::any_of(disks_.begin(), disks_.end(), [&](disk* d) {
        auto record = d->record(id);
        return record && record->versions.context.covers(seen);
      }))
    return;
  for (int other = 0; other < static_cast<int>(disks_.size()); ++other)
    if (auto record = disks_[static_cast<size_t>(other)]->record(id);
        record && removed_.count(other) == 0
        && (disk_changes_.count(other) == 0 || disk_changes_.at(other) < deleted_at))
      for (const auto& s : record->versions.siblings)
        if (!s.deleted && seen.covers(s.id) && !has(before.versions, s.id) && !s.ended(latest())
            && !anybody_knows_the_end_of(id, s))
          return accuse("a tombstone outlives what it ended", id,
                        fmt::format("{} was the last to know of the delete; {} has {}", node_name(node),
                                    node_name(other), s.user));
}

/// A durable copy becomes a shadow only while enough others have what it has; a disk that was just lost excuses it.
void history::check_demotion(int node, const std::string& id, const record_ptr& before, const record_ptr& after) {
  auto role = [](int at, const record_ptr& record) { return record->holders.state_of(node_name(at)); };
  if (!wanted_.demotion_is_safe || !before || role(node, before) != holder_state::durable
      || role(node, after) != holder_state::shadow
      || (last_disk_change_ >= moment{0} && engine_.now() - last_disk_change_ < moment{40'000'000}))
    return;
  size_t others = 0;
  for (int other = 0; other < static_cast<int>(disks_.size()); ++other)
    if (auto record = disks_[static_cast<size_t>(other)]->record(id); other != node && record)
      others +=
          role(other, record) == holder_state::durable && record->versions.context.covers(after->versions.context);
  if (others < min_copies(id))
    accuse("a durable copy goes only when enough others stay", id,
           fmt::format("{} gives up its durable copy and leaves {}", node_name(node), others));
}

void history::born(int node, const std::string& id, const item_record& record, const record_ptr& before,
                   const sibling& s) {
  auto& known = items_[id].versions;
  auto& v = known[s.id];
  v.facts = s;
  v.op = s.user.size() > 1 ? std::stoul(s.user.substr(1)) : 0;
  v.born_at = node;
  auto creator = incarnations_.find(s.id.holding.incarnation);
  if (creator == incarnations_.end() || creator->second != node)
    accuse("a version is visible only once it is on disk", id,
           fmt::format("{} is on the disk of {} and not of the node that made it", s.user, node_name(node)));
  const auto& op = *operations_.at(v.op);
  for (auto& [d, other] : known) { // a tombstone gives way to every write that meets it alone
    auto unseen = replaces_all(id, op) || other.facts.deleted || replaced_unseen(id, s, d);
    if (d != s.id && (op.seen.covers(d) || (unseen && record.versions.context.covers(d) && !has(record.versions, d))))
      other.replaced_by.insert(s.id);
  }
  if (!before)
    return;
  for (const auto& old : before->versions.siblings)
    if (has(record.versions, old.id) && may_replace(id, s, old.id))
      accuse("a write replaces what its context covers", id,
             fmt::format("{} stands beside {}, which its writer had seen", s.user, old.user));
}

/// A write that the same copy took just before `by`, and that another one replaced before the two were stored together,
/// is on no disk; what it replaced went with it. A frozen node may take a write long after its client gave up.
bool history::replaced_unseen(const std::string& id, const sibling& by, const dot& d) const {
  auto& known = items_.at(id).versions;
  if (by.id.counter < 2 || known.count({by.id.holding, by.id.counter - 1}) > 0)
    return false;
  auto away = absence{};
  if (auto maker = incarnations_.find(by.id.holding.incarnation); maker != incarnations_.end())
    away = last_absence(maker->second);
  auto ran_since = [&](moment t) { // without the time for which the node stood still
    return engine_.now() - t - std::max(moment{0}, away.until - std::max(away.from, t));
  };
  return std::any_of(operations_.begin(), operations_.end(), [&](const auto& op) {
    auto recent = op->end == op_end::open || ran_since(op->ended) < moment{15'000'000};
    auto asked = op->id == id && op->kind != op_kind::read && "u" + std::to_string(op->number) != by.user;
    return asked && recent && (replaces_all(id, *op) || op->seen.covers(d));
  });
}

bool history::replaces_all(const std::string& id, const operation& op) const {
  return op.condition != write_condition::none || (op.kind == op_kind::remove && op.seen.empty())
         || last_writer_wins(id);
}

bool history::may_replace(const std::string& id, const sibling& by, const dot& d) const {
  const auto& op = *operations_.at(std::stoul(by.user.substr(1)));
  return op.seen.covers(d);
}

bool history::is_forbidden(int node, const std::string& id, const version_set& versions) const {
  return std::any_of(versions.siblings.begin(), versions.siblings.end(),
                     [&](const sibling& s) { return !s.deleted && forbidden(node, id, s.user); });
}

/// A rule that a node has heard of counts from when it is stored. What the store was given before that may still be on
/// its way to the disk.
bool history::knows_rules(int node) const {
  auto changed = rules_changed_.find(node);
  auto stored = stored_rules_.find(node);
  return wanted_.residency && disks_[static_cast<size_t>(node)]->works() && stored != stored_rules_.end()
         && stored->second == rules_of(node)
         && (changed == rules_changed_.end() || engine_.now() - changed->second > moment{100'000});
}

/// A copy that was there before the rule goes as soon as a permitted region has one; until then it takes nothing in.
void history::check_residency(int node, const std::string& id, const record_ptr& before, const item_record& after) {
  auto is_new = [&](const sibling& s) { return !s.deleted && (!before || !has(before->versions, s.id)); };
  const auto& siblings = after.versions.siblings;
  if (std::any_of(siblings.begin(), siblings.end(), is_new) && knows_rules(node)
      && is_forbidden(node, id, after.versions))
    accuse("a residency rule is never broken", id,
           fmt::format("{} stores {} although a rule that it knows forbids it", node_name(node),
                       describe(id, after.versions)));
}

void history::check_ready(int node, const std::string& id) {
  auto record = disks_[static_cast<size_t>(node)]->record(id);
  if (record && knows_rules(node) && is_forbidden(node, id, record->versions))
    accuse("a residency rule is never broken", id,
           fmt::format("{} has a copy ready for readers although a rule that it knows forbids it", node_name(node)));
}

void history::wrong_store(int node, const std::string& id) {
  accuse("an item lies in the store of its shard", id, node_name(node) + " writes it to another one");
}

const history::version* history::lost_from(const std::string& id, const version_set& state, bool by_request) const {
  auto i = items_.find(id);
  if (i == items_.end())
    return nullptr;
  auto lww = last_writer_wins(id);
  for (const auto& [d, v] : i->second.versions) {
    if (!state.context.covers(d) || has(state, d))
      continue;
    if (std::any_of(v.replaced_by.begin(), v.replaced_by.end(),
                    [&](const dot& by) { return state.context.covers(by); }))
      continue;
    if (v.facts.expires != timestamp{} && v.facts.expires <= latest())
      continue;
    auto stands_for_it = [&](const sibling& s) {
      return by_request && !s.request_id.empty() && s.request_id == v.facts.request_id;
    };
    auto is_newer = [&](const auto& other) { // it may have expired since; whether it had to go is asked of it as well
      return lww && state.context.covers(other.first)
             && std::tie(other.second.facts.stamp, other.first) > std::tie(v.facts.stamp, d);
    };
    if (std::any_of(state.siblings.begin(), state.siblings.end(), stands_for_it)
        || std::any_of(i->second.versions.begin(), i->second.versions.end(), is_newer))
      continue;
    return &v;
  }
  return nullptr;
}

void history::check_state(const std::string& id, const version_set& state, const std::string& where, bool by_request) {
  if (!wanted_.acknowledged_survives || broken_)
    return;
  if (auto lost = lost_from(id, state, by_request))
    accuse("a version goes only when another has replaced it", id,
           fmt::format("{} covers {} and has neither it nor what replaced it", where, lost->facts.user));
}

bool history::held(const std::string& id, const dot& d, int except) const {
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id); static_cast<int>(node) != except
                                                && counts(static_cast<int>(node), record)
                                                && record->versions.context.covers(d))
      return true;
  return false;
}

bool history::held_whole(const std::string& id, const dot& d, int except) const {
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id); static_cast<int>(node) != except
                                                && counts(static_cast<int>(node), record)
                                                && record->versions.context.covers(d)) {
      auto found = record->versions.find(d);
      if (!found || found->deleted || disks_[node]->has_value(id, d))
        return true;
    }
  return false;
}

bool history::is_readable(const std::string& id, const dot& d) const {
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id);
        counts(static_cast<int>(node), record) && disks_[node]->is_sound(id) && record->versions.context.covers(d))
      return true;
  return false;
}

void history::promise(const std::string& id, const dot& d, const std::string& how, moment since) {
  auto& v = items_[id].versions.at(d);
  if (v.promised)
    return;
  v.promised = true;
  v.promise = how;
  if (v.buried || v.excused || held(id, d))
    return;
  v.excused = last_disk_change_ >= since;
  if (!v.excused && wanted_.acknowledged_survives)
    accuse("what was acknowledged or read is kept by a durable or pinned copy", id,
           fmt::format("{} was told by {}, and no such copy has it", v.facts.user, how));
}

void history::item_loads(const std::string& id) {
  items_[id].loaded = engine_.now();
}

bool history::is_being_loaded(const std::string& id) const {
  auto loaded = items_.at(id).loaded;
  return loaded >= moment{0} && engine_.now() - loaded < moment{30'000'000};
}

void history::item_damaged(int node, const std::string& id, bool record_too) {
  auto& what = items_[id];
  what.ever_damaged = true;
  if (record_too)
    what.damaged.insert(node);
  for (const auto& s : disks_[static_cast<size_t>(node)]->record(id)->versions.siblings)
    if (auto v = what.versions.find(s.id); v != what.versions.end() && !held_whole(id, s.id, node))
      v->second.excused = true;
}

bool history::is_unsound(const std::string& id) const {
  return was_damaged(id) && std::any_of(disks_.begin(), disks_.end(), [&](disk* d) { return !d->is_sound(id); });
}

void history::node_removed(int node) {
  removed_.insert(node);
  last_disk_change_ = engine_.now();
}

void history::disk_changes(int node) {
  disk_changes_[node] = last_disk_change_ = engine_.now();
  for (auto& [id, what] : items_)
    for (auto& [d, v] : what.versions)
      v.at_risk = held(id, d) && !held_whole(id, d, node);
}

void history::disk_changed(int node) {
  for (auto& [id, what] : items_)
    for (auto& [d, v] : what.versions)
      if (std::exchange(v.at_risk, false) && !v.excused && !v.buried && !held_whole(id, d)) {
        v.excused = true;
        tell(id, fmt::format("  {} is lost with the disk of {}; nobody else had to keep it", v.facts.user,
                             node_name(node)));
      }
}

} // namespace gnomon::simulation
