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
