#define CAF_SUITE parcels
#include "actors/cluster/parcels.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <random>

using namespace gnomon;

namespace {

parcel make_parcel(uint64_t sequence, size_t bytes, traffic urgency = traffic::client) {
  return {parcel_kind::request, urgency, sequence, std::vector<char>(bytes, static_cast<char>('a' + sequence % 26))};
}

/// A frame of one chunk, with lengths of our choice.
std::string chunk(uint32_t total, uint32_t length, size_t bytes, uint64_t sequence = 1, uint8_t urgency = 0) {
  std::string frame{'\0', static_cast<char>(urgency)};
  auto put = [&](uint64_t value, int size) {
    for (int i = 0; i < size; ++i)
      frame.push_back(static_cast<char>(value >> (8 * i)));
  };
  put(sequence, 8);
  put(total, 4);
  put(length, 4);
  return frame + std::string(bytes, 'x');
}

/// Frames of `out` into `in` until nothing is left, each credited at once.
std::vector<parcel> carry(outbox& out, inbox& in) {
  std::vector<parcel> all;
  for (auto frame = out.next_frame(); !frame.empty(); frame = out.next_frame()) {
    auto some = in.take(frame);
    CAF_REQUIRE(some);
    for (auto& p : *some)
      all.push_back(std::move(p));
    out.credit(frame.size(), 1);
  }
  return all;
}

} // namespace

