#define CAF_SUITE shadow
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

CAF_TEST_FIXTURE_SCOPE(shadow_tests, cluster_fixture)

CAF_TEST(a_read_in_another_region_is_answered_and_leaves_a_shadow_there) {
  begin(1);
  CAF_CHECK(put("a", "news/1", "hello"));
  CAF_CHECK_EQUAL(copies("news/1"), "a:durable");
  auto first = unbox(get("c", "news/1"));
  CAF_CHECK_EQUAL(first.values.front().view(), "hello");
  CAF_CHECK_EQUAL(first.served_by, "a");
  CAF_CHECK(first.copy == copy_kind::remote);
  CAF_CHECK_EQUAL(copies("news/1"), "a:durable c:shadow");
  auto second = unbox(get("c", "news/1"));
  CAF_CHECK_EQUAL(second.served_by, "c");
  CAF_CHECK(second.copy == copy_kind::local);
  CAF_CHECK(holders("a", "news/1") == holders("c", "news/1"));
  CAF_CHECK(nodes["c"].context->index.find("news/1") != nullptr);
}

CAF_TEST(the_first_write_places_factor_copies_in_the_nearest_regions) {
  begin(3, 2);
  CAF_CHECK(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:durable c:shadow");
  CAF_CHECK(holders("a", "x") == holders("b", "x"));
  CAF_CHECK(holders("a", "x") == holders("c", "x"));
}

CAF_TEST(concurrent_misses_share_one_fetch) {
  begin(1);
  put("a", "x", "1");
  heartbeats();
  network->asked.clear();
  auto router = nodes["b"].context->handles.get()->router;
  read_item r;
  r.id = "x";
  auto one = self->request(router, caf::infinite, r);
  auto two = self->request(router, caf::infinite, r);
  auto three = self->request(router, caf::infinite, r);
  sched.run();
  int answers = 0;
  auto got = [&](const item_versions& x) { answers += x.values.front().view() == "1" ? 1 : 0; };
  auto failed = [&](const caf::error& e) { CAF_FAIL(sentence_of(e)); };
  std::move(one).receive(got, failed);
  std::move(two).receive(got, failed);
  std::move(three).receive(got, failed);
  CAF_CHECK_EQUAL(answers, 3);
  CAF_CHECK_EQUAL(network->asked["fetch_item"], 1);
}

CAF_TEST(a_write_reaches_every_holder) {
  begin(1);
  auto receipt = unbox(put("a", "x", "1"));
  CAF_CHECK(receipt.created);
  get("c", "x");
  auto second = unbox(put("c", "x", "2", receipt.context));
  CAF_CHECK(!second.created);
  CAF_CHECK_EQUAL(value("a", "x"), "2");
  CAF_CHECK_EQUAL(value("c", "x"), "2");
  CAF_CHECK_EQUAL(value("d", "x"), "2");
}

CAF_TEST(a_write_with_a_context_replaces_and_one_without_becomes_a_sibling) {
  begin(2);
  auto first = unbox(put("a", "x", "1"));
  put("a", "x", "2");
  CAF_CHECK_EQUAL(value("a", "x"), "1|2");
  CAF_CHECK_EQUAL(value("b", "x"), "1|2");
  auto both = unbox(get("b", "x"));
  put("b", "x", "3", both.versions.context);
  CAF_CHECK_EQUAL(value("a", "x"), "3");
  put("b", "x", "4", first.context);
  CAF_CHECK_EQUAL(value("a", "x"), value("b", "x"));
}

CAF_TEST(conditions_are_decided_on_the_pending_state) {
  begin(1);
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"1"}};
  w.condition = write_condition::if_absent;
  auto router = nodes["a"].context->handles.get()->router;
  auto one = self->request(router, caf::infinite, w);
  auto two = self->request(router, caf::infinite, w);
  sched.run();
  int stored = 0, refused = 0;
  auto ok = [&](const write_receipt&) { ++stored; };
  auto no = [&](const caf::error& e) { refused += code_of(e) == ec::precondition_failed ? 1 : 0; };
  std::move(one).receive(ok, no);
  std::move(two).receive(ok, no);
  CAF_CHECK_EQUAL(stored, 1);
  CAF_CHECK_EQUAL(refused, 1);
  w.condition = write_condition::if_match;
  w.etag = unbox(get("a", "x")).versions.etag();
  CAF_CHECK(ask<write_receipt>("a", w));
  CAF_CHECK_EQUAL(code_of(ask<write_receipt>("a", w).error()), ec::precondition_failed);
}

