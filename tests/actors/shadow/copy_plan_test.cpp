#define CAF_SUITE copy_plan
#include "actors/shadow/copy_plan.hpp"

#include "actors/node/placement.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

struct fixture {
  holder_map holders;
  place_copies wish;

  fixture() {
    wish.factor = 3;
    wish.min_copies = 2;
  }
  copy_plan plan(const std::string& forbidden = {}) {
    return plan_copies_of(holders, wish, [&](const std::string& node) { return node != forbidden; });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(copy_plan_tests, fixture)

CAF_TEST(a_shadow_becomes_durable_before_a_new_copy_is_made) {
  holders.begin_epoch("a", holder_state::durable);
  holders.begin_epoch("b", holder_state::shadow);
  wish.candidates = {"a", "b", "c", "d"};
  auto todo = plan();
  CAF_REQUIRE_EQUAL(todo.present.size(), 2u);
  CAF_CHECK(!todo.present[0].hears);
  CAF_CHECK(todo.present[1].hears);
  CAF_CHECK(todo.present[1].state == holder_state::durable);
  CAF_CHECK(todo.added == std::vector<holder_state>{holder_state::shadow});
  CAF_CHECK((todo.candidates == std::deque<std::string>{"c", "d"}));
  CAF_CHECK(!todo.falls_short);
}

CAF_TEST(new_copies_are_durable_as_long_as_durable_ones_are_missing) {
  holders.begin_epoch("a", holder_state::durable);
  wish.candidates = {"b", "c"};
  CAF_CHECK((plan().added == std::vector<holder_state>{holder_state::durable, holder_state::shadow}));
}

CAF_TEST(with_one_each_every_candidate_gets_a_shadow_and_no_holder_changes) {
  holders.begin_epoch("a", holder_state::durable);
  holders.begin_epoch("b", holder_state::shadow);
  wish.factor = one_each;
  wish.min_copies = 0;
  wish.candidates = {"b", "c", "d"};
  auto todo = plan("d");
  CAF_CHECK(todo.present[1].state == holder_state::shadow && !todo.present[1].hears);
  CAF_CHECK(todo.added == std::vector<holder_state>{holder_state::shadow});
  CAF_CHECK(todo.candidates == std::deque<std::string>{"c"});
  wish.candidates = {"b"};
  CAF_CHECK(plan().added.empty());
}

CAF_TEST(holders_that_are_away_count_as_lost_and_get_nothing) {
  holders.begin_epoch("a", holder_state::durable);
  holders.begin_epoch("b", holder_state::durable);
  wish.away = {"b"};
  wish.candidates = {"b", "c", "d"};
  auto todo = plan();
  CAF_CHECK_EQUAL(todo.present.size(), 1u);
  CAF_CHECK((todo.candidates == std::deque<std::string>{"c", "d"}));
  CAF_CHECK((todo.added == std::vector<holder_state>{holder_state::durable, holder_state::shadow}));
}

CAF_TEST(a_region_that_a_rule_forbids_gets_no_copy) {
  holders.begin_epoch("a", holder_state::durable);
  wish.candidates = {"b", "c"};
  auto todo = plan("c");
  CAF_CHECK_EQUAL(todo.added.size(), 1u);
  CAF_CHECK(todo.falls_short);
}

CAF_TEST(copies_beyond_the_factor_are_left_alone) {
  for (auto node : {"a", "b", "c", "d"})
    holders.begin_epoch(node, holder_state::durable);
  auto todo = plan();
  CAF_CHECK_EQUAL(todo.present.size(), 4u);
  CAF_CHECK(todo.added.empty());
  CAF_CHECK(!todo.falls_short);
}

CAF_TEST_FIXTURE_SCOPE_END()
