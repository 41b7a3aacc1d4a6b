#define CAF_SUITE membership
#include "actors/cluster/membership.hpp"

#include "actors/cluster/packing.hpp"
#include "actors/cluster/parcels.hpp"
#include "actors/node/known_nodes.hpp"
#include "tests/support/fake_region.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

struct config : caf::actor_system_config {
  config() {
    register_messages(*this);
  }
};

/// Notes what is dialed; nobody answers, or everybody with `answer`.
dialer_actor::behavior_type fake_dialer(dialer_actor::pointer, std::shared_ptr<std::vector<std::string>> dialed,
                                        std::shared_ptr<greeting> answer) {
  return {
      [=](dial_a, const std::string& address) -> caf::result<dial_result> {
        dialed->push_back(address);
        if (answer->from.node.empty())
          return make_error(ec::unavailable, "nobody there");
        return dial_result{*answer, gate_actor{}};
      },
      [=](hang_up_a, const std::string&) {},
  };
}

/// A peer's end of a session that never says anything.
link_end_actor::behavior_type silent_end(link_end_actor::pointer) {
  return {
      [](const frame&) {},
      [](const credit&) {},
      [](const session_over&) {},
  };
}

/// A peer's end of a session that answers every ping with these facts, as long as it is told to.
struct answering_state {
  inbox in;
  outbox out{{64u << 20, 65'536, 64u << 20, 65'536}};
};

struct script {
  ping facts;
  bool silent = false;
};

link_end_actor::behavior_type answering_end(link_end_actor::stateful_pointer<answering_state> self,
                                            std::shared_ptr<script> what) {
  return {
      [=](const frame& arrived) {
        auto peer = caf::actor_cast<link_end_actor>(self->current_sender());
        self->send(peer, credit{arrived.session, arrived.bytes.size(), 1});
        auto parcels = self->state.in.take(arrived.bytes);
        for (auto& p : *parcels) {
          if (what->silent || p.kind != parcel_kind::request
              || static_cast<size_t>(p.bytes.front()) != position_of<ping>())
            continue;
          pong answer{what->facts};
          self->state.out.push({parcel_kind::reply, p.urgency, p.sequence, pack(self->system(), reply_ok, answer)});
        }
        for (auto bytes = self->state.out.next_frame(); !bytes.empty(); bytes = self->state.out.next_frame())
          self->send(peer, frame{arrived.session, bytes});
      },
      [](const credit&) {},
      [](const session_over&) {},
  };
}

node_identity named(const std::string& name) {
  return {"c", name, "region-" + name, name + ":1", 1, 1, 0, 0};
}

struct fixture : test_coordinator_fixture<config> {
  context_ptr node;
  membership_actor member;
  link_end_actor end;
  std::shared_ptr<std::vector<std::string>> dialed = std::make_shared<std::vector<std::string>>();
  std::shared_ptr<greeting> answer = std::make_shared<greeting>();
  uint64_t session = 0;

  void start(std::vector<std::string> seeds = {}, std::vector<node_identity> known = {},
             std::vector<std::string> met = {}) {
    settings s;
    s.heartbeat = 100ms;
    s.suspect_after = 500ms;
    s.down_after = 2s;
    node = std::make_shared<node_context>(named("m"), s, std::make_shared<manual_clock>());
    node->steady_ms = [this] {
      return std::chrono::duration_cast<duration>(sched.clock().now().time_since_epoch()).count();
    };
    auto dialer = sys.spawn(fake_dialer, dialed, answer);
    member = sys.spawn(membership, node, membership_config{std::move(seeds), dialer, std::move(known), std::move(met)});
    end = sys.spawn(silent_end);
    sched.run();
  }

  ~fixture() {
    caf::anon_send_exit(member, caf::exit_reason::kill);
    caf::anon_send_exit(end, caf::exit_reason::kill);
    sched.run();
    if (node)
      node->cluster.set({});
  }

