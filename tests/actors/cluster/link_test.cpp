#define CAF_SUITE link
#include "actors/cluster/link.hpp"
#include "actors/cluster/packing.hpp"

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

/// What an actor of the test was told, kept outside of it.
struct record {
  std::vector<frame> frames;
  std::vector<credit> credits;
  std::vector<session_over> overs;
  std::vector<session_lost> losses;
};
using record_ptr = std::shared_ptr<record>;

/// The other end of a session that only listens.
link_end_actor::behavior_type silent_end(link_end_actor::pointer, record_ptr seen) {
  return {
      [=](const frame& x) { seen->frames.push_back(x); },
      [=](const credit& x) { seen->credits.push_back(x); },
      [=](const session_over& x) { seen->overs.push_back(x); },
  };
}

/// A gate whose node answers with `end`.
gate_actor::behavior_type gate_to_end(gate_actor::pointer, node_identity who, link_end_actor end) {
  return {
      [=](const hello& theirs) {
        return hello{who, theirs.session, end, 1u << 20, 256};
      },
      [=](const hello_client&) -> caf::result<client_welcome> { return make_error(ec::unavailable); },
  };
}

/// A gate whose node has a link.
gate_actor::behavior_type gate_to_link(gate_actor::pointer self, link_actor link) {
  return {
      [=](const hello& theirs) { return self->delegate(link, theirs); },
      [=](const hello_client&) -> caf::result<client_welcome> { return make_error(ec::unavailable); },
  };
}

membership_actor::behavior_type owner_of(membership_actor::pointer, record_ptr seen, node_identity who) {
  return {
      [=](const ping&) {
        pong answer;
        answer.facts.from = who;
        return answer;
      },
      [=](greet_a, const node_identity&) { return greeting{}; },
      [=](const hello&) -> caf::result<hello> { return make_error(ec::rejected); },
      [=](const session_lost& x) { seen->losses.push_back(x); },
      [](join_a) { return uint32_t{0}; },
      [](tick_a) {},
      [](const catalog_row&) {},
      [](flush_a) {},
  };
}

struct fixture : test_coordinator_fixture<config> {
  struct side {
    record_ptr seen = std::make_shared<record>();
    context_ptr node;
    link_actor link;
  };
  side a, b;
  caf::actor end;
  record_ptr at_end = std::make_shared<record>();

  fixture() {
    settings small;
    small.link_queue_bytes = 1u << 20;
    small.link_queue_messages = 100;
    small.link_credit_messages = 4;
    start(a, "a", "b", small);
    start(b, "b", "a", small);
  }

  ~fixture() {
    for (auto side : {&a, &b}) {
      auto handles = side->node->handles.get();
      caf::anon_send_exit(handles->membership, caf::exit_reason::kill);
      caf::anon_send_exit(handles->region, caf::exit_reason::kill);
      caf::anon_send_exit(side->link, caf::exit_reason::kill);
      side->node->handles.set({});
    }
    sched.run();
  }

  void start(side& s, const std::string& name, const std::string& peer, const settings& limits) {
    node_identity who{"c", name, "region-" + name, name, 1, 1, 0, 0};
    s.node = std::make_shared<node_context>(who, limits, std::make_shared<manual_clock>());
    node_handles handles;
    handles.region = sys.spawn(test::fake_region);
    handles.membership = sys.spawn(owner_of, s.seen, who);
    s.node->handles.set(handles);
    s.link = sys.spawn(gnomon::link, s.node, link_config{peer, handles.membership});
    sched.run();
  }

