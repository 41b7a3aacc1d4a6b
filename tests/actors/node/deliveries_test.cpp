#define CAF_SUITE deliveries
#include "actors/node/deliveries.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(an_update_counts_until_its_last_owner_is_gone) {
  deliveries book;
  auto first = book.begin("b");
  auto second = book.begin("b");
  auto also_first = first;
  second.reset();
  first.reset();
  CAF_CHECK_EQUAL(book.of("b").begun, 2u);
  CAF_CHECK_EQUAL(book.of("b").settled, 0u);
  CAF_CHECK_EQUAL(book.under_way("b"), 1u);
  also_first.reset();
  CAF_CHECK_EQUAL(book.of("b").settled, 2u);
  CAF_CHECK_EQUAL(book.of("c").begun, 0u);
}

CAF_TEST(hints_of_earlier_runs_are_there_until_a_search_finds_none) {
  deliveries book;
  CAF_CHECK(book.of("b").hints);
  book.found_no_hints("b", book.hints_made("b"));
  CAF_CHECK(!book.of("b").hints);
}

CAF_TEST(a_hint_that_was_made_during_a_search_is_not_taken_for_delivered) {
  deliveries book;
  auto before = book.hints_made("b");
  auto update = book.begin("b");
  update->leaves_hint();
  update.reset();
  book.found_no_hints("b", before);
  CAF_CHECK(book.of("b").hints);
  book.found_no_hints("b", book.hints_made("b"));
  CAF_CHECK(!book.of("b").hints);
}

CAF_TEST(an_update_may_outlive_the_book) {
  std::shared_ptr<deliveries::update> update;
  {
    deliveries book;
    update = book.begin("b");
  }
  update.reset();
}
