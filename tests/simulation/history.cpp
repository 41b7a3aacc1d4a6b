#include "tests/simulation/history.hpp"

#include "runtime/base/ids.hpp"
#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::simulation {

namespace {

bool counts(int node, const record_ptr& record) {
  return record && (record->pinned || record->holders.state_of(node_name(node)) == holder_state::durable);
}

bool has(const version_set& state, const dot& d) {
  return std::any_of(state.siblings.begin(), state.siblings.end(), [&](const sibling& s) { return s.id == d; });
}

std::string_view verb(const operation& op) {
  if (op.kind == op_kind::read)
    return "read";
  return op.kind == op_kind::remove ? "delete" : "write";
}

} // namespace

// -- what the clients are told ---------------------------------------------------------------------------------------

operation& history::begin(operation op) {
  op.number = operations_.size();
  op.begun = engine_.now();
  auto text = fmt::format("{} {} begins at {}", verb(op), op.number, node_name(op.node));
  if (!op.seen.empty())
    text += " with a context";
  if (op.condition == write_condition::if_match)
    text += " if the ETag is " + op.etag;
  if (op.condition == write_condition::if_absent)
    text += " if there is none";
  if (!op.request_id.empty())
    text += ", request id " + op.request_id;
  if (op.acks > 0)
    text += op.acks == acks_all ? ", acks all" : fmt::format(", acks {}", op.acks);
  tell(op.id, text);
  operations_.push_back(std::make_unique<operation>(std::move(op)));
  return *operations_.back();
}

void history::end_read(operation& op, const item_versions& got) {
  op.end = op_end::done;
  op.ended = engine_.now();
  op.context = got.versions.context;
  op.etag = got.versions.etag();
  tell(op.id,
       fmt::format("read {} at {} answered by {}{}{}: {}", op.number, node_name(op.node), got.served_by,
                   op.from_index ? " (read index)" : "", got.stale ? " (stale)" : "", describe(op.id, got.versions)));
  if (!got.versions.context.covers(op.seen))
    accuse("sessions never go back in time", op.id,
           fmt::format("read {} passed a context and got an older state", op.number));
  auto& known = items_[op.id].versions;
  for (const auto& s : got.versions.siblings)
    if (known.count(s.id) == 0)
      accuse("a version is visible only once it is on disk", op.id,
             fmt::format("read {} shows {}, which no disk has", op.number, s.user));
    else
      promise(op.id, s.id, fmt::format("read {}", op.number), op.begun);
  check_pause(op);
  check_state(op.id, got.versions, fmt::format("the answer of read {}", op.number), true);
}

/// A node that slept for longer than it may count as fresh has to hear what was written meanwhile before it answers
/// from its read index.
void history::check_pause(const operation& op) {
  if (!wanted_.paused_nodes_know || !op.from_index || op.asleep_since < moment{0}
      || engine_.now() - op.asleep_since < wanted_.fresh_for)
    return;
  for (const auto& [d, v] : items_[op.id].versions) {
    const auto& write = *operations_.at(v.op);
    if (write.end == op_end::done && write.ended >= op.asleep_since && !op.context.covers(d))
      return accuse("a node that was paused does not serve the past", op.id,
                    fmt::format("read {} lacks {}, which was acknowledged meanwhile", op.number, v.facts.user));
  }
}

