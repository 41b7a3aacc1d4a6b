#include "storage/keys.hpp"

#include "storage/bytes.hpp"

#include <algorithm>

namespace gnomon::keys {

namespace {

constexpr char record_tag = 'r';
constexpr char value_tag = 'v';
constexpr char expiry_tag = 'e';
constexpr char policy_tag = 'p';
constexpr char token_tag = 't';
constexpr char hint_tag = 'h';
constexpr char meta_tag = 'm';
constexpr size_t dot_bytes = 24;
constexpr char refused_mark = 1;

std::string tagged(char tag, std::string_view rest) {
  std::string key;
  key.reserve(1 + rest.size());
  key.push_back(tag);
  return key.append(rest);
}

/// The least string greater than all that start with `prefix`; tags are below 0xFF, so there always is one.
std::string past(std::string prefix) {
  while (prefix.back() == '\xFF')
    prefix.pop_back();
  ++prefix.back();
  return prefix;
}

uint64_t millis(timestamp at) {
  return static_cast<uint64_t>(std::max<int64_t>(0, at.time_since_epoch().count()));
}

std::string expiry_prefix(uint64_t ms) {
  std::string key{expiry_tag};
  append_u64(key, ms);
  return key;
}

} // namespace

std::string record(std::string_view id) {
  return tagged(record_tag, id);
}

std::optional<std::string> record_id(std::string_view key) {
  if (key.size() < 2 || key.front() != record_tag)
    return std::nullopt;
  return std::string{key.substr(1)};
}

range records(std::string_view prefix, std::string_view after) {
  auto first = record(prefix);
  auto last = past(first);
  if (!after.empty())
    first = std::max(first, record(after) + '\0');
  return {first, std::max(first, last)};
}

std::string value(std::string_view id, const dot& version) {
  auto key = tagged(value_tag, id);
  key.push_back('\0');
  append_u64(key, version.holding.incarnation);
  append_u64(key, version.holding.sequence);
  append_u64(key, version.counter);
  return key;
}

std::optional<value_name> parse_value(std::string_view key) {
  if (key.size() < 2 + dot_bytes + 1 || key.front() != value_tag || key[key.size() - dot_bytes - 1] != '\0')
    return std::nullopt;
  value_name result{std::string{key.substr(1, key.size() - dot_bytes - 2)}, {}};
  auto rest = key.substr(key.size() - dot_bytes);
  take_u64(rest, result.version.holding.incarnation);
  take_u64(rest, result.version.holding.sequence);
  take_u64(rest, result.version.counter);
  return result;
}

std::string fence(std::string_view id) {
  auto key = tagged(value_tag, id);
  key.push_back('\0');
  return key;
}

range values(std::string_view id) {
  auto first = tagged(value_tag, id);
  first.push_back('\0');
  return {first, past(first)};
}

std::string expiry(timestamp at, std::string_view id) {
  return expiry_prefix(millis(at)).append(id);
}

std::optional<expiry_entry> parse_expiry(std::string_view key) {
  uint64_t ms = 0;
  if (key.size() < 10 || key.front() != expiry_tag)
    return std::nullopt;
  key.remove_prefix(1);
  take_u64(key, ms);
  return expiry_entry{timestamp{duration{static_cast<int64_t>(ms)}}, std::string{key}};
}

range expiries(timestamp until) {
  return {std::string{expiry_tag}, expiry_prefix(millis(until) + 1)};
}

std::string policy(uint8_t scope, std::string_view name) {
  return tagged(policy_tag, std::string{static_cast<char>(scope)}.append(name));
}

range policies() {
  return {std::string{policy_tag}, std::string{static_cast<char>(policy_tag + 1)}};
}

std::string token(std::string_view id) {
  return tagged(token_tag, id);
}

range tokens() {
  return {std::string{token_tag}, std::string{static_cast<char>(token_tag + 1)}};
}

std::string hint(std::string_view peer, std::string_view id) {
  auto key = tagged(hint_tag, peer);
  key.push_back('\0');
  return key.append(id);
}

std::optional<std::string> hint_id(std::string_view peer, std::string_view key) {
  auto prefix = hint(peer, {});
  if (key.size() <= prefix.size() || key.substr(0, prefix.size()) != prefix)
    return std::nullopt;
  return std::string{key.substr(prefix.size())};
}

range hints(std::string_view peer) {
  auto prefix = hint(peer, {});
  return {prefix, past(prefix)};
}

std::string hint_value(timestamp not_before, duration pause, bool refused) {
  std::string value;
  append_u64(value, millis(not_before));
  append_u64(value, static_cast<uint64_t>(pause.count()));
  if (refused)
    value.push_back(refused_mark);
  return value;
}

bool hint_refused(std::string_view value) {
  constexpr auto place = 2 * sizeof(uint64_t);
  return value.size() > place && value[place] == refused_mark;
}

bool hint_due(std::string_view value, timestamp now) {
  auto next = hint_time(value);
  return next <= now || next > now + longest_pause;
}

timestamp hint_time(std::string_view value) {
  uint64_t ms = 0;
  take_u64(value, ms);
  return timestamp{duration{static_cast<int64_t>(ms)}};
}

duration hint_pause(std::string_view value) {
  uint64_t ms = 0;
  if (value.size() > sizeof ms) { // hints of earlier versions have none
    value.remove_prefix(sizeof ms);
    take_u64(value, ms);
  }
  return duration{static_cast<int64_t>(ms)};
}

range hints() {
  return {std::string{hint_tag}, std::string{static_cast<char>(hint_tag + 1)}};
}

std::vector<range> ids_between(std::string_view first, std::string_view last) {
  std::vector<range> ids;
  for (auto tag : {record_tag, value_tag}) {
    auto all = range{std::string(1, tag), std::string(1, static_cast<char>(tag + 1))};
    auto from = std::max<std::string_view>(first, all.first);
    auto to = last.empty() ? std::string_view{all.last} : std::min<std::string_view>(last, all.last);
    if (from >= to)
      continue;
    auto id_in = [](std::string_view key) { return std::string{key.substr(1, key.find('\0') - 1)}; };
    ids.push_back({id_in(from), to == all.last ? std::string{} : id_in(to)});
  }
  return ids;
}

bool is_hint(std::string_view key) {
  return key.starts_with(hint_tag);
}

std::string meta(std::string_view name) {
  return tagged(meta_tag, name);
}

range metas(std::string_view prefix) {
  auto first = meta(prefix);
  return {first, past(first)};
}

} // namespace gnomon::keys
