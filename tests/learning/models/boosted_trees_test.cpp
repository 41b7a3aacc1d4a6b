#define CAF_SUITE boosted_trees
#include "learning/models/boosted_trees.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

// Two outputs: the features agree in sign, which no linear model can tell; the first is positive, which is known for
// half of the samples. The third feature never varies.
mlp_samples signs(size_t count) {
  std::mt19937_64 random{1};
  std::normal_distribution<float> normal{0, 1};
  mlp_samples samples;
  samples.inputs = 3;
  samples.outputs = 2;
  for (size_t i = 0; i < count; ++i) {
    const float a = normal(random), b = normal(random);
    samples.features.insert(samples.features.end(), {a * 100 + 7, b, 5.0f});
    samples.targets.push_back(a * b > 0);
    samples.targets.push_back(i % 2 == 0 ? unknown_target : a > 0);
  }
  return samples;
}

tree_config quick() {
  tree_config config;
  config.trees = 60;
  config.depth = 4;
  config.features = 1;
  return config;
}

std::vector<float> logits(const boosted_trees& trees, const std::vector<float>& features) {
  std::vector<float> columns(features.size() * 16), out(trees.outputs() * 16);
  for (size_t f = 0; f < features.size(); ++f)
    columns[f * 16 + 3] = features[f];
  trees.run(columns.data(), 16, 4, out.data());
  std::vector<float> result;
  for (size_t o = 0; o < trees.outputs(); ++o)
    result.push_back(out[o * 16 + 3]);
  return result;
}

float first_logit(const boosted_trees& trees, const std::vector<float>& features) {
  return logits(trees, features).front();
}

std::string bytes_of(const boosted_trees& trees) {
  writer out;
  trees.save(out);
  return out.take();
}

bool refused(const tree_weights& weights) {
  const auto bytes = bytes_of(boosted_trees{weights});
  reader in{bytes};
  auto loaded = boosted_trees::load(in);
  return !loaded && code_of(loaded.error()) == ec::bad_message;
}

/// One tree of two levels.
tree_weights small_weights() {
  tree_weights w;
  w.inputs = 2;
  w.outputs = 1;
  w.depth = 2;
  w.base = {0.5f};
  w.features = {0, 1};
  w.thresholds = {10, 20};
  for (float leaf : {0.0f, 1.0f, 2.0f, 3.0f})
    w.leaves.insert(w.leaves.end(), {leaf, 0, 0, 0});
  return w;
}

} // namespace

CAF_TEST(each_level_of_a_tree_is_one_bit_of_its_leaf) {
  const boosted_trees trees{small_weights()};
  CAF_CHECK_EQUAL(first_logit(trees, {10, 20}), 0.5f);
  CAF_CHECK_EQUAL(first_logit(trees, {11, 20}), 1.5f);
  CAF_CHECK_EQUAL(first_logit(trees, {10, 21}), 2.5f);
  CAF_CHECK_EQUAL(first_logit(trees, {11, 21}), 3.5f);
}

CAF_TEST(trees_learn_what_is_not_linear_and_nothing_from_unknown_targets) {
  auto trees = train_trees(signs(20'000), quick());
  CAF_REQUIRE(trees);
  CAF_CHECK_EQUAL(trees->trees(), 60u);
  for (float a : {107.0f, -93.0f})
    for (float b : {1.0f, -1.0f}) {
      const auto found = logits(*trees, {a, b, 5});
      CAF_CHECK_GREATER(a * b > 0 ? found[0] : -found[0], 1.0f);
      CAF_CHECK_GREATER(a > 0 ? found[1] : -found[1], 1.0f);
    }
}

CAF_TEST(the_same_seed_grows_the_same_trees) {
  const auto samples = signs(3000);
  auto config = quick();
  config.samples = 0.5;
  const auto once = train_trees(samples, config), twice = train_trees(samples, config);
  config.seed = 2;
  const auto other = train_trees(samples, config);
  CAF_REQUIRE(once && twice && other);
  CAF_CHECK(bytes_of(*once) == bytes_of(*twice));
  CAF_CHECK(bytes_of(*once) != bytes_of(*other));
}

CAF_TEST(trees_go_through_a_file_and_a_part_of_one_is_refused) {
  auto trees = train_trees(signs(3000), quick());
  CAF_REQUIRE(trees);
  const auto bytes = bytes_of(*trees);
  reader in{bytes};
  auto loaded = boosted_trees::load(in);
  CAF_REQUIRE(loaded);
  CAF_CHECK(in.at_end());
  CAF_CHECK(logits(*loaded, {30, 1, 5}) == logits(*trees, {30, 1, 5}));
  for (size_t length = 0; length < bytes.size(); length += 61) {
    reader part{std::string_view{bytes}.substr(0, length)};
    CAF_CHECK(!boosted_trees::load(part));
  }
}

CAF_TEST(trees_that_would_read_elsewhere_or_say_nonsense_are_refused) {
  CAF_CHECK(!refused(small_weights()));
  auto w = small_weights();
  w.features[1] = 2; // there are features 0 and 1
  CAF_CHECK(refused(w));
  w = small_weights();
  w.depth = 31;
  CAF_CHECK(refused(w));
  w = small_weights();
  w.depth = 0;
  CAF_CHECK(refused(w));
  w = small_weights();
  w.outputs = boosted_trees::most_outputs + 1;
  CAF_CHECK(refused(w));
  w = small_weights();
  w.leaves.pop_back();
  CAF_CHECK(refused(w));
  w = small_weights();
  w.leaves[4] = std::numeric_limits<float>::quiet_NaN();
  CAF_CHECK(refused(w));
  w = small_weights();
  w.thresholds[0] = std::numeric_limits<float>::infinity();
  CAF_CHECK(refused(w));
}

CAF_TEST(training_trees_names_what_is_wrong_and_stops_when_told) {
  CAF_CHECK_EQUAL(code_of(train_trees({}, quick()).error()), ec::invalid_argument);
  auto samples = signs(100);
  samples.features[5] = std::nanf("");
  CAF_CHECK_EQUAL(code_of(train_trees(samples, quick()).error()), ec::invalid_argument);
  auto deep = quick();
  deep.depth = 9;
  CAF_CHECK_EQUAL(code_of(train_trees(signs(100), deep).error()), ec::invalid_argument);
  auto stopped = train_trees(signs(100), quick(), [](double share, double) { return share < 0.5; });
  CAF_CHECK_EQUAL(code_of(stopped.error()), ec::timeout);
}
