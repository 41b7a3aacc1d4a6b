#define CAF_SUITE reaping
#include "actors/shadow/reaping.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

using step = reaping::step;
using names = std::vector<std::string>;

version_vector some_context() {
  version_vector context;
  context.add({{1, 1}, 1});
  return context;
}

const steward_answer yes{true, holder_state::durable, some_context(), {}};
const steward_answer no{false, holder_state::durable, {}, {}};
const steward_answer absent{false, holder_state::left, {}, {}};
const steward_answer forgot{true, holder_state::left, {}, {}};

} // namespace

CAF_TEST(a_tombstone_that_is_alone_is_forgotten_at_once) {
  reaping r{some_context(), {}};
  CAF_CHECK(r.next({}).what == step::forget);
}

CAF_TEST(all_holders_confirm_before_any_forgets_and_the_steward_is_the_last) {
  reaping r{some_context(), {}};
  auto first = r.next({"b", "c"});
  CAF_CHECK(first.what == step::ask && first.word == steward_word::confirm);
  CAF_CHECK_EQUAL(first.nodes, (names{"b", "c"}));
  r.heard("b", steward_word::confirm, yes);
  CAF_CHECK(r.next({"b", "c"}).what == step::wait);
  r.heard("c", steward_word::confirm, yes);
  auto second = r.next({"b", "c"});
  CAF_CHECK(second.what == step::ask && second.word == steward_word::reap);
  CAF_CHECK_EQUAL(second.nodes, (names{"b", "c"}));
  r.heard("b", steward_word::reap, forgot);
  r.heard("c", steward_word::reap, forgot);
  CAF_CHECK(r.next({}).what == step::forget);
}

CAF_TEST(a_holder_that_another_one_names_is_asked_too) {
  reaping r{some_context(), {}};
  r.next({"b"});
  r.heard("b", steward_word::confirm, yes);
  auto more = r.next({"b", "c"});
  CAF_CHECK(more.what == step::ask && more.word == steward_word::confirm);
  CAF_CHECK_EQUAL(more.nodes, names{"c"});
  r.heard("c", steward_word::confirm, no);
  CAF_CHECK(r.next({"b", "c"}).what == step::give_up);
}

CAF_TEST(a_holder_that_does_not_answer_ends_the_attempt_when_all_others_have) {
  reaping r{some_context(), {}};
  r.next({"b", "c"});
  r.failed();
  CAF_CHECK(r.next({"b", "c"}).what == step::wait);
  r.heard("c", steward_word::confirm, yes);
  CAF_CHECK(r.next({"b", "c"}).what == step::give_up);
}

CAF_TEST(a_node_that_the_catalog_names_must_not_hold_anything_else) {
  reaping r{some_context(), {"z"}};
  CAF_CHECK_EQUAL(r.next({}).nodes, names{"z"});
  r.heard("z", steward_word::confirm, absent);
  CAF_CHECK(r.next({}).what == step::forget);
}

CAF_TEST(a_stranger_that_holds_the_tombstone_forgets_it_too) {
  reaping r{some_context(), {"z"}};
  r.next({});
  r.heard("z", steward_word::confirm, yes);
  auto move = r.next({});
  CAF_CHECK(move.what == step::ask && move.word == steward_word::reap);
  CAF_CHECK_EQUAL(move.nodes, names{"z"});
  r.heard("z", steward_word::reap, forgot);
  CAF_CHECK(r.next({}).what == step::forget);
}

CAF_TEST(a_holder_that_changed_its_mind_keeps_the_steward_from_forgetting) {
  reaping r{some_context(), {}};
  r.next({"b"});
  r.heard("b", steward_word::confirm, yes);
  CAF_CHECK(r.next({"b"}).word == steward_word::reap);
  r.heard("b", steward_word::reap, no);
  CAF_CHECK(r.next({"b"}).what == step::give_up);
}

CAF_TEST(a_steward_that_was_written_to_gives_up) {
  reaping r{some_context(), {}};
  r.give_up();
  CAF_CHECK(r.next({}).what == step::give_up);
}