CAF_TEST(a_repeated_request_id_changes_nothing_twice) {
  begin(1);
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"1"}};
  w.request_id = "r1";
  auto one = unbox(ask<write_receipt>("a", w));
  auto two = unbox(ask<write_receipt>("a", w));
  CAF_CHECK_EQUAL(one.etag, two.etag);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
}

CAF_TEST(a_lease_that_runs_out_ends_the_shadow_but_never_a_durable_copy) {
  begin(1);
  put("a", "x", "1");
  get("b", "x");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  pass_time(50s);
  get("b", "x"); // slides
  pass_time(50s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  pass_time(61s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable");
  CAF_CHECK(holders("a", "x").state_of("b") == holder_state::left);
  CAF_CHECK(nodes["b"].context->index.find("x") == nullptr);
  for (const auto& [key, entry] : nodes["b"].database->entries())
    CAF_CHECK(key.front() == 'm');
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
}

CAF_TEST(reads_from_the_index_slide_the_lease_as_well) {
  begin(1);
  put("a", "x", "1");
  get("b", "x");
  pass_time(50s);
  nodes["b"].context->index.find("x")->last_read_ms = time->now().time_since_epoch().count();
  pass_time(50s);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
}

CAF_TEST(a_shadow_that_throws_is_restarted_from_the_store_and_answers_the_next_read) {
  begin(1);
  put("a", "x", "1");
  nodes["a"].context->index.clear();
  read_item request;
  request.id = "x";
  CAF_CHECK(fails_in_shadow<item_versions>("a", request));
  CAF_CHECK_EQUAL(value("a", "x"), "1");
}

CAF_TEST(requests_in_flight_when_a_shadow_throws_get_a_retryable_error) {
  begin(1);
  auto shard = nodes["a"].context->shard("x");
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"1"}};
  auto one = self->request(shard, caf::infinite, w);
  auto two = self->request(shard, caf::infinite, w);
  time->throws_next = true;
  sched.run();
  CAF_CHECK_EQUAL(nodes["a"].context->counters.shadow_crashes.load(), 1u);
  int answered = 0;
  auto ok = [&](const write_receipt&) { ++answered; };
  auto no = [&](const caf::error& e) { answered += code_of(e) == ec::unavailable ? 1 : 0; };
  std::move(one).receive(ok, no);
  std::move(two).receive(ok, no);
  CAF_CHECK_EQUAL(answered, 2);
}

CAF_TEST(a_store_that_fails_stops_the_write_not_the_node) {
  begin(1);
  put("a", "x", "1");
  nodes["a"].database->fail_writes = true;
  CAF_CHECK_EQUAL(code_of(put("a", "x", "2").error()), ec::store_failed);
  nodes["a"].database->fail_writes = false;
  CAF_CHECK_EQUAL(value("a", "x"), "1");
  CAF_CHECK(put("a", "x", "3", unbox(get("a", "x")).versions.context));
  CAF_CHECK_EQUAL(value("a", "x"), "3");
}

CAF_TEST(a_corrupt_record_stops_its_item_only) {
  begin(1);
  put("a", "x", "1");
  put("a", "y", "2");
  restart("a");
  nodes["a"].database->entries()[keys::record("x")].back() ^= 1;
  CAF_CHECK_EQUAL(code_of(get("a", "x").error()), ec::store_corrupt);
  CAF_CHECK_EQUAL(value("a", "y"), "2");
}

CAF_TEST(what_was_acknowledged_is_there_after_a_restart) {
  begin(2);
  for (int i = 0; i < 50; ++i)
    CAF_CHECK(put("a", "x/" + std::to_string(i), std::to_string(i)));
  restart("a");
  for (int i = 0; i < 50; ++i)
    CAF_CHECK_EQUAL(value("a", "x/" + std::to_string(i)), std::to_string(i));
  CAF_CHECK_EQUAL(nodes["a"].context->counters.items.load(), 50u);
}

