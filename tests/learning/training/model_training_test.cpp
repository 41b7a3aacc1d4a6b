#define CAF_SUITE model_training
#include "learning/training/model_training.hpp"
#include "tests/learning/stories.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

training_logs walked(size_t users = 80, size_t steps = 40, size_t turn = 1) {
  access_history history{1'000'000};
  walk(users, steps, turn, [&](auto user, auto item, auto time) { history.add(user, item, "here", time); });
  return {history.of_users(), history.all()};
}

const models_config quick{quick_training(2, 1000), {}};

const judged_models& trained() {
  static const judged_models models = [] {
    auto result = train_models(walked(), {}, {7, "here", {}, {}}, quick);
    CAF_REQUIRE(result);
    return std::move(*result);
  }();
  return models;
}

} // namespace

CAF_TEST(a_first_training_is_judged_beside_counting_and_adopted_when_better) {
  const auto& verdict = trained().verdict;
  CAF_CHECK_GREATER(verdict.users.predictions, 100u);
  CAF_CHECK_EQUAL(verdict.users.predictions, verdict.running_users.predictions);
  CAF_CHECK_EQUAL(verdict.better_users, verdict.users.recall_20 + verdict.users.mrr_20
                                            > verdict.running_users.recall_20 + verdict.running_users.mrr_20);
  CAF_CHECK_EQUAL(trained().models.version, 7u);
  CAF_CHECK(!verdict.better_demand); // the log spans an hour
}

CAF_TEST(what_was_trained_is_judged_by_a_network_that_has_not_seen_the_answers) {
  const auto logs = walked();
  auto parts = train_parts(logs.of_users, quick.users);
  CAF_REQUIRE(parts);
  auto afterwards =
      judge_models(logs, {}, {8, "here", std::make_shared<const model_parts>(std::move(*parts)), {}}, quick);
  CAF_REQUIRE(afterwards);
  const auto& seen = afterwards->verdict.users; // it knows the answers
  const auto& verdict = trained().verdict.users;
  CAF_CHECK_LESS(verdict.recall_20 + verdict.mrr_20, seen.recall_20 + seen.mrr_20);
}

CAF_TEST(models_do_not_replace_themselves) {
  auto running = trained().models;
  if (!running.users)
    running.users = std::make_shared<const model_parts>();
  auto again = judge_models(walked(), running, running, quick);
  CAF_REQUIRE(again);
  CAF_CHECK(!again->verdict.better_users);
  CAF_CHECK_EQUAL(again->verdict.users.recall_20, again->verdict.running_users.recall_20);
}

CAF_TEST(models_that_know_nothing_of_what_is_read_here_are_not_adopted) {
  auto running = train_models(walked(80, 40, 3), {}, {8, "here", {}, {}}, quick);
  CAF_REQUIRE(running);
  model_parts worse;
  worse.ranker =
      mlp{mlp_weights{feature_count, 16, 16, 2, std::vector<float>(feature_count * 16), std::vector<float>(16),
                      std::vector<float>(256), std::vector<float>(16), std::vector<float>(32), std::vector<float>(2)}};
  trained_models candidate;
  candidate.version = 9;
  candidate.users = std::make_shared<const model_parts>(worse);
  auto verdict = judge_models(walked(80, 40, 3), running->models, candidate, quick);
  CAF_REQUIRE(verdict);
  CAF_CHECK(!verdict->verdict.better_users);
  CAF_CHECK(verdict->models.users == running->models.users);
}

CAF_TEST(without_accesses_to_judge_by_models_of_others_are_taken_only_where_none_run) {
  trained_models candidate;
  candidate.version = 9;
  candidate.users = std::make_shared<const model_parts>();
  auto first = judge_models({}, {}, candidate, quick);
  CAF_REQUIRE(first);
  CAF_CHECK(first->verdict.better_users);
  auto second = judge_models({}, first->models, candidate, quick);
  CAF_REQUIRE(second);
  CAF_CHECK(!second->verdict.better_users);
}

CAF_TEST(a_training_that_is_told_to_stop_stops) {
  auto stopped = train_models(walked(), {}, {7, "here", {}, {}}, quick, [](const training_progress&) { return false; });
  CAF_REQUIRE(!stopped);
  CAF_CHECK_EQUAL(code_of(stopped.error()), ec::timeout);
}

CAF_TEST(too_few_users_are_named_as_the_reason) {
  auto nothing = train_models(walked(10, 5), {}, {7, "here", {}, {}}, quick);
  CAF_REQUIRE(!nothing);
  CAF_CHECK(sentence_of(nothing.error()).find("50 users") != std::string::npos);
}

CAF_TEST(sets_of_models_go_through_a_file_and_damaged_ones_are_named) {
  trained_models models;
  models.version = 17;
  models.origin = "eu";
  models.users = std::make_shared<const model_parts>();
  models.demand = std::make_shared<const demand_parts>();
  auto file = to_file(models);
  auto back = models_from_file(file);
  CAF_REQUIRE(back);
  CAF_CHECK_EQUAL(back->version, 17u);
  CAF_CHECK_EQUAL(back->origin, "eu");
  CAF_CHECK(back->users && back->demand);
  auto complaint = [](std::string_view bytes) {
    auto read = models_from_file(bytes);
    return read ? std::string{"accepted"} : sentence_of(read.error());
  };
  CAF_CHECK(complaint(file.substr(0, file.size() - 1)).find("truncated") != std::string::npos);
  auto corrupted = file, future = file;
  corrupted[file.size() / 2] = static_cast<char>(corrupted[file.size() / 2] ^ 1);
  CAF_CHECK(complaint(corrupted).find("corrupted") != std::string::npos);
  future[12] = 9;
  CAF_CHECK(complaint(future).find("newer") != std::string::npos);
  CAF_CHECK(complaint(to_file(*models.users)).find("holds a user model") != std::string::npos);
}

CAF_TEST(a_demand_model_is_measured_on_decisions_it_was_not_calibrated_with) {
  access_history history{1'000'000};
  std::mt19937_64 random{3};
  // What is read in the first region is read in the second an hour later; eight days of it.
  for (uint32_t k = 0; k < 8000; ++k) {
    auto item = "news/" + std::to_string(k / 4);
    auto time = 1'000'000 + k * 90;
    history.add("", item, "one", time);
    if ((k / 4) % 2 == 0)
      history.add("", item, "two", time + 3600 + static_cast<uint32_t>(random() % 600));
  }
  auto log = history.all();
  auto parts = train_demand(log, {});
  CAF_REQUIRE(parts);
  const demand_parts nothing;
  const std::array<const demand_parts*, 2> both{&*parts, &nothing};
  const auto qualities = measure_demand(log, both);
  const auto &measured = qualities[0], &formula = qualities[1];
  CAF_CHECK_GREATER(measured.decisions, 500u);
  CAF_CHECK_EQUAL(measured.decisions, formula.decisions);
  CAF_CHECK_LESS(measured.loss, formula.loss);
}
