#include "storage/record.hpp"

#include "runtime/base/ids.hpp"
#include "storage/archive.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gnomon {

namespace {

constexpr frame_kind record_kind{'R', 4, "record"};
constexpr frame_kind older_record_kind{'R', 3, "record"};
constexpr frame_kind value_kind{'V', 1, "value"};

/// A record of the format before, which did not count how much the item is wanted.
struct older_record {
  item_record record;
  auto fields() {
    auto& r = record;
    return std::tie(r.id, r.versions, r.holders, r.lease, r.holding, r.indexed, r.pinned, r.owed, r.reads, r.cost_bytes,
                    r.saved_ms, r.requests);
  }
};

template <size_t N, class Enum>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum x) {
  auto i = static_cast<size_t>(x);
  return i < N ? names[i] : "unknown";
}

} // namespace

std::string_view name(holder_state s) {
  static constexpr std::array<std::string_view, 4> names{"joining", "shadow", "durable", "left"};
  return name_in(names, s);
}

std::string_view name(lease_reason r) {
  static constexpr std::array<std::string_view, 4> names{"access", "policy", "prediction", "request"};
  return name_in(names, r);
}

bool holder_map::merge(const holder_map& other) {
  bool changed = false;
  for (const auto& [node, entry] : other.entries_)
    changed |= merge(node, entry);
  return changed;
}

bool holder_map::merge(const std::string& node, holder_entry entry) {
  auto [place, added] = entries_.try_emplace(node, entry);
  if (added || place->second >= entry)
    return added;
  place->second = entry;
  return true;
}

holder_entry holder_map::begin_epoch(const std::string& node, holder_state state) {
  auto& entry = entries_[node];
  entry = {entry.epoch + 1, state};
  return entry;
}

const holder_entry* holder_map::find(const std::string& node) const {
  auto i = entries_.find(node);
  return i != entries_.end() ? &i->second : nullptr;
}

holder_state holder_map::state_of(const std::string& node) const {
  auto entry = find(node);
  return entry ? entry->state : holder_state::left;
}

std::vector<std::string> holder_map::current() const {
  std::vector<std::string> nodes;
  for (const auto& [node, entry] : entries_)
    if (entry.state != holder_state::left)
      nodes.push_back(node);
  return nodes;
}

std::vector<std::string> holder_map::durable() const {
  std::vector<std::string> nodes;
  for (const auto& [node, entry] : entries_)
    if (entry.state == holder_state::durable)
      nodes.push_back(node);
  return nodes;
}

std::vector<std::string> by_rank(std::vector<std::string> nodes, std::string_view id) {
  auto rank = [&](const std::string& node) { return std::pair{rendezvous_weight(node, id), std::string_view{node}}; };
  std::sort(nodes.begin(), nodes.end(), [&](const std::string& a, const std::string& b) { return rank(a) > rank(b); });
  return nodes;
}

std::vector<std::string> holder_map::durable_by_rank(std::string_view id) const {
  return by_rank(durable(), id);
}

void access_count::add(uint64_t accesses, timestamp now) {
  if (accesses == 0)
    return;
  count = at(now) + static_cast<double>(accesses);
  since = std::max(since, now);
}

double access_count::at(timestamp now) const {
  auto days = std::chrono::duration<double>(now - since) / std::chrono::duration<double>(half_life);
  return count * std::exp2(-std::max(days, 0.0));
}

std::string encode(const item_record& record) {
  return encode_as(record_kind, record);
}

expected<item_record> decode_record(std::string_view bytes) {
  if (!is_of_kind(older_record_kind, bytes))
    return decode_as<item_record>(record_kind, bytes);
  auto older = decode_as<older_record>(older_record_kind, bytes);
  if (!older)
    return std::move(older.error());
  return std::move(older->record);
}

std::string encode_value(std::string_view value) {
  return seal(value_kind, value);
}

expected<blob> decode_value(std::string_view bytes) {
  auto value = unseal(value_kind, bytes);
  if (!value)
    return value.error();
  return blob{std::string{*value}};
}

} // namespace gnomon