CAF_TEST(a_holder_that_missed_an_update_gets_it_when_it_is_back) {
  begin(2);
  auto receipt = unbox(put("a", "x", "1"));
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow");
  network->separate("a", "b");
  put("a", "x", "2", receipt.context);
  CAF_CHECK_EQUAL(value("b", "x"), "1");
  network->heal();
  pass_time(1s);
  heartbeats();
  CAF_CHECK_EQUAL(value("b", "x"), "2");
  for (const auto& [key, entry] : nodes["a"].database->entries())
    CAF_CHECK(key.front() != 'h');
}

CAF_TEST(a_client_never_goes_back_behind_its_context) {
  begin(2);
  auto receipt = unbox(put("a", "x", "1"));
  network->separate("a", "b");
  auto second = unbox(put("a", "x", "2", receipt.context));
  auto cut_off = get("b", "x", second.context);
  CAF_CHECK_EQUAL(code_of(cut_off.error()), ec::too_old);
  network->heal();
  auto healed = unbox(get("b", "x", second.context));
  CAF_CHECK_EQUAL(healed.values.front().view(), "2");
}

CAF_TEST(an_item_that_began_in_two_regions_at_once_becomes_one_with_two_siblings) {
  begin(1);
  network->separate("a", "b");
  put("a", "x", "1");
  put("b", "x", "2");
  network->heal();
  heartbeats();
  heartbeats();
  CAF_CHECK_EQUAL(value("a", "x"), value("b", "x"));
  CAF_CHECK_EQUAL(unbox(get("a", "x")).values.size(), 2u);
}

CAF_TEST(last_writer_wins_where_the_policy_says_so) {
  begin(2);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "t", R"({"conflicts": "lww"})"}));
  put("a", "t/x", "1");
  time->advance(1s);
  put("b", "t/x", "2");
  CAF_CHECK_EQUAL(value("a", "t/x"), "2");
  CAF_CHECK_EQUAL(value("b", "t/x"), "2");
  write_item w;
  w.id = "t/x";
  w.condition = write_condition::if_absent;
  CAF_CHECK_EQUAL(code_of(ask<write_receipt>("a", w).error()), ec::invalid_argument);
}

CAF_TEST(a_policy_is_in_force_on_every_node_and_kept_over_restarts) {
  begin(1);
  CAF_CHECK(ask<policy_list>("b", put_policy{policy_scope::type, "wide", R"({"factor": 4})"}));
  put("a", "wide/1", "v");
  CAF_CHECK_EQUAL(copies("wide/1"), "a:durable b:shadow c:shadow d:shadow");
  restart("c");
  CAF_CHECK_EQUAL(unbox(ask<policy_list>("c", get_policies{})).entries.size(), 1u);
  CAF_CHECK(ask<policy_list>("c", put_policy{policy_scope::type, "wide", ""}));
  CAF_CHECK(unbox(ask<policy_list>("a", get_policies{})).entries.empty());
}

CAF_TEST(a_residency_rule_keeps_every_trace_of_the_value_out_of_a_region) {
  begin(4);
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "eu", R"({"residency": ["region-a", "region-b"]})"}));
  CAF_CHECK(put("c", "eu/1", "secret"));
  CAF_CHECK_EQUAL(value("d", "eu/1"), "secret");
  CAF_CHECK_EQUAL(copies("eu/1"), "a:shadow b:durable");
  for (auto name : {"c", "d"}) {
    CAF_CHECK(nodes[name].context->index.find("eu/1") == nullptr);
    for (const auto& [key, entry] : nodes[name].database->entries())
      CAF_CHECK(key.find("eu/1") == std::string::npos);
  }
}

CAF_TEST(a_residency_rule_moves_away_what_is_there_already) {
  begin(2);
  put("c", "eu/1", "secret");
  get("d", "eu/1");
  CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "eu", R"({"residency": ["region-a"]})"}));
  for (int i = 0; i < 4; ++i)
    pass_time(1s);
  CAF_CHECK_EQUAL(copies("eu/1"), "a:durable");
  for (auto name : {"b", "c", "d"})
    CAF_CHECK(nodes[name].context->index.find("eu/1") == nullptr);
  CAF_CHECK_EQUAL(value("d", "eu/1"), "secret");
}

CAF_TEST(a_deleted_item_is_gone_everywhere) {
  begin(2);
  put("a", "x", "1");
  get("c", "x");
  write_item w;
  w.id = "x";
  w.deleted = true;
  CAF_CHECK(ask<write_receipt>("c", w));
  for (const auto& name : {"a", "b", "c"})
    CAF_CHECK(unbox(get(name, "x")).versions.deleted());
  CAF_CHECK_EQUAL(code_of(get("d", "x").error()), ec::gone);
  CAF_CHECK_EQUAL(copies("x").find("d:"), std::string::npos);
}

