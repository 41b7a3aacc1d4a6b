#define CAF_SUITE feed
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

/// Asks again and again, as a client's session does.
struct follower_state {
  follower_state() = default;
  router_actor router;
  follow_changes request;
  std::shared_ptr<std::vector<change>> heard;
};

using follower_actor = caf::typed_actor<caf::reacts_to<tick_a>>;

follower_actor::behavior_type follower(follower_actor::stateful_pointer<follower_state> self, router_actor router,
                                       follow_changes request, std::shared_ptr<std::vector<change>> heard) {
  self->state.router = std::move(router);
  self->state.request = std::move(request);
  self->state.heard = std::move(heard);
  self->send(self, tick_a_v);
  return {[=](tick_a) {
    auto& s = self->state;
    self->request(s.router, caf::infinite, s.request)
        .then(
            [=](const change_page& page) {
              auto& all = self->state;
              all.heard->insert(all.heard->end(), page.changes.begin(), page.changes.end());
              all.request.after = page.position;
              self->send(self, tick_a_v);
            },
            [](const caf::error&) {});
  }};
}

struct fixture : cluster_fixture {
  std::shared_ptr<std::vector<change>> heard = std::make_shared<std::vector<change>>();
  follower_actor listener;

  ~fixture() {
    stop_listening();
  }
  void stop_listening() {
    caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
    sched.run();
  }
  /// The position of the last change that was heard.
  std::string stop_after_a_while() {
    pass_time(1s);
    stop_listening();
    return heard->back().position;
  }
  void listen(const std::string& at, follow_scope scope, const std::string& name, const std::string& after = {},
              bool values = false) {
    heard = std::make_shared<std::vector<change>>();
    follow_changes request{scope, name, after, 10s, true, values};
    listener = sys.spawn(follower, nodes[at].context->handles.get()->router, request, heard);
    pass_time(1s);
  }
  std::string kinds() const {
    std::string all;
    for (const auto& what : *heard)
      all += (all.empty() ? "" : " ") + what.kind + (what.id.empty() ? "" : ":" + what.id)
             + (what.missed > 0 ? "+" + std::to_string(what.missed) : "");
    return all;
  }
  version_vector context(const std::string& at, const std::string& id) {
    return unbox(get(at, id)).versions.context;
  }
  void replace(const std::string& at, const std::string& id, const std::string& value) {
    CAF_REQUIRE(put(at, id, value, context(at, id)));
  }
  void remove(const std::string& at, const std::string& id) {
    auto request = write_of(id, "");
    request.deleted = true;
    CAF_REQUIRE(ask<write_receipt>(at, request));
  }
  void cut(const std::string& one, const std::string& other, bool on) {
    for (const auto& pair : {std::pair{one, other}, std::pair{other, one}})
      on ? (void)network->cut.insert(pair) : (void)network->cut.erase(pair);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(feed_tests, fixture)

CAF_TEST(a_follower_hears_each_write_once_wherever_it_is_made) {
  begin(2);
  listen("c", follow_scope::item, "x");
  CAF_CHECK(heard->empty());
  CAF_CHECK(put("a", "x", "1"));
  replace("b", "x", "2");
  replace("d", "x", "3");
  replace("c", "x", "4");
  remove("a", "x");
  CAF_CHECK(put("a", "y", "1"));
  pass_time(5s);
  CAF_CHECK_EQUAL(kinds(), "written:x written:x written:x written:x deleted:x");
  version_vector seen;
  for (const auto& what : *heard) {
    auto context = unbox(version_vector::from_text(what.context));
    CAF_CHECK(context.covers(seen));
    seen = context;
  }
}

CAF_TEST(following_makes_no_copy) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("c", follow_scope::item, "x");
  replace("a", "x", "2");
  CAF_CHECK_EQUAL(kinds(), "present:x written:x");
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
}

CAF_TEST(writes_that_do_not_know_of_each_other_are_both_told) {
  begin(2);
  CAF_CHECK(put("a", "x", "0"));
  listen("d", follow_scope::item, "x");
  auto before = context("a", "x");
  CAF_CHECK(put("a", "x", "1", before));
  CAF_CHECK(put("b", "x", "2", before));
  pass_time(5s);
  CAF_CHECK_EQUAL(kinds(), "present:x written:x written:x");
  CAF_CHECK_EQUAL(heard->back().etag, unbox(get("a", "x")).versions.etag());
}

CAF_TEST(a_prefix_is_followed) {
  begin(1);
  for (const auto* id : {"news/1", "news/2", "other"})
    CAF_CHECK(put("a", id, "1"));
  CAF_CHECK(put("b", "news/3", "1"));
  remove("a", "news/2");
  listen("c", follow_scope::prefix, "news/");
  CAF_CHECK_EQUAL(kinds(), "present:news/1 present:news/3");
  CAF_CHECK(put("d", "news/4", "1"));
  CAF_CHECK(put("d", "old/4", "1"));
  CAF_CHECK_EQUAL(kinds(), "present:news/1 present:news/3 written:news/4");
}

CAF_TEST(an_end_by_itself_is_told_once) {
  begin(2);
  listen("d", follow_scope::item, "x");
  auto request = write_of("x", "1");
  request.expires = time->now() + 10s;
  CAF_CHECK(ask<write_receipt>("a", request));
  for (int i = 0; i < 20; ++i)
    pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "written:x expired:x");
}

