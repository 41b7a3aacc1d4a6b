#include "actors/shadow/replica.hpp"

#include "runtime/base/etag.hpp"
#include "runtime/base/ids.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

replica::replica(std::string id, std::string node) : node_(std::move(node)) {
  record_.id = std::move(id);
}

caf::error replica::load(std::string_view record, const std::map<dot, blob>& values) {
  auto decoded = decode_record(record);
  if (!decoded)
    return std::move(decoded.error());
  for (const auto& s : decoded->versions.siblings)
    if (!s.deleted && values.count(s.id) == 0)
      return make_error(ec::store_corrupt, "a value of '" + decoded->id
                                               + "' is missing from the store; remove the item "
                                                 "here and let another region copy it back");
  record_ = std::move(*decoded);
  values_ = values;
  for (const auto& [at, value] : values_)
    stored_.emplace(at, true);
  exists_ = true;
  return {};
}

void replica::begin_incarnation(uint64_t incarnation) {
  if (record_.holding.incarnation != incarnation)
    record_.holding = {};
}

// -- what is here

holder_state replica::role() const {
  return exists_ ? record_.holders.state_of(node_) : holder_state::left;
}

bool replica::present() const {
  return role() == holder_state::durable || role() == holder_state::shadow;
}

item_versions replica::snapshot() const {
  item_versions result;
  result.id = record_.id;
  result.versions = record_.versions.distinct();
  result.values = values_of(result.versions);
  result.served_by = node_;
  auto predicted = role() == holder_state::shadow && record_.lease.reason == lease_reason::prediction;
  result.copy = predicted ? copy_kind::prefetched : copy_kind::local;
  return result;
}

item_copy replica::copy() const {
  return {record_.id, record_.versions, values_of(record_.versions), record_.holders, record_.requests};
}

std::vector<blob> replica::values_of(const version_set& versions) const {
  std::vector<blob> result;
  for (const auto& s : versions.siblings)
    result.push_back(s.deleted ? blob{} : values_.at(s.id));
  return result;
}

bool replica::complete(const item_copy& other) {
  const auto& siblings = other.versions.siblings;
  if (other.values.size() != siblings.size())
    return false;
  for (size_t i = 0; i < siblings.size(); ++i)
    if (!siblings[i].deleted && other.values[i].size() != siblings[i].bytes)
      return false;
  return true;
}

const sibling* replica::complete_from_here(item_copy& other) const {
  const auto& siblings = other.versions.siblings;
  other.values.resize(siblings.size());
  for (size_t i = 0; i < siblings.size(); ++i) {
    if (siblings[i].deleted || other.values[i].size() == siblings[i].bytes)
      continue;
    auto here = values_.find(siblings[i].id);
    if (here == values_.end())
      return &siblings[i];
    other.values[i] = here->second;
  }
  return nullptr;
}

std::string replica::creator() const {
  return record_.versions.creator();
}

uint64_t replica::bytes() const {
  return record_.versions.bytes();
}

timestamp replica::due(duration join_timeout) const {
  auto next = timestamp::max();
  if (role() == holder_state::shadow && !record_.pinned && record_.owed.empty())
    next = record_.lease.expiry();
  if (role() == holder_state::joining)
    next = record_.lease.created + join_timeout;
  for (const auto& s : record_.versions.siblings)
    if (s.expires != timestamp{} && !s.deleted)
      next = std::min(next, s.expires);
  if (review_ != timestamp{})
    next = std::min(next, review_);
  return next == timestamp::max() ? timestamp{} : next;
}

bool replica::lease_over(timestamp now, duration join_timeout) const {
  if (role() == holder_state::joining)
    return record_.lease.created + join_timeout <= now;
  return role() == holder_state::shadow && !record_.pinned && record_.owed.empty() && record_.lease.expiry() <= now;
}

std::vector<std::string> replica::to_review() const {
  std::vector<std::string> nodes;
  if (!present())
    return nodes;
  for (const auto& [node, entry] : record_.holders.entries()) {
    auto owed = record_.owed.count(node) > 0;
    auto left_to_hint = owed && hinted_.count(node) > 0;
    auto concerned =
        owed || entry.state == holder_state::joining || (record_.pinned && entry.state == holder_state::durable);
    if (node != node_ && entry.state != holder_state::left && concerned && !left_to_hint)
      nodes.push_back(node);
  }
  return nodes;
}

// -- changes

caf::error replica::check(const write_item& request, conflict_rule conflicts) const {
  if (!record_.versions.vouches_for(request.seen, record_.holding))
    return make_error(ec::invalid_argument, "the context names versions that were never written here; send back the "
                                            "Gnomon-Context of a read, unchanged");
  if (request.condition == write_condition::none)
    return {};
  if (conflicts == conflict_rule::lww)
    return make_error(ec::invalid_argument, "this data type resolves conflicts by last writer wins, where If-Match and "
                                            "If-None-Match cannot hold; write without a condition");
  auto exists = present() && !record_.versions.siblings.empty() && !record_.versions.deleted();
  if (request.condition == write_condition::if_absent && exists)
    return make_error(ec::precondition_failed, "the item exists; its ETag is " + record_.versions.etag());
  if (request.condition == write_condition::if_match
      && (!exists || !names_tag(request.etag, record_.versions.etag(), false)))
    return make_error(ec::precondition_failed, exists
                                                   ? "the item has changed; its ETag is now " + record_.versions.etag()
                                                   : "the item does not exist");
  return {};
}

