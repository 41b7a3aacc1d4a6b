#define CAF_SUITE supervisor
#include "actors/node/supervisor.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

/// What the children of a test share with it.
struct scene {
  std::vector<std::string> starts; // names, in order
  std::vector<std::string> ends;
  std::map<std::string, caf::actor> current;
  std::map<std::string, int> throw_at_start; // that many times
};
using scene_ptr = std::shared_ptr<scene>;

constexpr restart_rule alone{"child", "test", restart_strategy::one_for_one, 3, 60s, 2s};
constexpr restart_rule with_rest{"first", "test", restart_strategy::rest_for_one, 3, 60s, 2s};
constexpr restart_rule with_all{"each", "test", restart_strategy::one_for_all, 3, 60s, 2s};
constexpr restart_rule tree{"tree", "test", restart_strategy::one_for_one, 1, 60s, 2s};

/// Throws at "throw", ends at exit messages unless it is stubborn.
caf::behavior worker(caf::event_based_actor* self, scene_ptr seen, std::string name, bool stubborn) {
  self->attach_functor([seen, name] { seen->ends.push_back(name); });
  if (stubborn)
    self->set_exit_handler([](const caf::exit_msg&) {});
  return {[](const std::string&) -> std::string { throw std::runtime_error{"as told"}; },
          [](tick_a) { return std::string{"alive"}; }};
}

child_spec child(const scene_ptr& seen, std::string name, const restart_rule& rule = alone, bool stubborn = false) {
  return {name, &rule, [=](caf::actor_system& system) {
            if (seen->throw_at_start[name]-- > 0)
              throw std::runtime_error{"no luck"};
            seen->starts.push_back(name);
            return seen->current[name] = system.spawn(worker, seen, name, stubborn);
          }};
}

struct config : caf::actor_system_config {
  config() {
    add_message_types<caf::id_block::gnomon>();
  }
};

struct fixture : test_coordinator_fixture<config> {
  scene_ptr seen = std::make_shared<scene>();
  supervisor_actor root;
  caf::error root_reason;
  bool root_ended = false;

  void begin(std::vector<child_spec> children) {
    root = sys.spawn(supervisor, supervisor_config{"test", std::move(children)});
    caf::actor_cast<caf::actor>(root)->attach_functor([this](const caf::error& reason) {
      root_ended = true;
      root_reason = reason;
    });
    sched.run();
  }

  ~fixture() {
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
    settle(30s);
  }

  void fail(const std::string& name) {
    caf::anon_send(seen->current.at(name), std::string{"throw"});
    sched.run();
  }

  /// Runs everything that happens within `span`, timeouts included.
  void settle(caf::timespan span) {
    for (auto step = span / 20; span > caf::timespan{0}; span -= step) {
      sched.run();
      sched.advance_time(step);
    }
    sched.run();
  }

