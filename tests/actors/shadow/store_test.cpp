#define CAF_SUITE store
#include "actors/shadow/store.hpp"

#include "storage/keys.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temporary_directory.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

using namespace gnomon;
using test::memory_store;

namespace {

store_batch put(std::string key, std::string value) {
  return {{{std::move(key), blob{std::move(value)}}}, {}};
}

struct fixture : test_coordinator_fixture<> {
  std::shared_ptr<memory_store> memory = std::make_shared<memory_store>();
  context_ptr node = std::make_shared<node_context>(node_identity{}, settings{}, std::make_shared<manual_clock>());

  std::vector<store_actor> stores;

  ~fixture() { // each looks for space again and again
    for (const auto& actor : stores)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    sched.run();
  }

  store_actor spawn_store(std::shared_ptr<kv_store> database) {
    stores.push_back(sys.spawn(store, node, std::move(database)));
    sched.run();
    return stores.back();
  }

  /// Sends the request and hands back the handle that receives the answer later.
  template <class Request>
  auto ask(const store_actor& actor, Request request) {
    return self->request(actor, caf::infinite, std::move(request));
  }

  template <class Answer, class Handle>
  expected<Answer> answer_of(Handle&& handle) {
    expected<Answer> result{make_error(ec::internal)};
    std::move(handle).receive([&](Answer& x) { result = std::move(x); }, [&](caf::error& e) { result = std::move(e); });
    return result;
  }