  greeting greet(const node_identity& who) {
    greeting result;
    auto request = self->request(member, caf::infinite, greet_a_v, who);
    sched.run();
    request.receive([&](greeting& verdict) { result = verdict; },
                    [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
    return result;
  }

  /// The peer `a`, which has delivered all it had for this node and is fresh.
  std::shared_ptr<script> answering_peer() {
    auto what = std::make_shared<script>();
    what->facts.from = named("a");
    what->facts.fresh = true;
    what->facts.hints = false;
    caf::anon_send_exit(end, caf::exit_reason::kill);
    end = sys.spawn(answering_end, what);
    CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
    return what;
  }

  /// This node was frozen while the peer sent updates, two of which it has not delivered yet.
  std::shared_ptr<script> start_and_freeze() {
    start();
    auto peer = answering_peer();
    pass(1s);
    peer->facts.updates_begun = 9;
    peer->facts.updates_settled = 7;
    sched.clock().advance_time(10s);
    pass(500ms);
    return peer;
  }

  ec say_hello(const node_identity& who) {
    auto code = ec{};
    auto request = self->request(member, caf::infinite, hello{who, ++session, end, 1u << 20, 1000});
    sched.run();
    request.receive([](const hello&) {}, [&](const caf::error& reason) { code = code_of(reason); });
    return code;
  }

  void pass(duration time) {
    for (; time > 0ms; time -= 50ms) {
      sched.clock().advance_time(50ms);
      sched.run();
    }
  }

  peer_state state_of(const std::string& name) {
    auto view = node->cluster.get();
    auto peer = view->find(name);
    return peer == nullptr ? peer_state::unknown : peer->state;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_tests, fixture)

CAF_TEST(the_smaller_name_is_welcome_and_the_larger_is_called_back) {
  start();
  CAF_CHECK(greet(named("a")).verdict == reception::welcome);
  CAF_CHECK(dialed->empty());
  CAF_CHECK(greet(named("z")).verdict == reception::call_back);
  CAF_CHECK((*dialed == std::vector<std::string>{"z:1"}));
  CAF_CHECK_EQUAL(say_hello(named("z")), ec::rejected);
}

CAF_TEST(other_clusters_taken_names_and_taken_regions_are_refused) {
  start();
  auto refused = [&](node_identity who) { return greet(who).verdict == reception::refused; };
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  auto stranger = named("b");
  stranger.cluster = "other";
  CAF_CHECK(refused(stranger));
  auto namesake = named("a");
  namesake.start = 2;
  namesake.address = "elsewhere:1";
  CAF_CHECK(refused(namesake));
  auto neighbour = named("b");
  neighbour.region = "region-m";
  CAF_CHECK(refused(neighbour));
  auto ours = named("m");
  ours.start = 2;
  CAF_CHECK(refused(ours));
  auto restarted = named("a");
  restarted.start = 2;
  CAF_CHECK(greet(restarted).verdict == reception::welcome);
}

CAF_TEST(a_silent_peer_is_suspect_then_down_and_does_not_block_its_successor) {
  start();
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  CAF_CHECK(state_of("a") == peer_state::live);
  pass(600ms);
  CAF_CHECK(state_of("a") == peer_state::suspect);
  pass(1600ms);
  CAF_CHECK(state_of("a") == peer_state::down);
  auto successor = named("a");
  successor.start = 2;
  successor.address = "elsewhere:1";
  CAF_CHECK_EQUAL(say_hello(successor), ec{});
  CAF_CHECK(state_of("a") == peer_state::live);
}

CAF_TEST(a_peer_that_is_down_is_told_of_after_those_that_are_live) {
  start();
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  pass(2200ms);
  CAF_CHECK(state_of("a") == peer_state::down);
  CAF_CHECK_EQUAL(say_hello(named("b")), ec{});
  ping theirs;
  theirs.from = named("b");
  auto request = self->request(member, caf::infinite, theirs);
  sched.run();
  std::string told;
  request.receive(
      [&](const pong& answer) {
        for (const auto& who : answer.facts.known)
          told += who.node + " ";
      },
      [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
  CAF_CHECK_EQUAL(told, "b a ");
}

CAF_TEST(a_seed_is_unmet_until_its_node_has_answered) {
  start({"a:1", "seed:1"});
  pass(200ms);
  CAF_CHECK_EQUAL(node->cluster.get()->unmet_seeds, 2u);
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  CAF_CHECK_EQUAL(node->cluster.get()->unmet_seeds, 1u);
}

CAF_TEST(a_seed_that_an_earlier_run_has_met_is_no_unmet_one) {
  start({"a:1", "gone:1"}, {}, {"gone:1"});
  CAF_CHECK_EQUAL(node->cluster.get()->unmet_seeds, 1u);
}

CAF_TEST(a_majority_that_lacks_a_seed_does_not_know_all_nodes) {
  start({"a:1", "seed:1"}); // `a` and this node are two of three
  answering_peer();
  pass(2s);
  CAF_CHECK(node->is_fresh());
  CAF_CHECK(!knows_all_nodes(*node));
  CAF_CHECK(sentence_of(not_all_nodes_known(*node)).find("1 of its seeds") != std::string::npos);
}

CAF_TEST(a_node_that_has_met_none_of_its_seeds_cannot_know_what_is_current) {
  start({"seed:1"});
  pass(10s);
  CAF_CHECK(!node->is_fresh());
  answering_peer();
  pass(1s);
  CAF_CHECK(node->is_fresh());
}

CAF_TEST(seeds_that_were_never_met_count_as_nodes_of_the_majority) {
  start({"a:1", "seed:1", "seed:2", "seed:3"}); // `a` and this node are two of five
  answering_peer();
  pass(2s);
  CAF_CHECK(!node->is_fresh());
}

CAF_TEST(a_node_that_was_itself_stopped_blames_nobody) {
  start();
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  sched.clock().advance_time(1h);
  sched.run();
  CAF_CHECK(state_of("a") == peer_state::live);
}

CAF_TEST(a_lost_session_makes_the_peer_suspect_at_once) {
  start();
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  caf::anon_send_exit(end, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK(state_of("a") == peer_state::suspect);
}

CAF_TEST(a_node_alone_is_fresh_and_one_cut_off_is_not) {
  start();
  CAF_CHECK(node->is_fresh());
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  pass(200ms);
  CAF_CHECK(!node->is_fresh()); // a never answered a ping
}

CAF_TEST(a_node_that_was_frozen_is_fresh_only_when_what_was_kept_for_it_has_arrived) {
  start();
  auto peer = answering_peer();
  pass(1s);
  CAF_CHECK(node->is_fresh());
  peer->facts.updates_begun = 9; // two were sent while this node was frozen, and are not answered yet
  peer->facts.updates_settled = 7;
  sched.clock().advance_time(10s);
  CAF_CHECK(!node->is_fresh()); // before anybody noticed
  sched.run();
  CAF_CHECK(!node->is_fresh());
  pass(1s);
  CAF_CHECK(!node->is_fresh());
  peer->facts.updates_settled = 9;
  peer->facts.hints = true; // they failed, and left hints
  pass(1s);
  CAF_CHECK(!node->is_fresh());
  CAF_CHECK(node->lapsed_at_ms > 0);
  peer->facts.hints = false;
  pass(200ms);
  CAF_CHECK(node->is_fresh());
  CAF_CHECK_EQUAL(node->lapsed_at_ms.load(), 0);
}

CAF_TEST(a_node_that_is_frozen_while_it_catches_up_begins_anew) {
  auto peer = start_and_freeze();
  CAF_CHECK(!node->is_fresh());
  peer->facts.updates_begun = 12; // three more in the second pause
  peer->facts.updates_settled = 9;
  sched.clock().advance_time(10s);
  pass(500ms);
  CAF_CHECK(!node->is_fresh());
  peer->facts.updates_settled = 12;
  pass(200ms);
  CAF_CHECK(node->is_fresh());
}

CAF_TEST(updates_that_began_after_the_lapse_do_not_hold_a_node_up) {
  auto peer = start_and_freeze();
  CAF_CHECK(!node->is_fresh());
  peer->facts.updates_begun = 30; // there is always something under way
  peer->facts.updates_settled = 9;
  pass(200ms);
  CAF_CHECK(node->is_fresh());
}

CAF_TEST(a_peer_that_started_again_is_asked_anew_what_it_owes) {
  auto peer = start_and_freeze();
  peer->facts.updates_begun = peer->facts.updates_settled = 0;
  pass(200ms);
  CAF_CHECK(node->is_fresh());
}

CAF_TEST(a_peer_says_how_loaded_it_is) {
  start();
  auto peer = answering_peer();
  auto load_of_a = [&] { return node->cluster.get()->find("a")->load; };
  pass(300ms);
  CAF_CHECK_EQUAL(load_of_a(), 0.0);
  peer->facts.load = 0.5;
  pass(300ms);
  CAF_CHECK_EQUAL(load_of_a(), 0.5);
}

CAF_TEST(a_node_that_starts_catches_up_like_one_that_was_frozen) {
  start({}, {named("a")});
  CAF_CHECK(!node->is_fresh());
  auto peer = answering_peer();
  peer->facts.hints = true;
  pass(1s);
  CAF_CHECK(!node->is_fresh());
  peer->facts.hints = false;
  pass(200ms);
  CAF_CHECK(node->is_fresh());
}

CAF_TEST(the_peers_of_the_last_run_count_for_a_majority_though_nobody_has_heard_of_them) {
  start({}, {named("a"), named("b"), named("c"), named("d")});
  answering_peer();
  pass(10s);
  CAF_CHECK(state_of("b") == peer_state::down);
  CAF_CHECK(!node->is_fresh());
}

CAF_TEST(a_peer_that_is_heard_but_does_not_hear_us_is_down) {
  start();
  auto peer = answering_peer();
  pass(1s);
  CAF_CHECK(state_of("a") == peer_state::live);
  peer->silent = true;
  for (int i = 0; i < 20; ++i) {
    self->send(member, peer->facts);
    pass(100ms);
  }
  CAF_CHECK(state_of("a") == peer_state::down);
}

CAF_TEST(a_removed_node_is_forgotten_and_refused_but_its_name_is_free) {
  start();
  CAF_CHECK_EQUAL(say_hello(named("a")), ec{});
  node->removed.update([](removed_nodes& all) { all.add({"a", 1}); });
  pass(200ms);
  CAF_CHECK(node->cluster.get()->find("a") == nullptr);
  CAF_CHECK(node->is_removed("a"));
  auto verdict = greet(named("a"));
  CAF_CHECK(verdict.verdict == reception::removed);
  CAF_CHECK(verdict.sentence.find("empty data_dir") != std::string::npos);
  CAF_CHECK_EQUAL(say_hello(named("a")), ec::rejected);
  auto successor = named("a");
  successor.incarnation = 2;
  successor.start = 2;
  CAF_CHECK(greet(successor).verdict == reception::welcome);
  CAF_CHECK(!node->is_removed("a"));
}

CAF_TEST(a_node_that_is_told_of_its_own_removal_knows_it_from_then_on) {
  *answer = {reception::removed, "m was removed", named("s")};
  start({"seed:1"});
  pass(200ms);
  CAF_CHECK(node->removed.get()->refuses("m", 1));
}

CAF_TEST(whoever_waits_to_join_hears_how_it_went) {
  start({"seed:1", "seed:2"});
  auto request = self->request(member, caf::infinite, join_a_v);
  sched.run();
  request.receive([](uint32_t reached) { CAF_CHECK_EQUAL(reached, 0u); },
                  [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
  *answer = {reception::refused, "no room for m", named("s")};
  pass(1s);
  auto again = self->request(member, caf::infinite, join_a_v);
  sched.run();
  again.receive([](uint32_t) { CAF_FAIL("joined"); },
                [](const caf::error& reason) {
                  CAF_CHECK_EQUAL(code_of(reason), ec::rejected);
                  CAF_CHECK_EQUAL(sentence_of(reason), "no room for m");
                });
}

CAF_TEST(an_address_that_does_not_answer_is_tried_less_and_less_often) {
  start({"seed:1"});
  pass(10s);
  CAF_CHECK(dialed->size() >= 5u);
  CAF_CHECK(dialed->size() <= 10u);
}

CAF_TEST_FIXTURE_SCOPE_END()