CAF_TEST(an_item_nobody_has_is_not_found_and_leaves_no_trace) {
  begin(2);
  CAF_CHECK_EQUAL(code_of(get("a", "nothing").error()), ec::not_found);
  CAF_CHECK_EQUAL(copies("nothing"), "");
}

CAF_TEST(shadow_create_raises_the_copies_to_the_factor_and_explains_them) {
  begin(1);
  put("a", "x", "1");
  create_shadow wish;
  wish.id = "x";
  wish.factor = 3;
  wish.ttl = 30s;
  auto plan = unbox(ask<shadow_plan>("a", wish));
  CAF_CHECK_EQUAL(plan.copies.size(), 3u);
  CAF_CHECK_EQUAL(copies("x"), "a:durable b:shadow c:shadow");
  auto report = unbox(ask<shadow_report>("d", get_shadow_status{"x"}));
  CAF_CHECK_EQUAL(report.copies.size(), 3u);
  CAF_CHECK_EQUAL(report.steward, "a");
  for (const auto& copy : report.copies)
    CAF_CHECK(copy.reachable);
  wish.factor = 9;
  CAF_CHECK(!unbox(ask<shadow_plan>("a", wish)).shortfall.empty());
}

CAF_TEST(a_list_is_paged_in_order) {
  begin(1);
  for (int i = 0; i < 25; ++i)
    put("a", "p/" + std::to_string(10 + i), "v");
  put("a", "q", "v");
  std::string after;
  std::vector<std::string> all;
  for (;;) {
    auto page = unbox(ask<item_page>("a", list_items{"p/", after, 7}));
    for (const auto& item : page.items)
      all.push_back(item.id);
    if (!page.more)
      break;
    after = all.back();
  }
  CAF_CHECK_EQUAL(all.size(), 25u);
  CAF_CHECK(std::is_sorted(all.begin(), all.end()));
}

CAF_TEST(a_write_waits_for_as_many_holders_as_it_asks_for) {
  begin(3, 2);
  write_item w;
  w.id = "x";
  w.value = blob{std::string{"1"}};
  w.acks = 2;
  auto receipt = unbox(ask<write_receipt>("a", w));
  CAF_CHECK_EQUAL(receipt.acks, 2u);
  network->separate("a", "b");
  w.seen = receipt.context;
  auto router = nodes["a"].context->handles.get()->router;
  auto handle = self->request(router, caf::infinite, w);
  sched.run();
  pass_time(10s);
  std::move(handle).receive([](const write_receipt&) { CAF_FAIL("acknowledged without its holders"); },
                            [](const caf::error& e) { CAF_CHECK_EQUAL(code_of(e), ec::not_enough_acks); });
}

CAF_TEST(idle_shadows_become_passive_and_wake_again) {
  begin(1);
  put("a", "x", "1");
  CAF_CHECK_EQUAL(nodes["a"].context->counters.active_shadows.load(), 1u);
  for (int i = 0; i < 6; ++i)
    pass_time(1s);
  CAF_CHECK_EQUAL(nodes["a"].context->counters.active_shadows.load(), 0u);
  CAF_CHECK_EQUAL(value("a", "x"), "1");
}

CAF_TEST(what_was_only_written_leaves_a_small_index_when_its_shadow_sleeps) {
  config.read_index_bytes = 16 * 4500; // a quarter of a part is less than an entry
  begin(1);
  auto& index = nodes["a"].context->index;
  for (auto id : {"written", "read", "found"})
    put("a", id, "1");
  CAF_CHECK_EQUAL(index.size(), 3u);
  CAF_CHECK_EQUAL(value("a", "read"), "1");
  index.find("found"); // as a gateway does
  for (int i = 0; i < 6; ++i)
    pass_time(1s);
  CAF_CHECK(!index.peek("written"));
  CAF_CHECK(index.peek("read"));
  CAF_CHECK(index.peek("found"));
  CAF_CHECK_EQUAL(value("a", "written"), "1");
  for (int i = 0; i < 6; ++i)
    pass_time(1s);
  CAF_CHECK(index.peek("written")); // it was read now
}

CAF_TEST_FIXTURE_SCOPE_END()
