#include "runtime/client/snapshot_entry.hpp"

#include "runtime/client/client_values.hpp"
#include "storage/archive.hpp"

namespace gnomon {

namespace {

constexpr std::string_view advice = "take another snapshot, or read it with the version that wrote it";
constexpr frame_kind heading_kind{'B', 1, "heading of a snapshot", advice};
constexpr frame_kind item_kind{'S', 1, "item of a snapshot", advice};
constexpr frame_kind policies_kind{'Q', 1, "list of policies of a snapshot", advice};
constexpr frame_kind end_kind{'E', 1, "end of a snapshot", advice};

struct heading_text {
  std::string node, region;
  timestamp taken{};
  auto fields() {
    return std::tie(node, region, taken);
  }
};

struct end_text {
  uint64_t items = 0, policies = 0;
  auto fields() {
    return std::tie(items, policies);
  }
};

struct item_text {
  std::string id;
  version_set versions;
  std::vector<std::string> values;
  auto fields() {
    return std::tie(id, versions, values);
  }
};

struct policies_text {
  std::vector<policy_entry> entries;
  auto fields() {
    return std::tie(entries);
  }
};

template <class T>
expected<T> read_as(const frame_kind& kind, std::string_view entry) {
  auto result = decode_as<T>(kind, entry);
  if (!result)
    return make_error(ec::bad_message, sentence_of(result.error()));
  return result;
}

template <class T>
T or_throw(expected<T> x) {
  if (!x)
    raise(x.error());
  return std::move(*x);
}

bool is(const frame_kind& kind, std::string_view entry) {
  return entry.size() > 2 && entry[2] == kind.letter;
}

snapshot_item facts_of(const item_copy& copy) {
  snapshot_item facts{copy.id, 0, copy.versions.deleted()};
  for (const auto& value : copy.values)
    facts.bytes += value.size();
  return facts;
}

} // namespace

std::string to_entry(const item_copy& copy) {
  item_text text{copy.id, copy.versions, {}};
  for (const auto& value : copy.values)
    text.values.push_back(value.view());
  return encode_as(item_kind, text);
}

std::string to_entry(const std::vector<policy_entry>& policies) {
  return encode_as(policies_kind, policies_text{policies});
}

expected<item_copy> item_from_entry(std::string_view entry) {
  auto text = read_as<item_text>(item_kind, entry);
  if (!text)
    return text.error();
  item_copy copy{std::move(text->id), std::move(text->versions), {}, {}};
  for (auto& value : text->values)
    copy.values.emplace_back(std::move(value));
  return copy;
}

expected<std::vector<policy_entry>> policies_from_entry(std::string_view entry) {
  auto text = read_as<policies_text>(policies_kind, entry);
  if (!text)
    return text.error();
  return std::move(text->entries);
}

bool holds_policies(std::string_view entry) {
  return is(policies_kind, entry);
}

} // namespace gnomon

namespace gnomon::inline GNOMON_ABI {

std::string to_entry(const snapshot_heading& heading) {
  return encode_as(heading_kind, heading_text{heading.node, heading.region, heading.taken});
}

std::string to_entry(const snapshot_end& end) {
  return encode_as(end_kind, end_text{end.items, end.policies});
}

snapshot_part read_entry(std::string_view entry) {
  if (is(item_kind, entry))
    return facts_of(or_throw(item_from_entry(entry)));
  if (is(policies_kind, entry))
    return snapshot_policies{or_throw(policies_from_entry(entry)).size()};
  if (is(end_kind, entry)) {
    auto text = or_throw(read_as<end_text>(end_kind, entry));
    return snapshot_end{text.items, text.policies};
  }
  auto text = or_throw(read_as<heading_text>(heading_kind, entry));
  return snapshot_heading{text.node, text.region, text.taken};
}

} // namespace gnomon::inline GNOMON_ABI
