#define CAF_SUITE trainer
#include "actors/prediction/trainer.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <random>

using namespace gnomon;
using namespace gnomon::test;

namespace {

/// Users come back to a page of their own after each other one: what trained models see and mere counting does not.
void walk(size_t users, size_t steps, const std::function<void(std::string, std::string, size_t)>& step) {
  std::mt19937_64 random{1};
  for (size_t k = 0; k < users * steps; ++k) {
    const size_t u = k % users;
    auto page = (k / users) % 2 == 0 ? "home" + std::to_string(u) : std::to_string(random() % 60);
    step("user" + std::to_string(u), "page/" + page, k);
  }
}

const std::string& walked_lines() {
  static const std::string text = [] {
    std::string lines;
    walk(80, 40, [&](auto user, auto item, auto k) {
      lines += R"({"user_id": ")" + user + R"(", "data_id": ")" + item + R"(", "timestamp": )"
               + std::to_string(1'600'000'000 + 10 * k) + "}\n";
    });
    return lines;
  }();
  return text;
}

struct fixture : cluster_fixture {
  fixture() {
    predicts = true;
  }

  expected<training_status> upload(const std::string& node, const std::string& text, uint64_t job = 0,
                                   uint32_t number = 0, bool last = true) {
    return ask<training_status>(node, train_piece{job, number, blob{text}, last});
  }
  expected<training_status> status(const std::string& node, uint64_t job) {
    return ask<training_status>(node, get_training{job});
  }
  /// Uploads the walk in two pieces; the version of the models that came of it.
  uint64_t train(const std::string& node) {
    const auto& text = walked_lines();
    auto first = unbox(upload(node, text.substr(0, 100'003), 0, 0, false));
    CAF_REQUIRE(upload(node, text.substr(100'003), first.job, 1, true));
    auto after = unbox(status(node, first.job));
    CAF_CHECK_EQUAL(after.reason, "");
    CAF_REQUIRE(after.phase == training_phase::adopted);
    time->advance(1s);
    return after.model;
  }
  uint64_t serving(const std::string& node) {
    return nodes[node].context->models.get()->version;
  }
  std::string stored(const std::string& node, const std::string& name) {
    return unbox(nodes[node].database->get(keys::meta(name))).value_or("");
  }
  void store(const std::string& node, const std::string& name, const std::string& value) {
    auto key = keys::meta(name);
    std::vector<kv_write> writes{{key, value}};
    CAF_REQUIRE(nodes[node].database->apply(writes));
  }
  static std::string file_name(uint64_t version) {
    auto digits = std::to_string(version);
    return "models/" + std::string(20 - digits.size(), '0') + digits;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(training_of_models, fixture)

CAF_TEST(an_upload_trains_models_and_the_better_ones_serve_predictions) {
  begin();
  const auto version = train("a");
  CAF_CHECK_GREATER(version, 0u);
  auto said = unbox(status("a", version));
  CAF_CHECK_EQUAL(said.lines, 3200u);
  CAF_CHECK_EQUAL(said.accesses, 3200u);
  CAF_CHECK_GREATER(double{said.users.recall_20}, 0.5);
  CAF_CHECK_GREATER(said.users.predictions, 100u);
  CAF_CHECK_EQUAL(double{said.progress}, 1.0);
  CAF_CHECK_EQUAL(serving("a"), version);
  pass_time(1s); // the predictor takes them over
  for (auto page : {"page/mine", "page/1", "page/mine", "page/2"}) {
    put("a", page, "text");
    read_item r;
    r.id = page;
    r.user = "reader";
    CAF_REQUIRE(ask<item_versions>("a", r));
  }
  auto found = unbox(ask<prediction>("a", get_prediction{"reader", 20}));
  CAF_CHECK_EQUAL(found.model, version);
  CAF_CHECK(!found.items.empty());
}

CAF_TEST(the_jobs_that_a_node_remembers_are_listed_the_newest_first) {
  begin();
  CAF_CHECK(unbox(ask<training_list>("a", list_trainings{})).jobs.empty());
  auto line = walked_lines().substr(0, walked_lines().find('\n'));
  auto first = unbox(upload("a", line)).job;
  time->advance(1s);
  auto second = unbox(upload("a", line)).job;
  auto all = unbox(ask<training_list>("a", list_trainings{})).jobs;
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0].job, second);
  CAF_CHECK_EQUAL(all[1].job, first);
  CAF_CHECK(all[1].phase == training_phase::kept);
}

CAF_TEST(bad_lines_are_counted_and_reported_and_the_rest_is_learned_from) {
  begin();
  auto text = "nonsense\n" + walked_lines() + "{\"user_id\": \"u\"}\n";
  auto said = unbox(upload("a", text));
  said = unbox(status("a", said.job));
  CAF_CHECK_EQUAL(said.bad_lines, 2u);
  CAF_CHECK_EQUAL(said.accesses, 3200u);
  CAF_REQUIRE_EQUAL(said.complaints.size(), 2u);
  CAF_CHECK_EQUAL(said.complaints[0].line, 1u);
  CAF_CHECK_EQUAL(said.complaints[1].line, 3202u);
  CAF_CHECK(said.phase == training_phase::adopted);
}

CAF_TEST(an_upload_without_any_access_is_refused_with_the_reason) {
  begin();
  auto said = upload("a", "nonsense\n");
  CAF_REQUIRE(!said);
  CAF_CHECK_EQUAL(code_of(said.error()), ec::invalid_argument);
  CAF_CHECK(sentence_of(said.error()).find("line 1") != std::string::npos);
  train("a"); // and the next one is taken
}

CAF_TEST(too_few_accesses_to_train_networks_are_named_as_the_reason_and_counted_all_the_same) {
  begin();
  auto said = unbox(upload("a", walked_lines().substr(0, walked_lines().find('\n'))));
  said = unbox(status("a", said.job));
  CAF_CHECK(said.phase == training_phase::kept);
  CAF_CHECK(said.reason.find("50 users") != std::string::npos);
  CAF_CHECK_EQUAL(said.learned, 1u);
  CAF_CHECK_EQUAL(serving("a"), 0u);
}

CAF_TEST(one_upload_at_a_time_and_one_that_stops_makes_room) {
  begin();
  auto first = unbox(upload("a", walked_lines(), 0, 0, false));
  auto second = upload("a", walked_lines());
  CAF_REQUIRE(!second);
  CAF_CHECK_EQUAL(code_of(second.error()), ec::overloaded);
  for (int k = 0; k < 6; ++k)
    pass_time(1s); // 15 s each by the actors' clock
  CAF_CHECK(unbox(status("a", first.job)).phase == training_phase::failed);
  CAF_CHECK_EQUAL(code_of(upload("a", walked_lines(), first.job, 1, true).error()), ec::not_found);
  train("a");
}

CAF_TEST(a_piece_that_comes_twice_counts_once_and_a_gap_is_noticed) {
  begin();
  const auto& text = walked_lines();
  auto first = unbox(upload("a", text.substr(0, 50'000), 0, 0, false));
  CAF_REQUIRE(upload("a", text.substr(50'000, 50'000), first.job, 1, false));
  CAF_REQUIRE(upload("a", text.substr(50'000, 50'000), first.job, 1, false));
  CAF_CHECK_EQUAL(code_of(upload("a", text.substr(150'000), first.job, 3, true).error()), ec::precondition_failed);
  CAF_REQUIRE(upload("a", text.substr(100'000), first.job, 2, true));
  CAF_CHECK_EQUAL(unbox(status("a", first.job)).accesses, 3200u);
}

CAF_TEST(models_serve_again_after_a_restart) {
  begin();
  const auto version = train("a");
  restart("a");
  CAF_CHECK_EQUAL(serving("a"), version);
}

CAF_TEST(a_damaged_model_file_is_refused_at_the_start_and_the_version_before_it_serves) {
  begin();
  const auto version = train("a");
  const auto file = stored("a", file_name(version));
  CAF_REQUIRE(!file.empty());
  auto corrupted = file, future = file;
  corrupted[file.size() / 2] = static_cast<char>(corrupted[file.size() / 2] ^ 1);
  future[12] = 9;
  for (const auto& damaged : {file.substr(0, file.size() / 2), corrupted, future, std::string{}}) {
    store("a", file_name(version + 5), damaged);
    store("a", "models/index", std::to_string(version + 5) + " " + std::to_string(version));
    restart("a");
    CAF_CHECK_EQUAL(serving("a"), version);
  }
}

CAF_TEST(only_the_last_versions_stay_in_the_store) {
  begin();
  for (int k = 1; k <= 3; ++k)
    store("a", file_name(k), "an old one");
  store("a", "models/index", "3 2 1");
  restart("a"); // none of them can be used
  const auto version = train("a");
  CAF_CHECK_EQUAL(stored("a", "models/index"), std::to_string(version) + " 3 2");
  CAF_CHECK_EQUAL(stored("a", file_name(1)), "");
  CAF_CHECK_EQUAL(stored("a", file_name(2)), "an old one");
}

CAF_TEST(models_reach_the_other_regions_and_serve_where_none_run) {
  begin();
  const auto version = train("a");
  pass_time(1s);
  heartbeats();
  CAF_CHECK(copies(models_item("region-a")).find("a:durable") != std::string::npos);
  for (int k = 0; k < 3; ++k)
    pass_time(1s);
  for (auto node : {"b", "c", "d"})
    CAF_CHECK_EQUAL(serving(node), version);
}

CAF_TEST(a_damaged_item_is_not_taken_for_models) {
  begin();
  const auto version = train("a");
  CAF_REQUIRE(put("b", models_item("region-b"), "GNOMODEL and nothing else"));
  heartbeats();
  for (int k = 0; k < 3; ++k)
    pass_time(1s);
  CAF_CHECK_EQUAL(serving("a"), version);
  CAF_CHECK_EQUAL(serving("b"), version);
}

CAF_TEST(what_is_read_trains_models_without_any_call) {
  config.train_every = 60s;
  begin();
  auto predictor = nodes["b"].context->handles.get()->predictor;
  walk(80, 80, [&](auto user, auto item, auto) {
    self->send(predictor, access_batch{{{.id = item, .user = user, .at = time->now()}}});
    sched.run();
    time->advance(2s);
  });
  CAF_CHECK_EQUAL(serving("b"), 0u);
  for (int k = 0; k < 6; ++k)
    pass_time(1s);
  CAF_CHECK_GREATER(serving("b"), 0u);
}

CAF_TEST(a_job_nobody_knows_is_not_found) {
  begin();
  CAF_CHECK_EQUAL(code_of(status("a", 5).error()), ec::not_found);
}

CAF_TEST_FIXTURE_SCOPE_END()
