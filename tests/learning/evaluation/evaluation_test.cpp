#define CAF_SUITE evaluation
#include "learning/evaluation/evaluation.hpp"

#include <caf/test/dsl.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

struct fixture {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("gnomon-evaluation-" + std::to_string(getpid()));
  evaluation_config config;

  fixture() {
    std::filesystem::create_directories(folder);
    config.training.network.units = 16;
    config.training.network.epochs = 2;
    config.training.ranker_contexts = 1000;
    config.training.calibration_contexts = 500;
    config.training.ranker.epochs = 2;
  }
  ~fixture() {
    std::filesystem::remove_all(folder);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream{folder / name} << text;
    return folder / name;
  }

  static std::string sessions() {
    std::mt19937_64 random{1};
    std::string text;
    for (int k = 0; k < 1500; ++k) {
      auto item = random() % 100;
      for (int step = 0; step < 5; ++step)
        text += std::to_string((item + static_cast<unsigned>(step)) % 100) + (step < 4 ? " " : "\n");
    }
    return text;
  }

  static std::string trace() {
    std::mt19937_64 random{1};
    std::string text = "t,user,region,item\nnonsense\n,,,\n";
    std::vector<unsigned> at(80);
    for (unsigned k = 0; k < 6000; ++k) {
      auto user = static_cast<unsigned>(random() % at.size());
      at[user] = random() % 8 == 0 ? static_cast<unsigned>(random() % 60) : (at[user] + 1) % 60;
      text += std::to_string(1'500'000'000 + k * 7) + "," + std::to_string(user) + ",eu,a/" + std::to_string(at[user])
              + "\n";
    }
    return text;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(evaluating, fixture)

CAF_TEST(sessions_are_trained_on_and_the_last_ones_predicted) {
  auto result = evaluate_sequences(write("train.txt", sessions()), "", config);
  CAF_REQUIRE(result);
  for (auto method : {"popularity", "recency", "markov", "cooccurrence", "network", "combined"})
    CAF_CHECK_EQUAL(result->methods.count(method), 1u);
  CAF_CHECK_EQUAL(result->methods["combined"].predictions, 600u);
  CAF_CHECK_GREATER(result->methods["combined"].recall_1, 0.9);
  CAF_CHECK_GREATER(result->methods["markov"].recall_1, 0.9);
  CAF_CHECK_LESS(result->methods["recency"].recall_20, 0.2);
}

CAF_TEST(test_lines_have_a_tab_before_the_target_and_others_are_counted_as_bad) {
  auto test = write("test.txt", "1 2 3\t4\n50\t51\nno tab here\n7 8\t9 10\n777\t888\n");
  auto result = evaluate_sequences(write("train.txt", sessions()), test, config);
  CAF_REQUIRE(result);
  CAF_CHECK_EQUAL(result->bad_lines, 2u);
  CAF_CHECK_EQUAL(result->methods["combined"].predictions, 3u); // the unknown one is a miss, not left out
  CAF_CHECK(std::abs(result->methods["combined"].recall_1 - 2.0 / 3) < 1e-9);
}

CAF_TEST(a_trace_is_learned_from_as_it_goes_on) {
  auto result = evaluate_trace(write("trace.csv", trace()), 0.7, config);
  CAF_REQUIRE(result);
  CAF_CHECK_EQUAL(result->bad_lines, 2u);
  CAF_CHECK_EQUAL(result->accesses, 6000u);
  CAF_CHECK_GREATER(result->methods["combined"].recall_1, 0.7);
  CAF_REQUIRE_EQUAL(result->prefetch.size(), 3u);
  CAF_CHECK(result->prefetch[0].coverage >= result->prefetch[2].coverage);
  CAF_CHECK_GREATER(result->prefetch[2].precision, 0.5);
  auto json = nlohmann::json::parse(to_json(*result));
  for (auto key : {"recall_1", "recall_5", "recall_20", "mrr_20"})
    CAF_CHECK(json["combined"][key].is_number());
  CAF_CHECK(json["train_seconds"].is_number());
  CAF_CHECK(json["calibration"].is_array());
  CAF_CHECK(to_text(*result).find("combined") != std::string::npos);
}

CAF_TEST(files_that_are_missing_empty_or_of_another_shape_are_refused) {
  auto code = [](const expected<evaluation>& e) { return e ? ec::internal : code_of(e.error()); };
  CAF_CHECK_EQUAL(code(evaluate_sequences(folder / "none", "", config)), ec::not_found);
  CAF_CHECK_EQUAL(code(evaluate_sequences(write("empty", ""), "", config)), ec::invalid_argument);
  CAF_CHECK_EQUAL(code(evaluate_trace(write("other", "a,b,c\n1,2,3\n"), 0.8, config)), ec::invalid_argument);
  CAF_CHECK_EQUAL(code(evaluate_trace(write("trace.csv", trace()), 1.5, config)), ec::invalid_argument);
}

CAF_TEST_FIXTURE_SCOPE_END()