void history::end_write(operation& op, const write_receipt& got) {
  op.end = op_end::done;
  op.ended = engine_.now();
  op.context = got.context;
  op.etag = got.etag;
  tell(op.id, fmt::format("{} {} at {} acknowledged by {} with {} acks", verb(op), op.number, node_name(op.node),
                          got.served_by, got.acks));
  auto found = false;
  auto& versions = items_[op.id].versions;
  for (auto& [d, v] : versions) {
    auto repeated = !op.request_id.empty() && v.facts.request_id == op.request_id;
    if (v.op != op.number && !repeated)
      continue;
    if (v.op == op.number || held(op.id, d)) {
      promise(op.id, d, fmt::format("{} {}", verb(op), op.number), op.begun);
      found = true;
    }
  }
  // One that another write replaced before the two were stored together was never on a disk.
  auto overtaken = [&](const auto& other) {
    return other->id == op.id && other->kind != op_kind::read && other->number != op.number
           && (other->end == op_end::open || other->ended >= op.begun)
           && (op.kind == op_kind::remove || replaces_all(op.id, *other)); // a tombstone gives way to any write
  };
  if (!found && std::none_of(operations_.begin(), operations_.end(), overtaken) && last_disk_change_ < op.begun)
    accuse("an acknowledged write is on disk", op.id, fmt::format("{} {} never was", verb(op), op.number));
}

void history::end_failed(operation& op, ec code, std::string sentence) {
  op.end = op_end::failed;
  op.ended = engine_.now();
  op.error = code;
  tell(op.id, fmt::format("{} {} at {} failed: {} {}", verb(op), op.number, node_name(op.node), name(code), sentence));
  op.sentence = std::move(sentence);
}

// -- what the disks hold ---------------------------------------------------------------------------------------------

void history::record_changed(int node, const std::string& id, const record_ptr& before, const record_ptr& after) {
  if (!before || !after || before->versions != after->versions || before->holders != after->holders
      || before->pinned != after->pinned)
    tell(id, fmt::format("  {} has {}", node_name(node), describe(node, id, after)));
  auto& known = items_[id].versions;
  if (!after) {
    auto left = std::any_of(disks_.begin(), disks_.end(), [&](disk* d) { return d->record(id) != nullptr; });
    auto deleted = before && before->versions.deleted();
    for (auto& [d, v] : known)
      v.buried |= !left && deleted;
    if (!left && deleted)
      items_[id].reaped = engine_.now();
    if (deleted)
      check_reaped(node, id, *before);
    return;
  }
  auto born_here = false;
  for (const auto& s : after->versions.siblings) {
    auto i = known.find(s.id);
    born_here |= i == known.end();
    if (i == known.end())
      born(node, id, *after, before, s);
    else if (!(i->second.facts == s) && !(s.deleted && s.ended(latest()))) // one that expired ends as a tombstone
      accuse("no dot names two versions", id, fmt::format("{} and {} are the same dot", i->second.facts.user, s.user));
    else if (i->second.buried && wanted_.reaped_stays_away)
      accuse("a reaped item never returns", id, fmt::format("{} has {} again", node_name(node), s.user));
  }
  for (const auto& [who, entry] : after->holders.entries())
    if (entry.state == holder_state::joining && who != node_name(node))
      items_[id].invited[who] = engine_.now();
  if (before)
    check_growth(node, id, before, after);
  else
    check_beginning(node, id, *after, born_here);
  check_demotion(node, id, before, after);
  check_state(id, after->versions, "the record at " + node_name(node), false);
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
  if (wanted_.copies_begin_joining && !after.versions.siblings.empty() && !writes_here && !put_back && !joined)
    accuse("a value is taken in only where the node is joining", id,
           fmt::format("{} has {} from nothing", node_name(node), describe(id, after.versions)));
}

