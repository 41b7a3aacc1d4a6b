#include "tests/simulation/history.hpp"

#include "runtime/base/ids.hpp"
#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::simulation {

namespace {

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
  note_what_is(op);
  auto text = fmt::format("{} {} begins at {}", verb(op), op.number, node_name(op.node));
  if (!op.seen.empty())
    text += " with a context";
  if (op.condition == write_condition::if_match)
    text += " if the ETag is " + op.wanted;
  if (op.condition == write_condition::if_absent)
    text += " if there is none";
  if (!op.request_id.empty())
    text += ", request id " + op.request_id;
  if (op.acks > 0)
    text += op.acks == acks_all ? ", acks all" : fmt::format(", acks {}", op.acks);
  if (op.expires != timestamp{})
    text += ", to expire";
  tell(op.id, text);
  operations_.push_back(std::make_unique<operation>(std::move(op)));
  return *operations_.back();
}

void history::end_read(operation& op, const item_versions& got) {
  op.end = op_end::done;
  op.ended = engine_.now();
  op.context = got.versions.context;
  op.etag = got.versions.etag();
  op.served_by = node_called(got.served_by);
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
  check_values(op, got);
  if (!got.stale)
    check_fresh(op);
  check_state(op.id, got.versions, fmt::format("the answer of read {}", op.number), true);
}

void history::end_write(operation& op, const write_receipt& got) {
  op.end = op_end::done;
  op.ended = engine_.now();
  op.context = got.context;
  op.etag = got.etag;
  op.served_by = node_called(got.served_by);
  tell(op.id, fmt::format("{} {} at {} acknowledged by {} with {} acks", verb(op), op.number, node_name(op.node),
                          got.served_by, got.acks));
  auto found = false;
  auto& versions = items_[op.id].versions;
  for (auto& [d, v] : versions) {
    if (!answers_for(op, v))
      continue;
    if (v.op == op.number || held(op.id, d)) {
      promise(op.id, d, fmt::format("{} {}", verb(op), op.number), op.begun);
      found = true;
    }
    found |= v.op != op.number && has_ended(op.id, d); // the earlier request's, and deleted since
  }
  check_meeting(op);
  check_exclusion(op);
  // One that another write replaced before the two were stored together was never on a disk. A repeated request may
  // have been done long ago.
  auto since = op.begun;
  for (const auto& other : operations_)
    if (!op.request_id.empty() && other->request_id == op.request_id)
      since = std::min(since, other->begun);
  auto overtaken = [&](const auto& other) {
    return other->id == op.id && other->kind != op_kind::read && other->number != op.number
           && (other->end != op_end::done || other->ended >= since) // one that failed may have been carried out later
           && (op.kind == op_kind::remove || replaces_all(op.id, *other)); // a tombstone gives way to any write
  };
  auto over = op.expires != timestamp{} && op.expires <= latest(); // before it was stored
  if (!found && !over && std::none_of(operations_.begin(), operations_.end(), overtaken) && last_disk_change_ < since)
    accuse("an acknowledged write is on disk", op.id, fmt::format("{} {} never was", verb(op), op.number));
}

void history::end_failed(operation& op, ec code, std::string sentence) {
  op.end = op_end::failed;
  op.ended = engine_.now();
  op.error = code;
  tell(op.id, fmt::format("{} {} at {} failed: {} {}", verb(op), op.number, node_name(op.node), name(code), sentence));
  op.sentence = std::move(sentence);
  if (op.kind == op_kind::read && code == ec::not_found)
    check_missing(op);
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

bool history::has_to_stay(const item_record& record) const {
  const auto& siblings = record.versions.siblings;
  return record.versions.deleted() && std::any_of(siblings.begin(), siblings.end(), [this](const sibling& s) {
           return timestamp{duration{s.stamp.millis}} + wanted_.reap_after > earliest();
         });
}

void history::check_copies(const std::string& id) {
  size_t durable = 0, copies = 0;
  auto deleted = false;
  for (size_t node = 0; node < disks_.size(); ++node)
    if (auto record = disks_[node]->record(id)) {
      auto role = record->holders.state_of(node_name(static_cast<int>(node)));
      durable += role == holder_state::durable;
      if (wanted_.tombstones_go && record->versions.deleted() && !has_to_stay(*record))
        return accuse("tombstones are reaped in the end", id, node_name(static_cast<int>(node)) + " still has one");
      copies += is_copy(static_cast<int>(node), record) && !record->versions.siblings.empty();
      deleted |= record->versions.deleted();
      if (wanted_.residency && is_forbidden(static_cast<int>(node), id, record->versions))
        return accuse("a residency rule is never broken", id,
                      node_name(static_cast<int>(node)) + " still has a copy that a rule forbids");
    }
  auto wanted = deleted ? std::min<size_t>(copies, min_copies(id)) : min_copies(id); // a tombstone gets no new copies
  if (wanted_.factor_is_repaired && copies > 0 && durable < wanted && !is_unsound(id))
    accuse("copies are made anew after a loss", id,
           fmt::format("{} durable copies where {} are asked for", durable, wanted));
}

void history::check_index() {
  for (size_t node = 0; node < disks_.size() && wanted_.index_is_exact; ++node)
    for (auto i = disks_[node]->seen().lower_bound("e"); i != disks_[node]->seen().end(); ++i) {
      auto entry = keys::parse_expiry(i->first);
      if (!entry)
        break;
      auto record = disks_[node]->record(entry->id);
      if (was_damaged(entry->id)) // a stray entry goes when it is due
        continue;
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
  return v.facts.deleted || v.facts.ended(latest())
         || std::any_of(v.replaced_by.begin(), v.replaced_by.end(),
                        [&](const dot& by) { return ends_deleted(id, what, by, visited); });
}

void history::check_promises(const std::string& id, const item& what, const version_set* final_state) {
  for (const auto& [d, v] : what.versions) {
    if (!v.promised || v.excused)
      continue;
    std::set<dot> visited;
    auto kept = v.facts.ended(latest()) || (final_state && final_state->context.covers(d));
    if (!kept && !ends_deleted(id, what, d, visited))
      return accuse("an acknowledged write is never lost", id,
                    fmt::format("{}, told by {}, is in no durable copy", v.facts.user, v.promise));
  }
  if (final_state)
    check_state(id, *final_state, "what all durable copies know together", false);
}

/// Without what has ended by some clock: not all nodes notice that at the same time.
version_set history::lasting(version_set versions) const {
  std::erase_if(versions.siblings, [this](const sibling& s) { return s.ended(latest()); });
  return versions;
}

/// Why the replicas of the item are not equal.
std::optional<std::string> history::difference(const std::string& id) const {
  if (is_unsound(id))
    return std::nullopt;
  record_ptr first;
  int at = 0;
  for (int node = 0; node < static_cast<int>(disks_.size()); ++node) {
    auto record = disks_[static_cast<size_t>(node)]->record(id);
    if (!record)
      continue;
    auto role = record->holders.state_of(node_name(node));
    if (role == holder_state::joining || role == holder_state::left)
      return fmt::format("{} is still {}", node_name(node), gnomon::name(role));
    for (const auto& holder : record->holders.current()) // of a tombstone the reaper will ask
      if (!has_to_stay(*record) && !disks_[std::stoul(holder.substr(1))]->record(id))
        return fmt::format("{} takes {} for a holder, which has nothing", node_name(node), holder);
    if (first && !(lasting(first->versions) == lasting(record->versions)))
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
    text += (text.empty() ? "" : " | ") + s.user + (s.deleted ? " (deleted)" : s.ended(latest()) ? " (ends)" : "");
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
