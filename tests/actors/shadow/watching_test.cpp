#define CAF_SUITE watching
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

item_watcher_actor::behavior_type watcher(item_watcher_actor::pointer,
                                          std::shared_ptr<std::vector<item_changed>> heard) {
  return {[=](const item_changed& x) { heard->push_back(x); }};
}

struct fixture : cluster_fixture {
  std::shared_ptr<std::vector<item_changed>> heard = std::make_shared<std::vector<item_changed>>();
  item_watcher_actor listener;

  /// As a session does it, again and again.
  void watch(const std::string& at, const std::string& id) {
    if (!listener)
      listener = sys.spawn(watcher, heard);
    self->send(nodes[at].context->handles.get()->router, watch_a_v, id, listener);
    sched.run();
  }
  void unwatch(const std::string& at, const std::string& id) {
    self->send(nodes[at].context->handles.get()->router, unwatch_a_v, id, listener);
    caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
    listener = nullptr;
    sched.run();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(watching_tests, fixture)

CAF_TEST(watchers_go_on_hearing_of_an_item_whose_shadow_died) {
  begin(1);
  put("a", "x", "1");
  watch("a", "x");
  nodes["a"].context->index.clear();
  read_item request;
  request.id = "x";
  CAF_CHECK(fails_in_shadow<item_versions>("a", request));
  pass_time(1s);
  heard->clear();
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  CAF_CHECK_EQUAL(heard->size(), 1u);
  unwatch("a", "x");
}

CAF_TEST(a_watcher_hears_of_changes_at_other_nodes) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  watch("c", "x");
  CAF_REQUIRE_EQUAL(heard->size(), 1u); // what there is
  CAF_CHECK_EQUAL(copies("x"), "a:durable c:shadow");
  CAF_CHECK(put("a", "x", "2", unbox(get("a", "x")).versions.context));
  CAF_REQUIRE_EQUAL(heard->size(), 2u);
  CAF_CHECK_EQUAL(heard->back().etag, unbox(get("a", "x")).versions.etag());
  unwatch("c", "x");
}

CAF_TEST(a_watcher_hears_of_an_item_that_did_not_exist) {
  begin(1);
  watch("c", "x");
  CAF_CHECK(heard->empty());
  CAF_CHECK(put("a", "x", "1"));
  watch("c", "x");
  CAF_CHECK_EQUAL(heard->size(), 1u);
  CAF_CHECK(put("b", "x", "2", unbox(get("b", "x")).versions.context));
  CAF_CHECK_EQUAL(heard->size(), 2u);
  unwatch("c", "x");
}

CAF_TEST(a_watched_copy_stays) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"ttl": 10})"}));
  CAF_CHECK(put("a", "x/1", "1"));
  watch("c", "x/1");
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable c:shadow");
  for (int i = 0; i < 10; ++i)
    pass_time(5s);
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable c:shadow");
  unwatch("c", "x/1");
  for (int i = 0; i < 10; ++i)
    pass_time(5s);
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable");
}

CAF_TEST(a_rule_keeps_the_copy_of_a_watcher_away) {
  begin(1);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"residency": ["region-a"]})"}));
  heartbeats();
  CAF_CHECK(put("a", "x/1", "1"));
  watch("c", "x/1");
  CAF_CHECK_EQUAL(copies("x/1"), "a:durable");
  unwatch("c", "x/1");
}

CAF_TEST_FIXTURE_SCOPE_END()