  using names = std::vector<std::string>;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

CAF_TEST(children_start_in_order_and_stop_in_reverse) {
  begin({child(seen, "a"), child(seen, "b"), child(seen, "c")});
  CAF_CHECK_EQUAL(seen->starts, (names{"a", "b", "c"}));
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_CHECK_EQUAL(seen->ends, (names{"c", "b", "a"}));
  CAF_CHECK(root_ended);
  CAF_CHECK(root_reason == caf::exit_reason::user_shutdown);
}

CAF_TEST(a_child_that_throws_is_restarted_alone) {
  begin({child(seen, "a"), child(seen, "b"), child(seen, "c")});
  auto before = seen->current["b"];
  fail("b");
  CAF_CHECK_EQUAL(seen->starts, (names{"a", "b", "c", "b"}));
  CAF_CHECK_EQUAL(seen->ends, (names{"b"}));
  CAF_CHECK(seen->current["b"] != before);
  self->send(seen->current["b"], tick_a_v);
  expect((tick_a), from(self).to(seen->current["b"]));
  expect((std::string), from(seen->current["b"]).to(self).with("alive"));
}

CAF_TEST(what_was_started_after_a_rest_for_one_child_is_restarted_with_it) {
  begin({child(seen, "a"), child(seen, "b", with_rest), child(seen, "c"), child(seen, "d")});
  fail("b");
  CAF_CHECK_EQUAL(seen->ends, (names{"b", "d", "c"}));
  CAF_CHECK_EQUAL(seen->starts, (names{"a", "b", "c", "d", "b", "c", "d"}));
}

CAF_TEST(all_are_restarted_with_a_one_for_all_child) {
  begin({child(seen, "a"), child(seen, "b", with_all), child(seen, "c")});
  fail("b");
  CAF_CHECK_EQUAL(seen->ends, (names{"b", "c", "a"}));
  CAF_CHECK_EQUAL(seen->starts, (names{"a", "b", "c", "a", "b", "c"}));
}

CAF_TEST(a_child_that_fails_too_often_takes_its_supervisor_with_it) {
  begin({child(seen, "a"), child(seen, "b")});
  for (int i = 0; i < 3; ++i)
    fail("a");
  CAF_CHECK(!root_ended);
  fail("a");
  CAF_CHECK(root_ended);
  CAF_CHECK_EQUAL(code_of(root_reason), ec::internal);
  CAF_CHECK_EQUAL(seen->ends.back(), "b");
}

CAF_TEST(failures_that_lie_further_apart_than_the_window_are_forgiven) {
  begin({child(seen, "a")});
  for (int i = 0; i < 10; ++i) {
    fail("a");
    sched.advance_time(40s);
  }
  CAF_CHECK(!root_ended);
}

CAF_TEST(a_supervisor_that_gives_up_is_restarted_by_its_own) {
  auto subtree = child_spec{"tree", &tree, [this](caf::actor_system& system) {
                              seen->starts.push_back("tree");
                              auto config = supervisor_config{"tree", {child(seen, "a")}};
                              return caf::actor_cast<caf::actor>(system.spawn(supervisor, std::move(config)));
                            }};
  begin({subtree, child(seen, "b")});
  for (int i = 0; i < 4; ++i)
    fail("a");
  CAF_CHECK_EQUAL(seen->starts, (names{"tree", "b", "a", "a", "a", "a", "tree", "a"}));
  CAF_CHECK(!root_ended);
  for (int i = 0; i < 4; ++i)
    fail("a");
  CAF_CHECK(root_ended);
  CAF_CHECK_EQUAL(seen->ends.back(), "b");
}

CAF_TEST(a_start_that_throws_counts_as_a_failure) {
  seen->throw_at_start["a"] = 3;
  begin({child(seen, "a"), child(seen, "b")});
  CAF_CHECK_EQUAL(seen->starts, (names{"a", "b"}));
  fail("a");
  CAF_CHECK(root_ended);
}

CAF_TEST(a_child_that_never_starts_ends_its_supervisor) {
  seen->throw_at_start["b"] = 1000;
  begin({child(seen, "a"), child(seen, "b")});
  CAF_CHECK(root_ended);
  CAF_CHECK_EQUAL(seen->ends, (names{"a"}));
}

CAF_TEST(a_stubborn_child_is_killed_after_its_grace) {
  begin({child(seen, "a"), child(seen, "b", alone, true)});
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  sched.run();
  sched.advance_time(1999ms);
  sched.run();
  CAF_CHECK(seen->ends.empty());
  sched.advance_time(1ms);
  sched.run();
  CAF_CHECK_EQUAL(seen->ends, (names{"b", "a"}));
  CAF_CHECK(root_ended);
}

CAF_TEST(a_killed_supervisor_leaves_no_orphans) {
  begin({child(seen, "a"), child(seen, "b", alone, true)});
  caf::anon_send_exit(root, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK(root_ended);
  CAF_CHECK_EQUAL(seen->ends.size(), 2u);
}

CAF_TEST(the_documented_restart_rules_are_those_in_force) {
  std::ifstream in{GNOMON_DOCS "/flows/supervision.md"};
  std::ostringstream text;
  text << in.rdbuf();
  const char* restarted[] = {"alone", "with all that started after it", "with all its siblings"};
  for (const auto& rule : restart_rules()) {
    auto seconds = [](duration d) { return std::to_string(d / 1s) + " s"; };
    auto line = "| " + std::string{rule.child} + " | " + std::string{rule.parent} + " | "
                + restarted[static_cast<int>(rule.strategy)] + " | "
                + (rule.restarts == SIZE_MAX ? "any" : std::to_string(rule.restarts)) + " | " + seconds(rule.window)
                + " | " + seconds(rule.grace) + " |\n";
    CAF_CHECK_EQUAL(text.str().find(line) == std::string::npos ? line : "", "");
  }
}

CAF_TEST(every_rule_has_a_parent_that_stands_above_it) {
  std::vector<std::string_view> known{"node", "HTTP server"}; // which have none
  for (const auto& rule : restart_rules()) {
    if (rule.parent != "shard")
      CAF_CHECK(std::find(known.begin(), known.end(), rule.parent) != known.end());
    CAF_CHECK(rule.grace > 0ms && rule.window > 0ms && rule.restarts > 0);
    known.push_back(rule.child);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
