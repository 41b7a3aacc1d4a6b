#define CAF_SUITE activation
#include "tests/support/cluster_fixture.hpp"

#include <malloc.h>

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  node_counters& counters(const std::string& name) {
    return nodes[name].context->counters;
  }
  uint64_t awake(const std::string& name) {
    return counters(name).active_shadows;
  }

  /// Runs all there is to do, and lets a little time pass; the most shadows that were awake at `name` meanwhile.
  uint64_t most_awake(const std::string& name, int rounds) {
    uint64_t most = 0;
    for (int i = 0; i <= rounds; ++i) {
      if (i > 0)
        sched.clock().advance_time(60ms);
      while (sched.try_run_once())
        most = std::max(most, awake(name));
    }
    return most;
  }

  template <class Message>
  auto ask_all(const std::string& name, const std::vector<Message>& messages) {
    std::vector<decltype(self->request(nodes[name].context->handles.get()->router, caf::infinite, messages.front()))>
        asked;
    for (const auto& message : messages)
      asked.push_back(self->request(nodes[name].context->handles.get()->router, caf::infinite, message));
    return asked;
  }

  std::vector<write_item> writes(int count, const std::string& user = {}) {
    std::vector<write_item> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(write_of("x/" + std::to_string(i), "1"));
      all.back().user = user;
    }
    return all;
  }

  void fall_asleep() {
    for (int i = 0; i < 4; ++i)
      pass_time(1s);
    for (const auto& name : names)
      CAF_REQUIRE_EQUAL(awake(name), 0u);
  }

  /// What a gateway does after a hit in the read index.
  void read_from_index(const std::string& name, const std::string& id) {
    auto entry = nodes[name].context->index.find(id);
    CAF_REQUIRE(entry != nullptr);
    entry->last_read_ms.store(time->now().time_since_epoch().count());
    self->send(nodes[name].context->handles.get()->agent,
               access_batch{{{.id = id, .user = "", .at = time->now(), .from_index = true}}});
    sched.run();
  }

  copy_report report_of(const std::string& name, const std::string& id) {
    for (auto& line : unbox(ask<shadow_report>(name, get_shadow_status{id})).copies)
      if (line.node == name)
        return line;
    CAF_FAIL("no copy at " << name);
    return {};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(activation_tests, fixture)

CAF_TEST(not_more_shadows_are_awake_than_are_allowed_and_all_requests_are_answered) {
  config.max_active_shadows = 2 * shard_count;
  begin(1);
  auto asked = ask_all("a", writes(600));
  CAF_CHECK(most_awake("a", 30) <= config.max_active_shadows);
  int stored = 0;
  for (auto& one : asked)
    std::move(one).receive([&](const write_receipt&) { ++stored; },
                           [&](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
  CAF_CHECK_EQUAL(stored, 600);
}

CAF_TEST(a_bound_that_is_full_of_busy_shadows_refuses_what_waits_too_long) {
  config.max_active_shadows = shard_count;
  begin(1);
  put("a", "x/0", "1");
  heartbeats(); // nobody needs to be asked who has the items
  for (const auto& other : {"b", "c", "d"})
    network->silent.insert({"a", other});
  auto messages = writes(300);
  for (auto& w : messages) {
    w.acks = 2; // never comes
    w.id = "y/" + w.id;
  }
  auto asked = ask_all("a", messages);
  CAF_CHECK(most_awake("a", 10) <= config.max_active_shadows);
  for (int i = 0; i < 8; ++i)
    pass_time(1s);
  std::map<ec, int> answers;
  for (auto& one : asked)
    std::move(one).receive([&](const write_receipt&) { ++answers[ec{}]; },
                           [&](const caf::error& e) { ++answers[code_of(e)]; });
  CAF_CHECK(answers[ec::overloaded] > 0);
  CAF_CHECK_EQUAL(answers[ec::overloaded] + answers[ec::not_enough_acks], 300);
  CAF_CHECK_EQUAL(counters("a").activations_refused.load(), static_cast<uint64_t>(answers[ec::overloaded]));
}

CAF_TEST(shadows_that_ended_leave_nothing_behind) {
  config.max_active_shadows = shard_count;
  begin(1);
  for (const auto& w : writes(300))
    CAF_CHECK(put("a", w.id, "1"));
  auto wake_all = [&] {
    for (int round = 0; round < 4; ++round) {
      for (const auto& w : writes(300)) {
        read_item r;
        r.id = w.id;
        self->send(nodes["a"].context->handles.get()->router, r);
      }
      most_awake("a", 20);
      while (!self->mailbox().empty())
        self->receive([](const item_versions&) {}, [](const caf::error& e) { CAF_FAIL(sentence_of(e)); });
    }
    fall_asleep();
    return ::mallinfo2().uordblks;
  };
  wake_all();
  auto before = wake_all();
  auto after = wake_all();
  CAF_CHECK(after < before + 1200 * 600); // a shadow's block alone has 1.7 KB
}

CAF_TEST(a_shard_that_is_killed_ends_its_shadows) {
  begin(1);
  put("a", "x", "1");
  CAF_REQUIRE_EQUAL(awake("a"), 1u);
  auto running = sys.registry().running();
  caf::anon_send_exit(nodes["a"].context->shard("x"), caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(sys.registry().running(), running - 2);
}

CAF_TEST(reads_from_the_index_wake_nobody_and_write_nothing) {
  begin(1);
  for (const auto& w : writes(50))
    put("a", w.id, "1");
  fall_asleep();
  auto before = counters("a").store_writes.load();
  for (int i = 0; i < 50; ++i)
    read_from_index("a", "x/" + std::to_string(i));
  CAF_CHECK_EQUAL(awake("a"), 0u);
  pass_time(1s);
  CAF_CHECK_EQUAL(counters("a").store_writes.load(), before);
  read_from_index("a", "x/7");
  CAF_CHECK_EQUAL(report_of("a", "x/7").reads, 2u); // counted all the same
}

CAF_TEST(a_shadow_that_is_read_through_the_index_only_does_not_expire) {
  begin(1);
  put("a", "x", "1");
  get("b", "x");
  fall_asleep();
  for (int i = 0; i < 10; ++i) {
    pass_time(20s);
    read_from_index("b", "x");
    nodes["b"].context->index.find("x");
  }
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  nodes["b"].context->index.clear(); // evicted: the last read is known all the same
  pass_time(50s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  pass_time(61s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
}

CAF_TEST(a_rule_that_is_not_about_residency_wakes_nobody) {
  begin(1);
  for (const auto& w : writes(40, "ann"))
    CAF_CHECK(ask<write_receipt>("a", w));
  fall_asleep();
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::user, "bob", R"({"residency": ["region-b"]})"}));
  most_awake("a", 100);
  pass_time(1s);
  fall_asleep();
  for (auto text : {R"({"factor": 1})", R"({"ttl": 60})", R"({"residency": []})", ""}) {
    auto before = counters("a").store_writes.load();
    CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::user, "ann", text}));
    CAF_CHECK_EQUAL(most_awake("a", 60), 0u);
    CAF_CHECK_EQUAL(counters("a").store_writes.load(), before + 1);
  }
}

