// What lies in the store, and what travels as a causal context.
#include "storage/archive.hpp"
#include "storage/bytes.hpp"
#include "storage/keys.hpp"
#include "storage/record.hpp"
#include "tests/fuzz/checksums.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

version_set two_versions() {
  version_set versions;
  sibling first{.stamp = {1'700'000'000'000, 1}, .content_type = "text/plain", .user = "u"};
  first.request_id = "r";
  versions.write({}, {7, 1}, first);
  versions.write({}, {8, 2}, {.bytes = 5, .digest = 9, .deleted = true});
  return versions;
}

item_record full_record() {
  item_record record{.id = "news/1", .versions = two_versions()};
  record.holders.begin_epoch("eu", holder_state::durable);
  record.holders.begin_epoch("us", holder_state::shadow);
  record.owed = {"us"};
  record.requests = {{"r", {{7, 1}, 1}, timestamp{duration{5}}}};
  return record;
}

void use(const item_record& record) {
  record.holders.durable_by_rank(record.id);
  record.versions.etag();
  auto merged = record.versions;
  merged.sync(two_versions());
  merged.end_expired(timestamp{duration{1'800'000'000'000}});
  merged.distinct();
  merged.write(merged.context, {7, 1}, {});
  const auto bytes = encode(record);
  const auto again = decode_record(bytes);
  require(again && encode(*again) == bytes, "a record reads back as it was written");
}

void read_record(std::string_view input) {
  decode_record(input);
  decode_value(input);
  if (auto record = decode_record(with_frame_checksum(input)))
    use(*record);
}

std::vector<std::string> records() {
  return {encode(full_record()), encode(item_record{.id = "a"}), encode_value("value")};
}

void read_versions(std::string_view input) {
  const auto seen = version_vector::from_text(input);
  if (!seen)
    return;
  require(seen->size() <= max_context_entries, "a context has no more entries than allowed");
  require(seen->to_text() == input, "only what is written is read");
  auto merged = two_versions().context;
  merged.merge(*seen);
  require(merged.covers(*seen), "what was merged is covered");
  merged.beyond(*seen);
}

// `input` as the bytes of a context before its checksum: as text a fuzzer changes few of them without being refused.
std::string context_of(std::string_view input) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes{input}, text;
  append_u32(bytes, checksum(input));
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    auto digit = 0u;
    for (auto i = bit; i < bit + 6; ++i)
      digit = digit << 1 | (i < bytes.size() * 8 ? static_cast<uint8_t>(bytes[i / 8]) >> (7 - i % 8) & 1u : 0u);
    text += digits[digit];
  }
  return text;
}

void read_contexts(std::string_view input) {
  read_versions(input);
  read_versions(context_of(input));
}

std::vector<std::string> versions() {
  auto set = two_versions();
  auto context = set.context;
  context.add({{9, 9}, 5});
  const auto bytes_before_checksum = std::string{"\1"} + std::string(7, '\0') + "\7\1\2";
  return {context.to_text(), set.context.to_text(), version_vector{}.to_text(), bytes_before_checksum};
}

void read_keys(std::string_view input) {
  if (auto id = keys::record_id(input))
    require(keys::record(*id) == input, "a key reads back as it was written");
  if (auto name = keys::parse_value(input))
    require(keys::value(name->id, name->version) == input, "a key reads back as it was written");
  keys::parse_expiry(input);
  keys::hint_id("peer", input);
  keys::hint_time(input);
  keys::hint_pause(input);
  keys::hint_refused(input);
  keys::ids_between(input.substr(0, input.size() / 2), input.substr(input.size() / 2));
}

std::vector<std::string> stored_keys() {
  return {keys::record("news/1"), keys::value("a", {{1, 2}, 3}), keys::expiry(timestamp{duration{77}}, "a"),
          keys::hint("peer", "a"), keys::hint_value(timestamp{duration{5}}, duration{10}, true)};
}

const listed record_target{"records", read_record, records};
const listed version_target{"versions", read_contexts, versions};
const listed key_target{"keys", read_keys, stored_keys};

} // namespace
} // namespace gnomon::fuzz