  void open(const gate_actor& gate) {
    auto answer = self->request(a.link, caf::infinite, open_a_v, gate);
    sched.run();
    answer.receive([](const node_identity& who) { CAF_CHECK_EQUAL(who.node, "b"); },
                   [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
  }

  void open_to_b() {
    open(sys.spawn(gate_to_link, b.link));
  }

  void open_to_end() {
    auto silent = sys.spawn(silent_end, at_end);
    end = caf::actor_cast<caf::actor>(silent);
    open(sys.spawn(gate_to_end, b.node->self, silent));
  }

  auto fetch(const std::string& id, traffic urgency = traffic::client) {
    auto answer = self->request(a.link, caf::infinite, urgency, fetch_item{id, "a"});
    sched.run();
    return answer;
  }

  template <class Handle>
  size_t size_of(Handle&& answer) {
    size_t size = 0;
    std::move(answer).receive([&](const item_copy& copy) { size = copy.values.at(0).size(); },
                              [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
    return size;
  }

  template <class Handle>
  ec failure_of(Handle&& answer) {
    auto code = ec::internal;
    std::move(answer).receive([](const item_copy&) { CAF_FAIL("answered"); },
                              [&](const caf::error& reason) { code = code_of(reason); });
    return code;
  }

  /// Urgency of the parcels in the frames since the last call.
  std::vector<traffic> urgencies() {
    std::vector<traffic> result;
    inbox in;
    for (auto& f : std::exchange(at_end->frames, {})) {
      auto parcels = in.take(f.bytes);
      CAF_REQUIRE(parcels);
      for (auto& p : *parcels)
        result.push_back(p.urgency);
    }
    return result;
  }

  void grant(uint32_t frames) {
    self->send(a.link, credit{session(), 1u << 20, frames});
    sched.run();
  }

  uint64_t session_ = 0;
  uint64_t session() {
    if (!at_end->frames.empty())
      session_ = at_end->frames.front().session;
    return session_;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_tests, fixture)

CAF_TEST(requests_of_any_size_are_answered_through_both_links) {
  open_to_b();
  for (auto size : {0u, 1u, 100u, 70'000u, 900'000u})
    CAF_CHECK_EQUAL(size_of(fetch(std::to_string(size))), size);
}

CAF_TEST(what_the_region_refuses_comes_back_with_its_code_and_sentence) {
  open_to_b();
  fetch("nothing").receive([](const item_copy&) { CAF_FAIL("answered"); },
                           [](const caf::error& reason) {
                             CAF_CHECK_EQUAL(code_of(reason), ec::not_here);
                             CAF_CHECK_EQUAL(sentence_of(reason), "this region is not real");
                           });
}

CAF_TEST(a_ping_is_answered_by_the_peers_membership) {
  open_to_b();
  ping asked;
  asked.from = a.node->self;
  auto answer = self->request(a.link, caf::infinite, traffic::client, asked);
  sched.run();
  answer.receive([](const pong& p) { CAF_CHECK_EQUAL(p.facts.from.node, "b"); },
                 [](const caf::error& reason) { CAF_FAIL(sentence_of(reason)); });
}

CAF_TEST(without_a_session_a_request_fails_at_once) {
  CAF_CHECK_EQUAL(failure_of(fetch("1")), ec::peer_gone);
}

CAF_TEST(without_credit_nothing_more_leaves_and_the_urgent_goes_first_when_there_is_some) {
  open_to_end();
  for (int i = 0; i < 6; ++i)
    fetch("1");
  CAF_CHECK_EQUAL(at_end->frames.size(), 4u);
  session();
  at_end->frames.clear();
  for (auto urgency : {traffic::prefetch, traffic::repair, traffic::client})
    fetch("1", urgency);
  CAF_CHECK(at_end->frames.empty());
  grant(4);
  CAF_CHECK((urgencies() == std::vector{traffic::client, traffic::client, traffic::client, traffic::repair}));
  grant(1); // prefetch may use only half of the window
  CAF_CHECK((urgencies() == std::vector{traffic::prefetch}));
}

CAF_TEST(a_full_queue_refuses_and_says_so) {
  open_to_end();
  for (int i = 0; i < 101; ++i) {
    auto answer = fetch("1");
    if (i == 100)
      CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::overloaded);
  }
}

CAF_TEST(everything_pending_fails_as_soon_as_the_peer_is_gone) {
  open_to_end();
  auto first = fetch("1");
  auto second = fetch("2");
  caf::anon_send_exit(end, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(failure_of(std::move(first)), ec::peer_gone);
  CAF_CHECK_EQUAL(failure_of(std::move(second)), ec::peer_gone);
  CAF_REQUIRE_EQUAL(a.seen->losses.size(), 1u);
  CAF_CHECK_EQUAL(a.seen->losses[0].node, "b");
}

CAF_TEST(a_peer_that_does_not_answer_in_time_is_a_timeout_and_its_late_answer_is_dropped) {
  open_to_b();
  auto answer = fetch("hold");
  sched.clock().advance_time(a.node->config.peer_timeout + 1s);
  sched.run();
  CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::timeout);
  CAF_CHECK_EQUAL(size_of(fetch("5")), 5u);
}

CAF_TEST(an_answer_that_comes_nearer_is_waited_for_and_one_that_does_not_is_late) {
  for (auto stops_half_way : {false, true}) {
    open_to_end();
    at_end->frames.clear();
    auto answer = fetch("1");
    inbox asked;
    auto sequence = unbox(asked.take(at_end->frames.at(0).bytes)).at(0).sequence;
    session();
    item_copy copy;
    copy.values.push_back(blob{std::string(3'000'000, 'x')});
    outbox theirs{{4u << 20, 10, 4u << 20, 1000}};
    theirs.push({parcel_kind::reply, traffic::client, sequence, pack(sys, reply_ok, copy)});
    for (int i = 0; i < 20 && !(stops_half_way && i == 10); ++i) {
      self->send(a.link, frame{session(), theirs.next_frame()});
      sched.run();
      sched.clock().advance_time(3s);
      sched.run();
    }
    if (stops_half_way) {
      CAF_CHECK(self->mailbox().empty());
      sched.clock().advance_time(a.node->config.peer_timeout);
      sched.run();
      CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::timeout);
    } else {
      for (auto rest = theirs.next_frame(); !rest.empty(); rest = theirs.next_frame())
        self->send(a.link, frame{session(), rest});
      sched.run();
      CAF_CHECK_EQUAL(size_of(std::move(answer)), 3'000'000u);
    }
    self->send(a.link, hang_up_a_v);
    sched.run();
  }
}

CAF_TEST(an_update_has_the_time_that_its_size_needs) {
  open_to_end();
  sibling version;
  version.bytes = 640u << 10; // ten seconds at 64 KiB each
  replicate_item update;
  update.copy.id = "1";
  update.copy.versions.write({}, {1, 2}, version);
  update.copy.values.push_back(blob{std::string(version.bytes, 'x')});
  auto answer = self->request(a.link, caf::infinite, traffic::repair, update);
  sched.run();
  sched.clock().advance_time(a.node->config.peer_timeout + 8s);
  sched.run();
  CAF_CHECK(self->mailbox().empty());
  sched.clock().advance_time(5s);
  sched.run();
  std::move(answer).receive([](const replicate_ack&) { CAF_FAIL("answered"); },
                            [](const caf::error& reason) { CAF_CHECK(code_of(reason) == ec::timeout); });
}

CAF_TEST(membership_may_hang_up_and_a_new_session_works) {
  open_to_end();
  auto answer = fetch("1");
  self->send(a.link, hang_up_a_v);
  sched.run();
  CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::peer_gone);
  CAF_CHECK(a.seen->losses.empty());
  open_to_b();
  CAF_CHECK_EQUAL(size_of(fetch("5")), 5u);
}

CAF_TEST(a_link_that_stops_answers_what_is_pending) {
  open_to_end();
  auto answer = fetch("1");
  caf::anon_send_exit(a.link, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::peer_gone);
}

CAF_TEST(a_frame_of_another_session_is_dropped_and_its_sender_told) {
  open_to_end();
  fetch("1");
  auto other = session() + 1;
  auto stranger = std::make_shared<record>();
  auto sender = sys.spawn(silent_end, stranger);
  caf::send_as(sender, a.link, frame{other, "not even a frame"});
  sched.run();
  CAF_REQUIRE_EQUAL(stranger->overs.size(), 1u);
  CAF_CHECK_EQUAL(stranger->overs[0].session, other);
  CAF_CHECK(a.seen->losses.empty());
}

CAF_TEST(a_frame_that_cannot_be_read_ends_the_session) {
  open_to_end();
  auto answer = fetch("1");
  self->send(a.link, frame{session(), "nonsense"});
  sched.run();
  CAF_CHECK_EQUAL(failure_of(std::move(answer)), ec::peer_gone);
  CAF_CHECK_EQUAL(a.seen->losses.size(), 1u);
}

CAF_TEST(requests_of_an_unknown_kind_and_unreadable_ones_are_answered_with_an_error) {
  open_to_end();
  fetch("1");
  auto id = session();
  outbox theirs;
  theirs.push({parcel_kind::request, traffic::client, 7, {'\x7F', 'x'}});
  theirs.push({parcel_kind::request, traffic::client, 8, {'\x01', 'x'}});
  at_end->frames.clear();
  self->send(a.link, frame{id, theirs.next_frame()});
  sched.run();
  inbox in;
  std::vector<parcel> replies;
  for (auto& f : at_end->frames) {
    auto parcels = in.take(f.bytes);
    CAF_REQUIRE(parcels);
    for (auto& p : *parcels)
      replies.push_back(std::move(p));
  }
  CAF_REQUIRE_EQUAL(replies.size(), 2u);
  for (auto& reply : replies) {
    CAF_CHECK(reply.kind == parcel_kind::reply);
    CAF_CHECK_EQUAL(static_cast<ec>(reply.bytes.at(0)), ec::bad_message);
  }
}

CAF_TEST(a_peer_whose_requests_make_no_sense_is_refused_and_at_last_cut_off) {
  open_to_b();
  ping disguised;
  disguised.from.node = "another";
  replicate_item unsorted;
  unsorted.copy.id = "1";
  unsorted.copy.versions.siblings.resize(2);
  auto refused = [&](auto request) {
    auto answer = self->request(a.link, caf::infinite, traffic::client, std::move(request));
    sched.run();
    auto code = ec{};
    answer.receive([](const reply_of<decltype(request)>&) {},
                   [&](const caf::error& reason) { code = code_of(reason); });
    return code;
  };
  CAF_CHECK_EQUAL(refused(fetch_item{"", "a"}), ec::bad_message);
  CAF_CHECK_EQUAL(refused(fetch_item{std::string(5000, 'x'), "a"}), ec::bad_message);
  CAF_CHECK_EQUAL(refused(fetch_item{std::string("a\0b", 3), "a"}), ec::bad_message);
  CAF_CHECK_EQUAL(refused(disguised), ec::bad_message);
  CAF_CHECK_EQUAL(refused(unsorted), ec::bad_message);
  CAF_CHECK(b.seen->losses.empty());
  for (auto i = 0; i < 20 && b.seen->losses.empty(); ++i)
    fetch("");
  CAF_CHECK_EQUAL(b.seen->losses.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