CAF_TEST(a_follower_goes_on_where_it_was) {
  begin(2);
  listen("c", follow_scope::item, "x");
  CAF_CHECK(put("a", "x", "1"));
  auto after = stop_after_a_while();
  replace("a", "x", "2");
  replace("b", "x", "3");
  listen("c", follow_scope::item, "x", after);
  CAF_CHECK_EQUAL(kinds(), "written:x written:x");
}

CAF_TEST(after_a_restart_of_the_node_a_follower_hears_of_a_gap_and_of_what_there_is) {
  begin(2);
  listen("c", follow_scope::prefix, "x");
  CAF_CHECK(put("a", "x1", "1"));
  CAF_CHECK(put("a", "x2", "1"));
  auto after = stop_after_a_while();
  restart("c");
  remove("a", "x1");
  listen("c", follow_scope::prefix, "x", after);
  CAF_CHECK_EQUAL(kinds(), "gap deleted:x1 present:x2");
  replace("b", "x2", "2");
  CAF_CHECK_EQUAL(kinds(), "gap deleted:x1 present:x2 written:x2");
}

CAF_TEST(one_that_was_away_for_long_hears_of_a_gap) {
  begin(1);
  listen("c", follow_scope::item, "x");
  CAF_CHECK(put("a", "x", "1"));
  auto after = stop_after_a_while();
  for (int i = 0; i < 30; ++i)
    pass_time(15s);
  replace("a", "x", "2");
  listen("c", follow_scope::item, "x", after);
  CAF_CHECK_EQUAL(kinds(), "gap present:x");
}

CAF_TEST(what_was_written_while_the_nodes_were_cut_off_is_told_afterwards) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("c", follow_scope::item, "x");
  cut("a", "c", true);
  pass_time(5s);
  replace("a", "x", "2");
  replace("a", "x", "3");
  pass_time(5s);
  CAF_CHECK_EQUAL(kinds(), "present:x");
  cut("a", "c", false);
  pass_time(5s);
  CAF_CHECK_EQUAL(kinds(), "present:x written:x written:x");
}

CAF_TEST(a_node_that_starts_anew_may_have_taken_changes_with_it) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("c", follow_scope::item, "x");
  cut("a", "c", true);
  pass_time(5s);
  replace("a", "x", "2");
  restart("a");
  cut("a", "c", false);
  for (int i = 0; i < 5; ++i)
    pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "present:x gap present:x");
  CAF_CHECK_EQUAL(heard->back().context, context("a", "x").to_text());
}

CAF_TEST(a_node_that_could_not_be_asked_at_the_beginning_may_have_more) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  cut("a", "c", true);
  listen("c", follow_scope::item, "x");
  for (int i = 0; i < 3; ++i)
    pass_time(2s);
  cut("a", "c", false);
  for (int i = 0; i < 3; ++i)
    pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "gap present:x");
}

CAF_TEST(a_shadow_that_dies_may_have_taken_a_change_with_it) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("c", follow_scope::item, "x");
  nodes["a"].context->index.clear();
  read_item request;
  request.id = "x";
  CAF_CHECK(fails_in_shadow<item_versions>("a", request));
  pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "present:x gap:x present:x");
  replace("a", "x", "2");
  pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "present:x gap:x present:x written:x");
}

CAF_TEST(of_many_gaps_a_follower_that_was_away_hears_one) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("a", follow_scope::item, "x");
  replace("a", "x", "2");
  auto after = stop_after_a_while();
  read_item request;
  request.id = "x";
  for (int i = 0; i < 5; ++i) {
    nodes["a"].context->index.clear();
    CAF_CHECK(fails_in_shadow<item_versions>("a", request));
    pass_time(2s);
  }
  listen("a", follow_scope::item, "x", after);
  pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "gap:x present:x");
}

CAF_TEST(values_come_on_request_unless_they_were_replaced) {
  begin(1);
  CAF_CHECK(put("a", "x", "1"));
  listen("c", follow_scope::item, "x", {}, true);
  CAF_REQUIRE_EQUAL(kinds(), "present:x");
  CAF_CHECK(heard->back().has_value);
  CAF_CHECK_EQUAL(heard->back().value, "1");
  replace("a", "x", "2");
  pass_time(1s);
  CAF_REQUIRE_EQUAL(kinds(), "present:x written:x");
  CAF_CHECK_EQUAL(heard->back().value, "2");
}

CAF_TEST(the_cluster_is_followed) {
  begin(1);
  pass_time(2s);
  listen("c", follow_scope::cluster, "");
  CAF_CHECK(kinds().find("node-up:a") != std::string::npos);
  heard->clear();
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "x", R"({"factor": 1})"}));
  heartbeats();
  pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "policy:type:x");
  CAF_CHECK(put("a", "x", "1"));
  pass_time(2s);
  CAF_CHECK_EQUAL(kinds(), "policy:type:x");
}

CAF_TEST(a_bad_position_is_refused) {
  begin(1);
  auto answer = ask<change_page>("a", follow_changes{follow_scope::item, "x", "yesterday", 0s});
  CAF_REQUIRE(!answer);
  CAF_CHECK(code_of(answer.error()) == ec::invalid_argument);
}

CAF_TEST_FIXTURE_SCOPE_END()
