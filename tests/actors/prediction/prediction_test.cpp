#define CAF_SUITE prediction
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  fixture() {
    predicts = true;
  }

  static constexpr size_t pages = 40;

  void begin_with_pages(size_t count = pages) {
    begin(1);
    for (size_t k = 0; k < count; ++k)
      CAF_REQUIRE(put("a", page(k), "text"));
    heartbeats();
  }

  static std::string page(size_t k) {
    return "page/" + std::to_string(k);
  }

  void read(const std::string& node, const std::string& user, const std::string& id) {
    read_item r;
    r.id = id;
    r.user = user;
    CAF_REQUIRE(ask<item_versions>(node, r));
    time->advance(5s);
  }

  /// Users turn the pages of one book, one after the other, from different ones on.
  void turn_pages(const std::string& node, size_t users, size_t steps) {
    for (size_t step = 0; step < steps; ++step)
      for (size_t u = 0; u < users; ++u)
        read(node, "user" + std::to_string(u), page((2 * u + step) % pages));
  }

  expected<prediction> predict(const std::string& node, const std::string& user) {
    return ask<prediction>(node, get_prediction{user, 20});
  }

  const prediction_counters& counters(const std::string& node) {
    return nodes[node].context->predicting;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(predicting, fixture)

CAF_TEST(the_next_page_is_predicted_for_a_user_who_turns_pages) {
  begin_with_pages();
  turn_pages("b", 5, 12);
  auto found = predict("b", "user0"); // who read page 11 last
  CAF_REQUIRE(found);
  CAF_REQUIRE(!found->items.empty());
  CAF_CHECK_EQUAL(found->served_by, "b");
  auto next = std::find_if(found->items.begin(), found->items.end(), [](auto& i) { return i.id == page(12); });
  CAF_REQUIRE(next != found->items.end());
  CAF_CHECK_GREATER(double{next->confidence}, 0.1);
  CAF_CHECK(std::find(next->holders.begin(), next->holders.end(), "b") != next->holders.end());
  CAF_CHECK(next->regions.empty()); // it is there already
}

CAF_TEST(a_region_that_does_not_know_the_user_asks_the_others) {
  begin_with_pages();
  turn_pages("c", 1, 12);
  auto found = predict("a", "user0");
  CAF_REQUIRE(found);
  CAF_CHECK_EQUAL(found->served_by, "c");
  CAF_CHECK_EQUAL(code_of(predict("a", "nobody").error()), ec::not_found);
}

CAF_TEST(a_forgotten_user_is_unknown_everywhere) {
  begin_with_pages();
  turn_pages("b", 1, 12);
  turn_pages("c", 1, 12);
  auto receipt = ask<forget_receipt>("a", forget_user{"user0"});
  CAF_REQUIRE(receipt);
  CAF_CHECK_EQUAL(receipt->regions, 2u);
  for (auto node : {"a", "b", "c"})
    CAF_CHECK_EQUAL(code_of(predict(node, "user0").error()), ec::not_found);
}

CAF_TEST(a_region_that_does_not_predict_has_a_user_forgotten_in_the_others) {
  begin_with_pages();
  turn_pages("b", 1, 12);
  auto& a = *nodes["a"].context;
  a.config.predict = false;
  a.handles.update([](node_handles& handles) { handles.predictor = nullptr; });
  auto receipt = ask<forget_receipt>("a", forget_user{"user0"});
  CAF_REQUIRE(receipt);
  CAF_CHECK_EQUAL(receipt->regions, 1u);
  CAF_CHECK_EQUAL(code_of(predict("b", "user0").error()), ec::not_found);
}

CAF_TEST(a_region_that_cannot_be_reached_is_named_and_the_user_is_not_called_forgotten) {
  begin_with_pages();
  turn_pages("c", 1, 12);
  network->separate("a", "c");
  auto receipt = ask<forget_receipt>("a", forget_user{"user0"});
  CAF_REQUIRE(!receipt);
  CAF_CHECK_EQUAL(code_of(receipt.error()), ec::unavailable);
  CAF_CHECK(sentence_of(receipt.error()).find("region-c") != std::string::npos);
  network->heal();
  CAF_CHECK(ask<forget_receipt>("a", forget_user{"user0"}));
  CAF_CHECK_EQUAL(code_of(predict("c", "user0").error()), ec::not_found);
}

CAF_TEST(what_a_policy_keeps_from_being_learned_leaves_no_trace) {
  begin_with_pages();
  CAF_REQUIRE(ask<policy_list>("a", put_policy{policy_scope::user, "user0", "{\"learn\": false}"}));
  turn_pages("b", 2, 12);
  CAF_CHECK_EQUAL(code_of(predict("b", "user0").error()), ec::not_found);
  CAF_CHECK(predict("b", "user1"));
}

CAF_TEST(without_prediction_the_questions_are_answered_with_the_reason) {
  predicts = false;
  begin_with_pages(1);
  auto found = predict("a", "user0");
  CAF_CHECK_EQUAL(code_of(found.error()), ec::unavailable);
  CAF_CHECK(sentence_of(found.error()).find("prediction.enabled") != std::string::npos);
}

CAF_TEST(the_next_page_is_copied_ahead_once_predictions_have_come_true_and_its_read_is_local) {
  begin_with_pages();
  turn_pages("b", 1, 400); // each page comes again when its copy has gone
  pass_time(1h);           // the copies that reading left have gone
  CAF_REQUIRE(copies(page(6)).find("b:") == std::string::npos);
  read("b", "user0", page(5));
  sched.run();
  CAF_CHECK(copies(page(6)).find("b:shadow") != std::string::npos);
  pass_time(1s); // its size is asked for
  CAF_CHECK_GREATER(counters("b").issued.load(), 0u);
  read_item r;
  r.id = page(6);
  r.user = "user0";
  auto got = ask<item_versions>("b", r);
  CAF_REQUIRE(got);
  CAF_CHECK(got->copy == copy_kind::prefetched);
  CAF_CHECK_EQUAL(counters("b").used.load(), 1u);
}

CAF_TEST(what_regions_read_alike_is_copied_ahead_within_the_hour_and_without_any_training) {
  config.predict_items = 20'000;
  config.shadow_ttl = 24h;
  begin_with_pages(0);
  auto predictor = nodes["b"].context->handles.get()->predictor;
  for (int k = 0; k < 60; ++k) {
    auto id = "news/" + std::to_string(k);
    for (int again = 0; again < 3; ++again)
      self->send(predictor, region_accesses{"region-a", {{id, 1, 0, time->now()}}});
    time->advance(1min);
    self->send(predictor, access_batch{{{.id = id, .user = "", .at = time->now()}}});
    sched.run();
  }
  CAF_REQUIRE(put("a", "news/fresh", "text"));
  heartbeats();
  for (int again = 0; again < 3; ++again) {
    CAF_REQUIRE(get("a", "news/fresh"));
    pass_time(1s); // a reports what was read
  }
  CAF_CHECK(copies("news/fresh").find("b:shadow") != std::string::npos);
}

CAF_TEST(copies_that_nobody_reads_count_as_wasted_when_their_lease_is_over) {
  begin_with_pages();
  turn_pages("b", 1, 400); // each page comes again when its copy has gone
  pass_time(1h);
  read("b", "user0", page(5));
  pass_time(1s);
  const auto issued = counters("b").issued.load();
  CAF_REQUIRE(issued > 0);
  pass_time(10min);
  CAF_CHECK_EQUAL(counters("b").wasted.load(), issued);
  CAF_CHECK_EQUAL(counters("b").wasted_bytes.load(), 4 * issued);
  CAF_CHECK(copies(page(6)).find("b:") == std::string::npos);
}

CAF_TEST(an_item_goes_where_items_read_elsewhere_have_been_read_next_before_its_first_read_there) {
  config.predict_items = 20'000;
  begin_with_pages(0);
  auto predictor = nodes["b"].context->handles.get()->predictor;
  for (int k = 0; k < 3000; ++k) {
    auto id = "news/" + std::to_string(k);
    self->send(predictor, region_accesses{"region-a", {{id, 1, 0, time->now()}}});
    time->advance(1min);
    self->send(predictor, access_batch{{{.id = id, .user = "", .at = time->now()}}});
    sched.run();
  }
  time->advance(49h);
  CAF_REQUIRE(put("a", "news/fresh", "text"));
  heartbeats();
  CAF_REQUIRE_EQUAL(copies("news/fresh"), "a:durable");
  CAF_REQUIRE(get("a", "news/fresh"));
  pass_time(1s); // a reports what was read
  CAF_CHECK(copies("news/fresh").find("b:shadow") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
