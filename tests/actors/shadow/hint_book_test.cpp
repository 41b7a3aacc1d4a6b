#define CAF_SUITE hint_book
#include "actors/shadow/hint_book.hpp"

#include "storage/keys.hpp"
#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(one_hint_is_enough_for_a_holder_that_is_away) {
  hint_book hints;
  timestamp now{duration{1'000'000}};
  CAF_CHECK(hints.failed("a", ec::peer_gone, now));
  CAF_CHECK(!hints.failed("a", ec::unavailable, now));
  CAF_CHECK(hints.is_written("a"));
  hints.not_written("a");
  CAF_CHECK(hints.failed("a", ec::peer_gone, now));
  CAF_CHECK(hints.erase("a"));
  CAF_CHECK(!hints.erase("a"));
}

CAF_TEST(the_pause_of_a_holder_that_answers_with_errors_doubles_up_to_a_bound) {
  hint_book hints;
  timestamp now{duration{1'000'000}};
  for (auto wanted : {4'000, 8'000, 16'000, 32'000, 64'000, 64'000}) {
    auto hint = hints.failed("a", ec::store_corrupt, now);
    CAF_REQUIRE(hint);
    CAF_CHECK(hint->refused);
    CAF_CHECK(keys::hint_pause(hint->value) == duration{wanted});
  }
  CAF_CHECK(hints.is_resting("a", now));
  CAF_CHECK(!hints.is_resting("a", now + keys::longest_pause));
}

CAF_TEST(a_holder_that_is_slow_has_not_refused_the_item) {
  hint_book hints;
  auto hint = hints.failed("a", ec::timeout, timestamp{});
  CAF_REQUIRE(hint);
  CAF_CHECK(!hint->refused);
  CAF_CHECK(!hints.is_resting("a", timestamp{}));
}

CAF_TEST(a_hint_found_on_disk_goes_on_with_its_pause) {
  timestamp now{duration{1'000'000}};
  hint_book before, after;
  auto hint = before.failed("a", ec::store_corrupt, now);
  after.found_on_disk("a", hint->value);
  CAF_CHECK(after.is_resting("a", now));
  CAF_CHECK(keys::hint_pause(after.failed("a", ec::store_corrupt, now)->value) == duration{8'000});
}