CAF_TEST(parcels_of_any_size_arrive_as_they_were_sent) {
  std::minstd_rand random{7};
  for (int round = 0; round < 20; ++round) {
    outbox out;
    inbox in;
    std::map<uint64_t, parcel> sent;
    for (uint64_t sequence = 1; sequence <= 50; ++sequence) {
      auto size = size_t{1} + random() % (random() % 4 == 0 ? 300'000 : 500);
      auto p = make_parcel(sequence, size, static_cast<traffic>(random() % 3));
      CAF_REQUIRE(out.push(p));
      sent.emplace(sequence, std::move(p));
    }
    for (auto& p : carry(out, in)) {
      auto i = sent.find(p.sequence);
      CAF_REQUIRE(i != sent.end());
      CAF_CHECK(p.bytes == i->second.bytes && p.urgency == i->second.urgency);
      sent.erase(i);
    }
    CAF_CHECK(sent.empty());
    CAF_CHECK_EQUAL(in.bytes(), 0u);
    CAF_CHECK_EQUAL(out.bytes(), 0u);
  }
}

CAF_TEST(clients_go_before_repair_and_repair_before_prefetch) {
  outbox out;
  inbox in;
  out.push(make_parcel(1, 10, traffic::prefetch));
  out.push(make_parcel(2, 10, traffic::repair));
  out.push(make_parcel(3, 10, traffic::client));
  auto arrived = carry(out, in);
  CAF_REQUIRE_EQUAL(arrived.size(), 3u);
  CAF_CHECK_EQUAL(arrived[0].sequence, 3u);
  CAF_CHECK_EQUAL(arrived[1].sequence, 2u);
  CAF_CHECK_EQUAL(arrived[2].sequence, 1u);
}

CAF_TEST(a_small_parcel_overtakes_a_large_one_that_is_under_way) {
  outbox out;
  inbox in;
  out.push(make_parcel(1, 1u << 20));
  out.credit(0, 0);
  auto first = out.next_frame();
  CAF_CHECK(in.take(first)->empty());
  out.push(make_parcel(2, 10));
  auto next = in.take(out.next_frame());
  CAF_REQUIRE(next);
  CAF_REQUIRE_EQUAL(next->size(), 1u);
  CAF_CHECK_EQUAL(next->front().sequence, 2u);
}

CAF_TEST(what_is_under_way_stays_within_the_window_and_prefetch_leaves_half_of_it) {
  outbox out{{64u << 20, 1000, 256u << 10, 100}};
  out.push(make_parcel(1, 1u << 20, traffic::prefetch));
  while (!out.next_frame().empty())
    ;
  CAF_CHECK(out.under_way() <= 128u << 10);
  out.push(make_parcel(2, 1u << 20, traffic::client));
  while (!out.next_frame().empty())
    ;
  CAF_CHECK(out.under_way() <= 256u << 10);
  CAF_CHECK(out.under_way() > 128u << 10);
  out.credit(out.under_way(), 100);
  CAF_CHECK(!out.next_frame().empty());
}

CAF_TEST(a_window_of_one_frame_still_moves_everything) {
  outbox out{{1u << 20, 1000, 1, 1}};
  inbox in;
  out.push(make_parcel(1, 5000));
  out.push(make_parcel(2, 5, traffic::prefetch));
  CAF_CHECK_EQUAL(carry(out, in).size(), 2u);
}

CAF_TEST(a_full_queue_refuses_but_takes_one_large_parcel_when_it_is_empty) {
  outbox out{{1000, 3, 1u << 20, 100}};
  CAF_CHECK(out.push(make_parcel(1, 5000)));
  CAF_CHECK(!out.push(make_parcel(2, 1)));
  out.clear();
  CAF_CHECK(out.push(make_parcel(3, 900)));
  CAF_CHECK(!out.push(make_parcel(4, 101)));
  CAF_CHECK(out.push(make_parcel(5, 50)));
  CAF_CHECK(out.push(make_parcel(6, 50)));
  CAF_CHECK(!out.push(make_parcel(7, 0)));
}

CAF_TEST(what_is_too_late_is_dropped_unless_it_is_half_sent) {
  outbox out{{64u << 20, 1000, 256u << 10, 100}};
  inbox in;
  auto now = parcel::time_point{} + std::chrono::seconds{100};
  for (uint64_t sequence : {1, 2, 3}) {
    auto p = make_parcel(sequence, sequence == 3 ? 10 : 200'000);
    p.deadline = now;
    out.push(std::move(p));
  }
  out.push(make_parcel(4, 10));
  auto first = in.take(out.next_frame()); // the small ones and the beginning of 1
  CAF_REQUIRE(first);
  CAF_CHECK_EQUAL(first->size(), 2u);
  out.drop_expired(now);
  CAF_CHECK_EQUAL(out.size(), 1u);
  auto rest = carry(out, in);
  CAF_REQUIRE_EQUAL(rest.size(), 1u);
  CAF_CHECK_EQUAL(rest.front().sequence, 1u);
}

CAF_TEST(lengths_that_cannot_be_are_refused_before_anything_is_allocated) {
  auto refused = [](const std::string& frame) {
    inbox in;
    auto result = in.take(frame);
    return !result && code_of(result.error()) == ec::bad_message && in.bytes() == 0;
  };
  CAF_CHECK(refused(chunk(0, 0, 0)));
  CAF_CHECK(refused(chunk(10, 0, 0)));
  CAF_CHECK(refused(chunk(10, 11, 11)));
  CAF_CHECK(refused(chunk(10, 10, 9)));
  CAF_CHECK(refused(chunk(UINT32_MAX, 10, 10)));
  CAF_CHECK(refused(chunk(max_parcel_bytes + 1, 10, 10)));
  CAF_CHECK(refused(chunk(10, UINT32_MAX, 10)));
  CAF_CHECK(refused(chunk(10, 10, 10, 1, 3)));
  CAF_CHECK(refused("\x02" + chunk(10, 10, 10).substr(1)));
  for (size_t n = 1; n < chunk_header_bytes; ++n)
    CAF_CHECK(refused(chunk(10, 10, 10).substr(0, n)));
}

CAF_TEST(a_second_large_parcel_before_the_first_is_complete_is_refused) {
  inbox in;
  CAF_CHECK(in.take(chunk(100, 50, 50, 1)));
  CAF_CHECK(in.take(chunk(100, 50, 50, 2, 1))); // of another urgency
  CAF_CHECK(!in.take(chunk(100, 50, 50, 2)));
  inbox over;
  CAF_CHECK(over.take(chunk(100, 60, 60, 1)));
  CAF_CHECK(!over.take(chunk(100, 60, 60, 1)));
  inbox other_total;
  CAF_CHECK(other_total.take(chunk(100, 60, 60, 1)));
  CAF_CHECK(!other_total.take(chunk(101, 40, 40, 1)));
}