CAF_TEST(a_users_rule_moves_away_what_that_user_created_and_nothing_else) {
  begin(1);
  for (int i = 0; i < 20; ++i) {
    auto w = write_of("x/" + std::to_string(i), "1");
    w.user = i % 2 ? "ann" : "bob";
    CAF_CHECK(ask<write_receipt>("a", w));
  }
  fall_asleep();
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::user, "ann", R"({"residency": ["region-b"]})"}));
  CAF_CHECK(nodes["a"].context->index.find("x/1") == nullptr);
  CAF_CHECK(nodes["a"].context->index.find("x/2") != nullptr);
  for (int i = 0; i < 4; ++i)
    pass_time(1s);
  for (int i = 0; i < 20; ++i)
    CAF_CHECK_EQUAL(copies("x/" + std::to_string(i)), i % 2 ? "b:durable" : "a:durable");
}

CAF_TEST(setting_one_policy_tells_and_answers_that_one_only) {
  begin(1);
  for (int i = 0; i < 20; ++i)
    CAF_CHECK_EQUAL(
        unbox(ask<policy_list>("a", put_policy{policy_scope::user, "u" + std::to_string(i), R"({"factor": 1})"}))
            .entries.size(),
        1u);
  auto all = unbox(ask<policy_list>("b", exchange_policies{})).entries;
  CAF_CHECK_EQUAL(all.size(), 20u);
  auto one = all.front();
  ++one.stamp.millis;
  one.text = R"({"factor": 2})";
  auto region = nodes["b"].context->handles.get()->region;
  auto tell = [&](exchange_policies news) {
    policy_list lacked;
    auto asked = self->request(region, caf::infinite, std::move(news));
    sched.run();
    std::move(asked).receive([&](const policy_list& got) { lacked = got; }, [](const caf::error&) {});
    return lacked.entries.size();
  };
  CAF_CHECK_EQUAL(tell({{one}}), 0u);
  CAF_CHECK_EQUAL(tell({{all.front()}}), 1u);           // is older than what is here
  CAF_CHECK_EQUAL(tell({{one}, {}, false, true}), 19u); // that is all the sender has
}

CAF_TEST_FIXTURE_SCOPE_END()