  template <class Answer, class Request>
  expected<Answer> served(const store_actor& actor, Request request) {
    auto handle = ask(actor, std::move(request));
    sched.run();
    return answer_of<Answer>(std::move(handle));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(store_tests, fixture)

CAF_TEST(a_write_is_answered_after_its_sync_and_can_be_read) {
  auto actor = spawn_store(memory);
  auto receipt = served<store_receipt>(actor, put("key", "value"));
  CAF_REQUIRE(receipt);
  CAF_CHECK_EQUAL(receipt->batch, 1u);
  CAF_CHECK_EQUAL(memory->syncs, 1u);
  auto values = served<store_values>(actor, store_get{{"key", "none"}});
  CAF_REQUIRE(values);
  CAF_CHECK_EQUAL(values->values.at(0).view(), "value");
  CAF_CHECK(values->found == std::vector<bool>({true, false}));
  CAF_CHECK(!values->values.at(1));
}

CAF_TEST(writes_that_wait_together_are_synced_together) {
  auto actor = spawn_store(memory);
  std::vector<decltype(ask(actor, store_batch{}))> handles;
  for (int i = 0; i < 500; ++i)
    handles.push_back(ask(actor, put("key " + std::to_string(i), "value")));
  sched.run();
  for (auto& handle : handles) {
    auto receipt = answer_of<store_receipt>(std::move(handle));
    CAF_CHECK_EQUAL(receipt->batch, 1u);
  }
  CAF_CHECK_EQUAL(memory->syncs, 1u);
  CAF_CHECK_EQUAL(node->counters.store_syncs.load(), 1u);
  CAF_CHECK_EQUAL(node->counters.store_writes.load(), 500u);
}

CAF_TEST(a_group_is_bounded_in_bytes) {
  auto actor = spawn_store(memory);
  std::vector<decltype(ask(actor, store_batch{}))> handles;
  for (int i = 0; i < 20; ++i)
    handles.push_back(ask(actor, put("key " + std::to_string(i), std::string(1u << 20, 'x'))));
  sched.run();
  for (auto& handle : handles)
    CAF_CHECK(answer_of<store_receipt>(std::move(handle)));
  CAF_CHECK(memory->syncs >= 3 && memory->syncs <= 5);
}

CAF_TEST(a_later_batch_of_a_group_prevails_and_erases_follow_puts) {
  auto actor = spawn_store(memory);
  auto first = ask(actor, put("key", "old")), second = ask(actor, put("key", "new"));
  auto third = ask(actor, store_batch{{{"gone", blob{"x"}}}, {"gone"}});
  sched.run();
  for (auto handle : {&first, &second, &third})
    CAF_CHECK(answer_of<store_receipt>(std::move(*handle)));
  auto values = served<store_values>(actor, store_get{{"key", "gone"}});
  CAF_CHECK_EQUAL(values->values.at(0).view(), "new");
  CAF_CHECK(!values->found.at(1));
}

CAF_TEST(a_read_behind_a_write_that_still_waits_sees_it) {
  auto actor = spawn_store(memory);
  auto writing = ask(actor, put("key", "new"));
  auto other = ask(actor, store_get{{"other"}});
  auto reading = ask(actor, store_get{{"other", "key"}});
  sched.run();
  CAF_CHECK(answer_of<store_receipt>(std::move(writing)));
  CAF_CHECK(!answer_of<store_values>(std::move(other))->found.at(0));
  auto values = answer_of<store_values>(std::move(reading));
  CAF_CHECK(values->found == std::vector<bool>({false, true}));
  CAF_CHECK_EQUAL(values->values.at(1).view(), "new");
  CAF_CHECK_EQUAL(memory->syncs, 1u);
}

CAF_TEST(a_range_is_answered_in_order_and_in_pages) {
  auto actor = spawn_store(memory);
  for (auto key : {"b", "a", "d", "c"})
    CAF_CHECK(served<store_receipt>(actor, put(key, "value")));
  auto page = served<store_entries>(actor, store_scan{"a", "d", 2, false});
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->entries.size(), 2u);
  CAF_CHECK(page->more);
  CAF_CHECK_EQUAL(page->entries.back().first, "b");
  CAF_CHECK_EQUAL(page->entries.back().second.view(), "value");
  page = served<store_entries>(actor, store_scan{"c", "d", 2, true});
  CAF_CHECK_EQUAL(page->entries.size(), 1u);
  CAF_CHECK(!page->more);
  CAF_CHECK_EQUAL(page->entries.back().second.size(), 0u);
}

CAF_TEST(a_failed_write_is_an_answer_and_the_store_lives_on) {
  auto actor = spawn_store(memory);
  memory->fail_writes = true;
  auto failed = served<store_receipt>(actor, put("key", "lost"));
  CAF_REQUIRE(!failed);
  CAF_CHECK_EQUAL(code_of(failed.error()), ec::store_failed);
  CAF_CHECK_EQUAL(node->counters.store_failures.load(), 1u);
  CAF_CHECK_EQUAL(node->counters.store_writes.load(), 0u);
  memory->fail_writes = false;
  CAF_CHECK(served<store_receipt>(actor, put("key", "kept")));
  CAF_CHECK_EQUAL(served<store_values>(actor, store_get{{"key"}})->values.at(0).view(), "kept");
}

CAF_TEST(a_failed_read_is_an_answer) {
  auto actor = spawn_store(memory);
  memory->fail_reads = true;
  CAF_CHECK_EQUAL(code_of(served<store_values>(actor, store_get{{"key"}}).error()), ec::store_failed);
  CAF_CHECK_EQUAL(code_of(served<store_entries>(actor, store_scan{}).error()), ec::store_failed);
}

CAF_TEST(a_store_that_ends_answers_those_who_wait) {
  auto actor = spawn_store(memory);
  auto handle = ask(actor, put("key", "value"));
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  sched.run();
  auto answer = answer_of<store_receipt>(std::move(handle));
  CAF_REQUIRE(!answer);
  CAF_CHECK_EQUAL(code_of(answer.error()), ec::unavailable);
  CAF_CHECK_EQUAL(memory->syncs, 0u);
}

CAF_TEST(what_was_acknowledged_is_there_after_reopening) {
  test::temporary_directory dir;
  auto acknowledged = 0;
  {
    std::shared_ptr<kv_store> database = std::move(*open_level_store(dir / "store"));
    auto actor = spawn_store(database);
    std::vector<decltype(ask(actor, store_batch{}))> handles;
    for (int i = 0; i < 200; ++i)
      handles.push_back(ask(actor, put("key " + std::to_string(i), "value")));
    sched.run();
    for (auto& handle : handles)
      acknowledged += static_cast<bool>(answer_of<store_receipt>(std::move(handle)));
    CAF_CHECK_EQUAL(node->counters.store_syncs.load(), 1u);
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    sched.run();
  }
  CAF_CHECK_EQUAL(acknowledged, 200);
  auto database = std::move(*open_level_store(dir / "store"));
  auto page = database->scan("key ", "key!", 1000, true);
  CAF_CHECK_EQUAL(page->entries.size(), 200u);
}

CAF_TEST(hints_on_disk_are_counted_over_repeats_and_starts) {
  auto actor = spawn_store(memory);
  auto hint = [](const std::string& id) { return put(keys::hint("peer", id), ""); };
  auto settle = [](const std::string& id) { return store_batch{{}, {keys::hint("peer", id)}}; };
  for (auto batch : {hint("a"), hint("b"), hint("a"), settle("c"), put("r", "no hint")})
    served<store_receipt>(actor, batch);
  CAF_CHECK_EQUAL(node->counters.hints.load(), 2u);
  served<store_receipt>(actor, settle("a"));
  served<store_receipt>(actor, settle("a"));
  CAF_CHECK_EQUAL(node->counters.hints.load(), 1u);
  memory->fail_writes = true;
  served<store_receipt>(actor, hint("d"));
  CAF_CHECK_EQUAL(node->counters.hints.load(), 1u);
  self->send_exit(actor, caf::exit_reason::kill);
  sched.run();
  actor = nullptr;
  CAF_CHECK_EQUAL(node->counters.hints.load(), 0u);
  actor = spawn_store(memory);
  CAF_CHECK_EQUAL(node->counters.hints.load(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
