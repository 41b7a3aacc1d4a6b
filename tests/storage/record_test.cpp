#define CAF_SUITE record
#include "storage/record.hpp"

#include "storage/archive.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

item_record sample() {
  item_record r;
  r.id = "news/eu/1";
  sibling s;
  s.stamp = {1'700'000'000'000, 7};
  s.content_type = "text/plain";
  s.request_id = "r-1";
  s.user = "ada";
  s.expires = timestamp{duration{42}};
  s.bytes = 12;
  s.digest = UINT64_MAX;
  r.versions.write({}, {5, 6}, s);
  s.deleted = true;
  r.versions.write({}, {7, 8}, s);
  r.holders.begin_epoch("us-east-1", holder_state::durable);
  r.holders.begin_epoch("sa-east-1", holder_state::shadow);
  r.lease = {lease_reason::prediction, 0.25, timestamp{duration{1}}, timestamp{duration{2}}, duration{3}};
  r.holding = {5, 6};
  r.pinned = true;
  r.owed = {"ap-south-1", "eu-west-1"};
  r.reads = 9;
  r.cost_bytes = 10;
  r.saved_ms = 11;
  r.requests = {{"r-0", {{5, 6}, 1}, timestamp{duration{7}}}};
  r.wanted.add(12, timestamp{duration{8}});
  return r;
}

bool same(item_record a, item_record b) {
  auto plain = [](item_record& r) {
    return std::tie(r.id, r.versions, r.holders, r.lease.reason, r.lease.confidence.value, r.lease.created,
                    r.lease.last_read, r.lease.ttl, r.holding, r.pinned, r.owed, r.reads, r.cost_bytes, r.saved_ms,
                    r.requests, r.wanted.count.value, r.wanted.since);
  };
  return plain(a) == plain(b);
}

/// As the format before this one had it.
struct older_text {
  item_record r;
  auto fields() {
    return std::tie(r.id, r.versions, r.holders, r.lease, r.holding, r.indexed, r.pinned, r.owed, r.reads, r.cost_bytes,
                    r.saved_ms, r.requests);
  }
};

holder_map random_holders(std::mt19937& random) {
  holder_map result;
  for (auto n = random() % 5; n > 0; --n)
    result.merge("node " + std::to_string(random() % 4),
                 {static_cast<uint32_t>(random() % 3), static_cast<holder_state>(random() % 4)});
  return result;
}

holder_map joined(holder_map a, const holder_map& b) {
  a.merge(b);
  return a;
}

} // namespace

CAF_TEST(a_record_of_the_format_before_is_read) {
  auto older = older_text{sample()};
  auto read = unbox(decode_record(encode_as(frame_kind{'R', 3, "record"}, older)));
  older.r.wanted = {};
  CAF_CHECK(same(read, older.r));
}

CAF_TEST(a_record_comes_back_as_it_was_stored) {
  auto record = sample();
  auto bytes = encode(record);
  auto read = decode_record(bytes);
  CAF_REQUIRE(read);
  CAF_CHECK(same(*read, record));
  CAF_CHECK(same(*decode_record(encode(item_record{})), item_record{}));
  CAF_MESSAGE("a record with two siblings and two holders takes " << bytes.size() << " bytes");
}

CAF_TEST(half_of_the_accesses_are_forgotten_in_a_day) {
  access_count wanted;
  auto start = timestamp{duration{1'000'000}};
  wanted.add(8, start);
  CAF_CHECK_EQUAL(wanted.at(start + 24h), 4.0);
  wanted.add(2, start + 24h);
  CAF_CHECK_EQUAL(wanted.at(start + 48h), 3.0);
  wanted.add(1, start); // a clock that went back
  CAF_CHECK_EQUAL(wanted.at(start + 24h), 7.0);
}

CAF_TEST(a_record_with_any_byte_changed_or_missing_is_corrupt) {
  auto good = encode(sample());
  auto corrupt = [](std::string_view bytes) {
    auto read = decode_record(bytes);
    return !read && code_of(read.error()) == ec::store_corrupt && !sentence_of(read.error()).empty();
  };
  for (size_t i = 0; i < good.size(); ++i) {
    CAF_REQUIRE(corrupt(std::string_view{good}.substr(0, i)));
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    CAF_REQUIRE(corrupt(bad));
  }
  CAF_CHECK(corrupt(good + "x"));
  CAF_CHECK(corrupt(encode_value("not a record")));
}

CAF_TEST(a_record_of_a_later_format_is_named_as_such) {
  auto later = encode(sample());
  later[3] = 99;
  CAF_CHECK_NOT_EQUAL(sentence_of(decode_record(later).error()).find("99"), std::string::npos);
}

CAF_TEST(a_value_comes_back_or_is_corrupt) {
  for (const auto& value : {std::string{}, std::string{"x"}, std::string(100'000, '\0')}) {
    auto stored = encode_value(value);
    auto read = decode_value(stored);
    CAF_REQUIRE(read);
    CAF_CHECK_EQUAL(read->view(), value);
    stored.back() = static_cast<char>(stored.back() + 1);
    CAF_CHECK_EQUAL(code_of(decode_value(stored).error()), ec::store_corrupt);
  }
}

CAF_TEST(holders_merge_in_any_order_to_the_same_map) {
  std::mt19937 random{3};
  for (int i = 0; i < 1000; ++i) {
    auto a = random_holders(random), b = random_holders(random), c = random_holders(random);
    CAF_REQUIRE(joined(a, b) == joined(b, a));
    CAF_REQUIRE(joined(joined(a, b), c) == joined(a, joined(b, c)));
    CAF_REQUIRE(joined(a, a) == a);
    auto before = a;
    CAF_REQUIRE_EQUAL(a.merge(b), a != before);
  }
}

CAF_TEST(a_new_epoch_outweighs_whatever_was_known_before) {
  holder_map here;
  CAF_CHECK(here.state_of("x") == holder_state::left);
  CAF_CHECK(here.find("x") == nullptr);
  here.begin_epoch("x", holder_state::durable);
  here.merge("x", {1, holder_state::left});
  CAF_CHECK(here.current().empty());
  auto old = here;
  here.begin_epoch("x", holder_state::joining);
  CAF_CHECK(!here.merge(old));
  CAF_CHECK(here.state_of("x") == holder_state::joining);
  CAF_CHECK_EQUAL(here.current().size(), 1u);
  CAF_CHECK(here.durable().empty());
}

CAF_TEST(every_node_ranks_the_durable_holders_alike) {
  holder_map a, b;
  for (auto node : {"a", "b", "c", "d"})
    a.merge(node, {1, holder_state::durable});
  for (auto node : {"d", "b", "a", "c"})
    b.merge(node, {2, holder_state::durable});
  b.merge("e", {1, holder_state::shadow});
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    auto id = "item/" + std::to_string(i);
    auto ranked = a.durable_by_rank(id);
    CAF_REQUIRE_EQUAL(ranked.size(), 4u);
    CAF_REQUIRE(ranked == b.durable_by_rank(id));
    ++first[ranked.front()];
  }
  for (const auto& [node, times] : first)
    CAF_CHECK(times > 850 && times < 1150);
}

CAF_TEST(a_lease_without_length_never_ends) {
  struct lease l;
  CAF_CHECK(l.expiry() == timestamp::max());
  l.last_read = timestamp{duration{10}};
  l.ttl = duration{5};
  CAF_CHECK(l.expiry() == timestamp{duration{15}});
}
