#define CAF_SUITE background_pace
#include "actors/node/background_pace.hpp"
#include "actors/shadow/kept_reads.hpp"

#include <caf/test/dsl.hpp>

#include <vector>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

access_sample read_of(std::string id, int64_t at, uint32_t count = 1) {
  return {std::move(id), {}, timestamp{duration{at}}, count, false};
}

} // namespace

CAF_TEST(no_more_units_are_under_way_than_the_window_allows) {
  background_pace pace;
  std::vector<background_pace::unit> units;
  while (auto unit = pace.begin())
    units.push_back(std::move(unit));
  CAF_CHECK_EQUAL(units.size(), background_pace::most);
  CAF_CHECK_EQUAL(pace.room(), 0u);
  CAF_CHECK_EQUAL(pace.put_off(), 1u);
  units.pop_back();
  CAF_CHECK_EQUAL(pace.room(), 1u);
  CAF_CHECK(pace.begin() != nullptr);
}

CAF_TEST(a_node_that_is_late_does_less_and_less_in_the_background_but_never_nothing) {
  background_pace pace;
  auto before = pace.allowed();
  pace.feel(background_pace::late_from);
  CAF_CHECK_EQUAL(pace.allowed(), before / 2);
  for (int i = 0; i < 100; ++i)
    pace.feel(10s);
  CAF_CHECK_EQUAL(pace.allowed(), background_pace::least);
  CAF_CHECK(pace.begin() != nullptr);
}

CAF_TEST(a_node_that_is_in_time_again_does_more_step_by_step) {
  background_pace pace;
  for (int i = 0; i < 100; ++i)
    pace.feel(1s);
  auto low = pace.allowed();
  pace.feel(0ms);
  CAF_CHECK_EQUAL(pace.allowed(), low + background_pace::step);
  for (int i = 0; i < 1000; ++i)
    pace.feel(0ms);
  CAF_CHECK_EQUAL(pace.allowed(), background_pace::most);
}

CAF_TEST(load_is_the_mean_lateness_of_some_seconds) {
  background_pace pace;
  CAF_CHECK_EQUAL(pace.load(), 0.0);
  for (int pulse = 0; pulse < 5; ++pulse)
    pace.feel(10s);
  CAF_CHECK(pace.load() < 0.11); // half a second counts little, however late it was
  for (int pulse = 0; pulse < 200; ++pulse)
    pace.feel(background_pace::late_from / 2);
  CAF_CHECK(pace.load() > 0.45 && pace.load() < 0.55);
  for (int pulse = 0; pulse < 200; ++pulse)
    pace.feel(background_pace::late_from * 3);
  CAF_CHECK(pace.load() > 0.95 && pace.load() <= 1);
  for (int pulse = 0; pulse < 200; ++pulse)
    pace.feel(0ms);
  CAF_CHECK(pace.load() < 0.05);
}

CAF_TEST(many_answers_of_a_slow_peer_count_once_a_pulse) {
  background_pace pace;
  for (int i = 0; i < 50; ++i)
    pace.peer_is_late();
  CAF_CHECK_EQUAL(pace.allowed(), background_pace::most / 2);
  pace.feel(0ms);
  CAF_CHECK_EQUAL(pace.allowed(), background_pace::most / 2); // it has just learned that
  pace.peer_is_late();
  CAF_CHECK_EQUAL(pace.allowed(), background_pace::most / 4);
}

CAF_TEST(what_waits_for_its_turn_leaves_no_room_for_more) {
  background_pace pace;
  for (uint64_t i = 0; i < pace.allowed(); ++i)
    pace.wait();
  CAF_CHECK_EQUAL(pace.room(), 0u);
  pace.end_wait();
  CAF_CHECK_EQUAL(pace.room(), 1u);
}

CAF_TEST(reads_of_one_item_are_one_entry) {
  kept_reads reads{10};
  CAF_CHECK(!reads.add(read_of("x", 5, 2), {}));
  CAF_CHECK(!reads.add(read_of("x", 9, 3), {}));
  CAF_CHECK(!reads.add(read_of("x", 7), {}));
  auto sum = *reads.take("x");
  CAF_CHECK_EQUAL(sum.count, 6u);
  CAF_CHECK_EQUAL(sum.at.time_since_epoch().count(), 9);
  CAF_CHECK(!reads.take("x"));
}

CAF_TEST(what_was_not_read_for_the_longest_makes_room) {
  kept_reads reads{2};
  reads.add(read_of("a", 1), {});
  reads.add(read_of("b", 2), {});
  reads.add(read_of("a", 3), {});
  CAF_CHECK_EQUAL(reads.add(read_of("c", 4), {})->id, "b");
  CAF_CHECK_EQUAL(reads.size(), 2u);
}

CAF_TEST(reads_are_due_when_half_of_the_lease_has_passed_since_the_first) {
  kept_reads reads{10};
  reads.add(read_of("lease", 100), 60ms);
  reads.add(read_of("lease", 120), 60ms);
  reads.add(read_of("endless", 100), 0ms);
  CAF_CHECK(reads.take_due(timestamp{129ms}).empty());
  auto due = reads.take_due(timestamp{130ms});
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK_EQUAL(due.front().id, "lease");
  CAF_CHECK_EQUAL(due.front().count, 2u);
  CAF_CHECK(reads.take_due(timestamp{9999h}).empty());
  CAF_CHECK_EQUAL(reads.size(), 1u);
}