/// A condition that held means that the writer knows the current versions; a delete without a context means whatever is
/// here; and nobody wants to keep a tombstone beside a new value. All three replace everything.
bool replica::replaces_all(const write_item& request, conflict_rule conflicts) const {
  auto blind_delete = request.deleted && request.seen.empty();
  return conflicts == conflict_rule::lww || request.condition != write_condition::none || blind_delete
         || record_.versions.deleted();
}

std::pair<size_t, uint64_t> replica::left_beside(const write_item& request, conflict_rule conflicts) const {
  std::pair<size_t, uint64_t> left;
  if (replaces_all(request, conflicts))
    return left;
  for (const auto& s : record_.versions.siblings)
    if (!request.seen.covers(s.id)) {
      ++left.first;
      left.second += s.bytes;
    }
  return left;
}

dot replica::write(const write_item& request, conflict_rule conflicts, hlc stamp, holding_id fresh_holding,
                   timestamp now) {
  if (!present()) {
    begin_epoch(holder_state::durable);
    record_.lease = {};
    record_.lease.created = record_.lease.last_read = now;
    exists_ = true;
  }
  if (record_.holding == holding_id{})
    record_.holding = fresh_holding;
  sibling next;
  next.stamp = stamp;
  next.content_type = request.content_type;
  next.request_id = request.request_id;
  next.user = request.user;
  next.expires = request.expires;
  next.bytes = request.value.size();
  next.digest = stable_hash(request.value.view());
  next.deleted = request.deleted;
  auto seen = request.seen;
  if (replaces_all(request, conflicts))
    seen.merge(record_.versions.context);
  auto before = requests_of(record_.versions);
  auto made = record_.versions.write(seen, record_.holding, std::move(next));
  if (!request.deleted)
    values_.emplace(made, request.value);
  drop_replaced_values();
  forget_requests(now);
  remember(before);
  owe(record_.holders.current());
  record_.wanted.add(1, now);
  dirty_ = true;
  return made;
}

bool replica::merge(const item_copy& other, conflict_rule conflicts) {
  merge(other.holders);
  auto before = record_.versions;
  auto changed = record_.versions.sync(other.versions);
  if (conflicts == conflict_rule::lww)
    record_.versions.resolve_last_writer();
  for (size_t i = 0; i < other.versions.siblings.size() && i < other.values.size(); ++i)
    if (!other.versions.siblings[i].deleted)
      values_.emplace(other.versions.siblings[i].id, other.values[i]);
  drop_replaced_values();
  remember(requests_of(before));
  remember(requests_of(other.versions));
  remember(other.requests);
  if (changed && before == record_.versions)
    changed = false;
  dirty_ |= changed;
  exists_ = true;
  return changed;
}

bool replica::merge(const holder_map& holders) {
  auto state = role();
  auto changed = record_.holders.merge(holders);
  // What we are is ours to say. Others may have started a newer epoch for us, for a join that they answered; or they
  // still speak of a copy that we have dropped since, whose epoch a new join has begun again.
  auto mine = record_.holders.find(node_);
  if (exists_ && mine && mine->state != state && state != holder_state::left)
    record_.holders.merge(node_, {mine->epoch + (mine->state > state ? 1u : 0u), state});
  std::erase_if(record_.owed,
                [this](const auto& node) { return record_.holders.state_of(node) == holder_state::left; });
  dirty_ |= changed;
  return changed;
}

void replica::join(lease terms) {
  record_.lease = terms;
  if (role() != holder_state::joining)
    begin_epoch(holder_state::joining);
  exists_ = dirty_ = true;
}

bool replica::limit_join(timestamp now) {
  if (role() != holder_state::joining || record_.lease.created <= now)
    return false;
  record_.lease.created = now;
  return dirty_ = true;
}

/// What begins after a drop is another copy, also where the store has not heard of the drop yet.
void replica::begin_epoch(holder_state state) {
  record_.holders.begin_epoch(node_, state);
  record_.holders.merge(node_, {last_epoch_ + 1, state});
}

void replica::settle(holder_state state, lease terms) {
  auto mine = record_.holders.find(node_);
  record_.holders.merge(node_, {mine ? mine->epoch : 1u, state});
  record_.lease = terms;
  dirty_ = true;
}

void replica::add_joining(const std::string& node) {
  record_.holders.begin_epoch(node, holder_state::joining);
  dirty_ = true;
}

void replica::expect_holder(const std::string& node) {
  record_.holders.merge(node, {0, holder_state::shadow});
}

std::vector<std::string> replica::expected_holders() const {
  std::vector<std::string> nodes;
  for (const auto& [node, entry] : record_.holders.entries())
    if (entry == holder_entry{0, holder_state::shadow})
      nodes.push_back(node);
  return nodes;
}