/// When nobody knows of a delete any more, nobody has what it ended. What a lost disk has taken with it is excused, and
/// what an older disk has brought back.
void history::check_reaped(int node, const std::string& id, const item_record& before) {
  const auto& seen = before.versions.context;
  auto& known = items_[id].versions;
  auto excused = false;
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
        record && (disk_changes_.count(other) == 0 || disk_changes_.at(other) < deleted_at))
      for (const auto& s : record->versions.siblings)
        if (seen.covers(s.id) && !has(before.versions, s.id))
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
/// is on no disk; what it replaced went with it.
bool history::replaced_unseen(const std::string& id, const sibling& by, const dot& d) const {
  auto& known = items_.at(id).versions;
  if (by.id.counter < 2 || known.count({by.id.holding, by.id.counter - 1}) > 0)
    return false;
  return std::any_of(operations_.begin(), operations_.end(), [&](const auto& op) {
    auto recent = op->end == op_end::open || engine_.now() - op->ended < moment{15'000'000};
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

void history::value_stored(int node, const std::string& id, const dot& version, std::string_view bytes) {
  if (wanted_.residency && forbidden(node, id))
    accuse("a residency rule is never broken", id,
           fmt::format("{} stores a value although a rule that it knows forbids it", node_name(node)));
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
      return (by_request && !s.request_id.empty() && s.request_id == v.facts.request_id)
             || (lww && std::tie(s.stamp, s.id) > std::tie(v.facts.stamp, d));
    };
    if (std::any_of(state.siblings.begin(), state.siblings.end(), stands_for_it))
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

void history::disk_changes(int node) {
  disk_changes_[node] = last_disk_change_ = engine_.now();
  for (auto& [id, what] : items_)
    for (auto& [d, v] : what.versions)
      v.at_risk = held(id, d) && !held(id, d, node);
}

void history::disk_changed(int node) {
  for (auto& [id, what] : items_)
    for (auto& [d, v] : what.versions)
      if (std::exchange(v.at_risk, false) && !v.excused && !v.buried && !held(id, d)) {
        v.excused = true;
        tell(id, fmt::format("  {} is lost with the disk of {}; nobody else had to keep it", v.facts.user,
                             node_name(node)));
      }
}

// -- the end ---------------------------------------------------------------------------------------------------------

void history::check_end() {
  for (const auto& [id, what] : items_)
    if (!broken_)
      check_item_end(id, what);
  if (!broken_)
    check_index();
}

void history::check_item_end(const std::string& id, const item& what) {
  version_set merged;
  auto any = false;
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id); counts(static_cast<int>(node), record)) {
      merged.sync(record->versions);
      any = true;
    }
  if (wanted_.acknowledged_survives)
    check_promises(id, what, any ? &merged : nullptr);
  if (auto differs = difference(id); differs && wanted_.replicas_converge)
    accuse("replicas converge", id, *differs);
  check_copies(id);
}

void history::check_copies(const std::string& id) {
  size_t durable = 0;
  auto exists = false;
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id)) {
      auto role = record->holders.state_of(node_name(static_cast<int>(node)));
      durable += role == holder_state::durable;
      if (wanted_.tombstones_go && record->versions.deleted())
        return accuse("tombstones are reaped in the end", id, node_name(static_cast<int>(node)) + " still has one");
      exists |= !record->versions.siblings.empty();
    }
  if (wanted_.factor_is_repaired && exists && durable < min_copies(id))
    accuse("copies are made anew after a loss", id,
           fmt::format("{} durable copies where {} are asked for", durable, min_copies(id)));
}

void history::check_index() {
  for (size_t node = 0; node < disks_.size() && wanted_.index_is_exact; ++node)
    for (auto i = disks_[node]->seen().lower_bound("e"); i != disks_[node]->seen().end(); ++i) {
      auto entry = keys::parse_expiry(i->first);
      if (!entry)
        break;
      auto record = disks_[node]->record(entry->id);
      if (!record || record->indexed != entry->at)
        return accuse("the expiry index is exact", entry->id,
                      fmt::format("{} has an entry that its record does not know", node_name(static_cast<int>(node))));
    }
}

moment history::reaped(const std::string& id) const {
  auto i = items_.find(id);
  return i == items_.end() ? moment{-1} : i->second.reaped;
}

bool history::ends_deleted(const std::string& id, const item& what, const dot& d, std::set<dot>& visited) const {
  auto i = what.versions.find(d);
  if (i == what.versions.end() || !visited.insert(d).second)
    return false;
  auto& v = i->second;
  auto newer = [&](const auto& other) {
    return std::tie(other.second.facts.stamp, other.first) > std::tie(v.facts.stamp, d)
           && ends_deleted(id, what, other.first, visited);
  };
  if (last_writer_wins(id) && std::any_of(what.versions.begin(), what.versions.end(), newer))
    return true;
  return v.facts.deleted || std::any_of(v.replaced_by.begin(), v.replaced_by.end(), [&](const dot& by) {
           return ends_deleted(id, what, by, visited);
         });
}

