#define CAF_SUITE shadow_residency
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  void rule(const std::string& at, policy_scope scope, const std::string& name, const std::string& regions) {
    CAF_CHECK(ask<policy_list>(at, put_policy{scope, name, R"({"residency": [)" + regions + "]}"}));
  }

  expected<write_receipt> put_as(const std::string& user, const std::string& at, const std::string& id,
                                 const std::string& value, version_vector seen = {}) {
    auto w = write_of(id, value, std::move(seen));
    w.user = user;
    return ask<write_receipt>(at, w);
  }

  void settle() {
    for (int i = 0; i < 4; ++i) {
      heartbeats();
      pass_time(1s);
    }
  }

  /// True when a node's disk or index has anything of the item's value.
  bool keeps(const std::string& name, const std::string& id) {
    auto range = keys::values(id);
    auto page = unbox(nodes[name].database->scan(range.first, range.last, 10, true));
    return !page.entries.empty() || nodes[name].context->index.peek(id) != nullptr;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_residency_tests, fixture)

CAF_TEST(a_rule_that_arrives_while_a_copy_is_fetched_keeps_it_away) {
  begin(1);
  for (int steps = 0; steps < 60; ++steps) {
    auto type = "t" + std::to_string(steps);
    auto id = type + "/x";
    put("a", id, "1");
    auto reading =
        self->request(nodes["c"].context->handles.get()->router, caf::infinite, read_item{id, {}, {}, false, false});
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    rule("c", policy_scope::type, type, R"("region-a", "region-b")");
    std::move(reading).receive([](const item_versions& got) { CAF_CHECK_EQUAL(got.values.front().view(), "1"); },
                               [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
    settle(); // where the copy was there first it has to go
    CAF_CHECK_EQUAL(copies(id), "a:durable");
    CAF_CHECK(!keeps("c", id));
    CAF_CHECK_EQUAL(value("c", id), "1");
    CAF_CHECK(!keeps("c", id));
  }
}

CAF_TEST(a_write_under_way_when_a_rule_arrives_does_not_stay) {
  begin(1);
  for (int steps = 0; steps < 60; ++steps) {
    auto type = "t" + std::to_string(steps);
    auto id = type + "/x";
    auto writing = self->request(nodes["c"].context->handles.get()->router, caf::infinite, write_of(id, "1"));
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    rule("c", policy_scope::type, type, R"("region-a", "region-b")");
    auto stored = false;
    std::move(writing).receive([&](const write_receipt&) { stored = true; }, [](const caf::error&) {});
    settle();
    CAF_CHECK(!keeps("c", id));
    if (stored)
      CAF_CHECK_EQUAL(value("a", id), "1");
  }
}

CAF_TEST(an_update_under_way_when_a_rule_arrives_does_not_stay) {
  begin(1);
  for (int steps = 0; steps < 60; ++steps) {
    auto type = "t" + std::to_string(steps);
    auto id = type + "/x";
    auto first = unbox(put("a", id, "1"));
    get("c", id);
    CAF_CHECK_EQUAL(copies(id), "a:durable c:shadow");
    self->send(nodes["a"].context->handles.get()->router, write_of(id, "2", first.context));
    for (int i = 0; i < steps; ++i)
      sched.try_run_once();
    rule("c", policy_scope::type, type, R"("region-a")");
    settle();
    CAF_CHECK_EQUAL(copies(id), "a:durable");
    CAF_CHECK(!keeps("c", id));
    CAF_CHECK_EQUAL(value("a", id), "2");
  }
}

CAF_TEST(the_rule_of_each_versions_user_has_to_allow_a_region) {
  begin(1);
  rule("a", policy_scope::user, "ann", R"("region-a", "region-b")");
  for (auto [first, second] : {std::pair{"ann", "bob"}, std::pair{"bob", "ann"}}) {
    auto id = std::string{"x/"} + first;
    network->separate("a", "b");
    CAF_CHECK(put_as(first, "a", id, "1"));
    CAF_CHECK(put_as(second, "b", id, "2"));
    network->heal();
    settle();
    CAF_CHECK_EQUAL(unbox(get("a", id)).values.size(), 2u);
    CAF_CHECK_EQUAL(unbox(get("c", id)).values.size(), 2u);
    CAF_CHECK(!keeps("c", id));
    create_shadow wish;
    wish.id = id;
    wish.factor = 4;
    CAF_CHECK_EQUAL(unbox(ask<shadow_plan>("a", wish)).copies.size(), 2u);
    CAF_CHECK(!keeps("d", id));
  }
}

CAF_TEST(a_version_that_may_not_be_here_is_not_merged_into_one_that_may) {
  begin(1);
  put_as("bob", "a", "x", "1");
  get("c", "x");
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow");
  rule("c", policy_scope::user, "ann", R"("region-a")");
  CAF_CHECK(put_as("ann", "a", "x", "2", unbox(get("a", "x")).versions.context));
  settle();
  CAF_CHECK_EQUAL(copies("x"), "a:durable"); // what the other one had is of the past
  CAF_CHECK_EQUAL(value("c", "x"), "2");
  CAF_CHECK(!keeps("c", "x"));
}

CAF_TEST(a_delete_reaches_the_copies_that_its_users_rule_would_forbid) {
  begin(1);
  put_as("bob", "a", "x", "1");
  get("c", "x");
  rule("c", policy_scope::user, "ann", R"("region-a")");
  auto end = write_of("x", "", unbox(get("a", "x")).versions.context);
  end.deleted = true;
  end.user = "ann";
  CAF_CHECK(ask<write_receipt>("a", end));
  settle();
  auto got = get("c", "x");
  CAF_CHECK(!got || got->versions.deleted());
}

CAF_TEST(a_write_where_a_copy_moves_away_goes_to_a_holder_that_may_keep_it) {
  begin(2, 2);
  auto first = unbox(put_as("ann", "b", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable");
  network->silent.insert({"b", "a"}); // its copy cannot go yet
  rule("b", policy_scope::user, "ann", R"("region-a", "region-c")");
  CAF_CHECK(keeps("b", "x"));
  network->silent.clear();
  CAF_CHECK(put_as("eve", "b", "x", "2", first.context));
  CAF_CHECK_EQUAL(value("a", "x"), "2");
}

CAF_TEST_FIXTURE_SCOPE_END()
