#define CAF_SUITE copy_search
#include "actors/shadow/copy_search.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

using step = copy_search::step;

struct fixture {
  cluster_view view;

  void add_peer(const std::string& name, bool fresh = true, peer_state state = peer_state::live) {
    peer_view p{};
    p.identity.node = name;
    p.state = state;
    p.fresh = fresh;
    view.peers.push_back(p);
  }

  copy_search search(audience whom) {
    return {0, "m", {}, whom, traffic::client};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(copy_search_tests, fixture)

CAF_TEST(holders_that_are_current_are_asked_first_and_each_once) {
  add_peer("new");
  add_peer("old", false);
  auto s = search(audience::known);
  s.take_candidates({"old", "new"}, {"new", "m"}, true, view);
  CAF_REQUIRE(s.next() == step::ask_holder);
  CAF_CHECK_EQUAL(s.take_holder(), "new");
  s.holder_failed("new", ec::not_here);
  CAF_REQUIRE(s.next() == step::ask_holder);
  CAF_CHECK_EQUAL(s.take_holder(), "old");
  CAF_CHECK(s.next() == step::wait);
  s.holder_failed("old", ec::timeout);
  CAF_CHECK(s.next() == step::give_up);
  CAF_CHECK(s.unreachable() == std::set<std::string>{"old"});
}

CAF_TEST(everyone_is_asked_only_while_the_catalog_may_lack_somebody) {
  auto s = search(audience::all_while_unsure);
  s.take_candidates({}, {}, false, view);
  CAF_CHECK(s.next() == step::ask_everyone);
  auto sure = search(audience::all_while_unsure);
  sure.take_candidates({}, {}, true, view);
  CAF_CHECK(sure.next() == step::give_up);
}

CAF_TEST(a_node_that_says_it_holds_the_item_is_asked_for_it_at_once) {
  add_peer("a");
  add_peer("b");
  add_peer("c", true, peer_state::down);
  auto s = search(audience::all);
  CAF_REQUIRE(s.next() == step::ask_everyone);
  CAF_CHECK_EQUAL(s.take_everyone(view, true).size(), 3u);
  CAF_CHECK(!s.node_answered("c", ec::peer_gone));
  CAF_CHECK(s.node_answered("b", {}));
  CAF_REQUIRE(s.next() == step::ask_holder);
  CAF_CHECK_EQUAL(s.take_holder(), "b");
  s.holder_failed("b", ec::not_here);
  CAF_CHECK(s.next() == step::wait); // a has not answered yet
  CAF_CHECK(s.node_answered("a", ec::not_here));
  CAF_REQUIRE(s.next() == step::ask_everyone);
  CAF_CHECK(s.take_everyone(view, true).empty());
  CAF_CHECK(s.unreachable() == std::set<std::string>{"c"});
}

CAF_TEST(a_node_that_becomes_known_while_the_others_are_asked_is_asked_as_well) {
  add_peer("a");
  auto s = search(audience::all);
  CAF_CHECK_EQUAL(s.take_everyone(view, true).size(), 1u);
  add_peer("b");
  CAF_CHECK(s.node_answered("a", ec::not_here));
  CAF_REQUIRE(s.next() == step::ask_everyone);
  CAF_CHECK(s.take_everyone(view, true) == std::vector<std::string>{"b"});
  CAF_CHECK(s.node_answered("b", ec::not_here));
  CAF_CHECK(s.take_everyone(view, true).empty());
  s.widen({}, audience::all); // by a writer, say
  CAF_CHECK_EQUAL(s.take_everyone(view, true).size(), 2u);
}

CAF_TEST(someone_who_wants_a_durable_copy_widens_the_search_of_a_reader) {
  auto s = search(audience::known);
  s.widen({true, holder_state::durable, {}}, audience::all);
  CAF_CHECK(s.keep.wanted);
  CAF_CHECK(s.keep.as == holder_state::durable);
  CAF_CHECK(s.next() == step::ask_everyone);
  s.keep_away("a");
  CAF_CHECK(!s.keep.wanted);
}

CAF_TEST(a_stale_copy_is_kept_only_for_an_inviter_and_when_all_holders_were_heard) {
  auto s = search(audience::known);
  item_copy copy;
  copy.id = "x";
  copy.versions.siblings.emplace_back().id = {{1, 1}, 1};
  copy.values.resize(1);
  copy.holders.begin_epoch("b", holder_state::durable);
  s.set_aside(copy, "a", conflict_rule::siblings);
  CAF_CHECK_EQUAL(s.stale_at, "a");
  s.joined = true;
  CAF_CHECK(!s.may_keep_aside(true));
  s.inviters.insert("a");
  CAF_CHECK(s.may_keep_aside(true));
  CAF_REQUIRE(s.next() == step::ask_holder);
  CAF_CHECK_EQUAL(s.take_holder(), "b");
  s.holder_failed("b", ec::timeout);
  CAF_CHECK(!s.may_keep_aside(true));
  CAF_CHECK(s.may_keep_aside(false));
}

CAF_TEST_FIXTURE_SCOPE_END()