void replica::mark_left(const std::string& node, uint32_t epoch) {
  if (auto entry = record_.holders.find(node); entry && entry->epoch == epoch)
    if (record_.holders.merge(node, {epoch, holder_state::left})) {
      record_.owed.erase(node);
      dirty_ = true;
    }
}

uint32_t replica::epoch_of(const std::string& node) const {
  auto entry = record_.holders.find(node);
  return entry ? entry->epoch : 0;
}

void replica::promote() {
  record_.holders.begin_epoch(node_, holder_state::durable);
  record_.lease.ttl = {};
  dirty_ = true;
}

void replica::demote(lease terms) {
  record_.holders.begin_epoch(node_, holder_state::shadow);
  record_.lease = terms;
  dirty_ = true;
}

void replica::renew_lease(duration ttl, lease_reason reason) {
  record_.lease.ttl = ttl;
  record_.lease.reason = reason;
  dirty_ = true;
}

void replica::note_reads(uint64_t count, timestamp last, uint64_t saved_ms) {
  record_.reads += count;
  record_.saved_ms += saved_ms;
  note_demand(count, last);
}

void replica::note_demand(uint64_t count, timestamp last) {
  record_.lease.last_read = std::max(record_.lease.last_read, last);
  record_.wanted.add(count, last);
}

void replica::set_pinned(bool pinned) {
  dirty_ |= record_.pinned != pinned;
  record_.pinned = pinned;
}

void replica::owe(const std::vector<std::string>& nodes) {
  for (const auto& node : nodes)
    if (node != node_ && record_.holders.state_of(node) != holder_state::left)
      dirty_ |= record_.owed.insert(node).second;
}

void replica::note_hint(const std::string& node, bool on_disk) {
  if (on_disk)
    hinted_.insert(node);
  else
    hinted_.erase(node);
}

void replica::reviewed(duration join_timeout) {
  review_ = {};
  dirty_ |= needs_review() || record_.indexed != due(join_timeout);
}

void replica::write_again(const std::vector<dot>& lost) {
  for (const auto& d : lost)
    stored_.erase(d);
  dirty_ = true;
}

void replica::add_cost(uint64_t bytes) {
  record_.cost_bytes += bytes;
}

bool replica::expire_versions(timestamp now) {
  auto before = requests_of(record_.versions);
  if (!record_.versions.end_expired(now))
    return false;
  remember(before);
  drop_replaced_values();
  dirty_ = true;
  return true;
}

holder_map replica::drop() {
  if (auto mine = record_.holders.find(node_)) {
    last_epoch_ = mine->epoch;
    record_.holders.merge(node_, {last_epoch_, holder_state::left});
  }
  auto told = record_.holders;
  auto indexed = record_.indexed;
  record_ = item_record{record_.id, {}, {}, {}, {}, indexed, false, {}, 0, 0, 0, {}, {}};
  drop_replaced_values();
  exists_ = moving_ = false;
  dirty_ = true;
  ++drops_;
  return told;
}

// -- towards the store

store_batch replica::take_changes(timestamp now, duration join_timeout) {
  store_batch batch;
  if (!dirty_)
    return batch;
  dirty_ = false;
  if (!needs_review())
    review_ = {};
  else if (review_ == timestamp{})
    review_ = now + join_timeout;
  erase_values(batch);
  auto next_due = exists_ ? due(join_timeout) : timestamp{};
  if (record_.indexed != next_due && record_.indexed != timestamp{})
    batch.erases.push_back(keys::expiry(record_.indexed, record_.id));
  if (record_.indexed != next_due && next_due != timestamp{})
    batch.puts.emplace_back(keys::expiry(next_due, record_.id), blob{std::string{}});
  record_.indexed = next_due;
  if (!exists_) {
    batch.erases.push_back(keys::record(record_.id));
    return batch;
  }
  for (const auto& [at, value] : values_)
    if (stored_.emplace(at, true).second) {
      batch.puts.emplace_back(keys::value(record_.id, at), blob{encode_value(value.view())});
      if (value.size() > keys::fence_bytes)
        batch.puts.emplace_back(keys::fence(record_.id), blob{std::string(keys::fence_bytes, '-')});
    }
  batch.puts.emplace_back(keys::record(record_.id), blob{encode(record_)});
  return batch;
}

void replica::drop_replaced_values() {
  std::erase_if(values_, [this](const auto& entry) {
    const auto& all = record_.versions.siblings;
    return std::none_of(all.begin(), all.end(), [&](const sibling& s) { return s.id == entry.first && !s.deleted; });
  });
}

void replica::erase_values(store_batch& batch) {
  std::erase_if(stored_, [&](const auto& entry) {
    if (values_.count(entry.first))
      return false;
    batch.erases.push_back(keys::value(record_.id, entry.first));
    return true;
  });
  if (stored_.empty() && !batch.erases.empty())
    batch.erases.push_back(keys::fence(record_.id));
}

} // namespace gnomon