void history::check_promises(const std::string& id, const item& what, const version_set* final_state) {
  for (const auto& [d, v] : what.versions) {
    if (!v.promised || v.excused)
      continue;
    std::set<dot> visited;
    auto kept = final_state && final_state->context.covers(d);
    if (!kept && !ends_deleted(id, what, d, visited))
      return accuse("an acknowledged write is never lost", id,
                    fmt::format("{}, told by {}, is in no durable copy", v.facts.user, v.promise));
  }
  if (final_state)
    check_state(id, *final_state, "what all durable copies know together", false);
}

/// Why the replicas of the item are not equal.
std::optional<std::string> history::difference(const std::string& id) const {
  record_ptr first;
  int at = 0;
  for (int node = 0; node < static_cast<int>(disks_.size()); ++node) {
    auto record = disks_[static_cast<size_t>(node)]->record(id);
    if (!record)
      continue;
    auto role = record->holders.state_of(node_name(node));
    if (role == holder_state::joining || role == holder_state::left)
      return fmt::format("{} is still {}", node_name(node), gnomon::name(role));
    for (const auto& holder : record->holders.current())
      if (!disks_[std::stoul(holder.substr(1))]->record(id))
        return fmt::format("{} takes {} for a holder, which has nothing", node_name(node), holder);
    if (first && !(first->versions == record->versions))
      return fmt::format("{} has {} but {} has {}", node_name(at), describe(id, first->versions), node_name(node),
                         describe(id, record->versions));
    if (!first)
      at = node;
    first = record;
  }
  return std::nullopt;
}

bool history::has_converged() const {
  return std::none_of(items_.begin(), items_.end(), [this](const auto& entry) { return difference(entry.first); });
}

// -- telling ---------------------------------------------------------------------------------------------------------

void history::tell(const std::string& id, std::string text) {
  if (!broken_)
    lines_.push_back({engine_.now(), id, std::move(text)});
}

void history::accuse(const std::string& invariant, const std::string& id, std::string sentence) {
  if (broken_)
    return;
  broken_ = violation{invariant, id, std::move(sentence), engine_.now()};
}

std::string history::describe(const std::string& id, const version_set& versions) const {
  std::string text;
  for (const auto& s : versions.siblings)
    text += (text.empty() ? "" : " | ") + s.user + (s.deleted ? " (deleted)" : "");
  std::string seen;
  auto add = [&](const holding_id& holding, std::string_view sign, uint64_t counter) {
    auto creator = incarnations_.find(holding.incarnation);
    seen += fmt::format("{}{}.{}{}{}", seen.empty() ? "" : " ",
                        creator == incarnations_.end() ? "?" : node_name(creator->second),
                        holding.sequence & 0xFFFFFFFF, sign, counter);
  };
  auto context = versions.context;
  auto [counters, dots] = context.fields();
  for (const auto& [holding, counter] : counters)
    add(holding, ":", counter);
  for (const auto& d : dots)
    add(d.holding, ".", d.counter); // that one alone
  return (text.empty() ? "no version" : text) + " <" + seen + ">";
}

std::string history::describe(int node, const std::string& id, const record_ptr& record) const {
  if (!record)
    return "nothing";
  std::string holders;
  for (const auto& [who, entry] : record->holders.entries())
    holders += fmt::format(" {}={}@{}", who, gnomon::name(entry.state), entry.epoch);
  return fmt::format("{}{}; holders{}", describe(id, record->versions), record->pinned ? ", pinned" : "", holders);
}

std::string history::story(const std::string& id) const {
  std::string text;
  for (const auto& l : lines_)
    if (l.id == id || l.id.empty())
      text += fmt::format("{:10.3f}  {}\n", static_cast<double>(l.when.count()) / 1e6, l.text);
  return text;
}

} // namespace gnomon::simulation
