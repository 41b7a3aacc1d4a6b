#define CAF_SUITE ranking
#include "learning/base/calibration.hpp"
#include "learning/models/mlp.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

// Two features; the target is 1 when they agree in sign: no linear model can tell.
mlp_samples sign_agreement(size_t count) {
  std::mt19937_64 random{1};
  std::normal_distribution<float> normal{0, 1};
  mlp_samples samples;
  samples.inputs = 3;
  for (size_t i = 0; i < count; ++i) {
    float a = normal(random), b = normal(random);
    samples.features.insert(samples.features.end(), {a * 100 + 7, b, 5.0f}); // odd scales; the last never varies
    samples.targets.push_back(a * b > 0);
  }
  return samples;
}

float one_output(const mlp& network, std::vector<float> features) {
  std::vector<float> columns(features.size() * 16), out(network.outputs() * 16);
  for (size_t f = 0; f < features.size(); ++f)
    columns[f * 16] = features[f];
  network.run(columns.data(), 16, 1, out.data());
  return out[0];
}

} // namespace

CAF_TEST(the_network_learns_what_is_not_linear_and_folds_the_scales_in) {
  mlp_config config;
  config.epochs = 8;
  config.rate = 0.01f;
  config.batch = 256;
  auto network = train_mlp(sign_agreement(20'000), config);
  CAF_REQUIRE(network);
  CAF_CHECK_GREATER(one_output(*network, {107, 1, 5}), 1.0f);
  CAF_CHECK_GREATER(one_output(*network, {-93, -1, 5}), 1.0f);
  CAF_CHECK_LESS(one_output(*network, {107, -1, 5}), -1.0f);
  CAF_CHECK_LESS(one_output(*network, {-93, 1, 5}), -1.0f);
}

CAF_TEST(listwise_training_ranks_the_answer_of_each_group_first) {
  std::mt19937_64 random{2};
  std::normal_distribution<float> normal{0, 1};
  mlp_samples samples;
  samples.inputs = 2;
  samples.outputs = 2;
  for (size_t group = 0; group < 2000; ++group) {
    size_t best = 0;
    std::vector<float> x(10);
    const float shift = 5 * normal(random); // says nothing within a group
    for (size_t j = 0; j < 10; ++j) {
      x[j] = normal(random);
      best = x[j] > x[best] ? j : best;
    }
    for (size_t j = 0; j < 10; ++j) {
      samples.features.insert(samples.features.end(), {x[j] + shift, shift});
      samples.targets.insert(samples.targets.end(), {j == best ? 1.0f : 0.0f, x[j] > 0 ? 1.0f : 0.0f});
    }
    samples.group_ends.push_back(samples.size());
  }
  mlp_config config;
  config.listwise_first = true;
  config.rate = 0.01f;
  auto network = train_mlp(samples, config);
  CAF_REQUIRE(network);
  CAF_CHECK_GREATER(one_output(*network, {2, 0}), one_output(*network, {1, 0}) + 0.5f);
  CAF_CHECK_GREATER(one_output(*network, {6, 5}), one_output(*network, {5, 5}) + 0.5f);
}

CAF_TEST(samples_that_do_not_fit_are_refused) {
  auto refused = [](mlp_samples samples) {
    auto result = train_mlp(samples, {});
    return !result && code_of(result.error()) == ec::invalid_argument;
  };
  CAF_CHECK(refused({}));
  auto samples = sign_agreement(100);
  samples.targets.pop_back();
  CAF_CHECK(refused(samples));
  samples = sign_agreement(100);
  samples.features[3] = NAN;
  CAF_CHECK(refused(samples));
  samples = sign_agreement(100);
  samples.group_ends = {50, 40, 100};
  CAF_CHECK(refused(samples));
}

CAF_TEST(a_network_survives_being_saved_and_nonsense_does_not_load) {
  auto network = train_mlp(sign_agreement(2000), {});
  CAF_REQUIRE(network);
  writer out;
  network->save(out);
  auto bytes = out.take();
  reader in{bytes};
  auto loaded = mlp::load(in);
  CAF_REQUIRE(loaded);
  CAF_CHECK_EQUAL(one_output(*loaded, {50, 1, 5}), one_output(*network, {50, 1, 5}));
  bytes[0] = 77;
  reader broken{bytes};
  CAF_CHECK_EQUAL(code_of(mlp::load(broken).error()), ec::bad_message);
}

CAF_TEST(calibrated_probabilities_come_true_as_often_as_they_say) {
  std::mt19937_64 random{3};
  std::uniform_real_distribution<float> uniform;
  calibrator c;
  calibration_table table;
  for (size_t k = 0; k < 200'000; ++k) {
    const float truth = uniform(random) * uniform(random);
    const float logit = 2 * std::log(truth / (1 - truth)) + 1; // overconfident and shifted
    const bool came_true = uniform(random) < truth;
    if (k > 100'000)
      table.add(c(logit), came_true);
    c.add(logit, came_true);
  }
  for (auto& row : table.rows())
    if (row.count >= 500)
      CAF_CHECK_LESS(std::abs(row.said - row.came_true), 0.04);
  CAF_CHECK_LESS(table.error(), 0.01);
}

CAF_TEST(a_calibration_never_falls_and_follows_a_change) {
  calibrator c;
  CAF_CHECK(std::abs(c(0) - 0.5f) < 0.01f); // before any outcome the logit is believed
  std::mt19937_64 random{4};
  std::uniform_real_distribution<float> uniform;
  auto feed = [&](double share) {
    for (size_t k = 0; k < 60'000; ++k)
      c.add(4 * uniform(random) - 4, uniform(random) < share);
    c.fit();
  };
  feed(0.4);
  CAF_CHECK(std::abs(c(-2) - 0.4f) < 0.05f);
  float last = 0;
  for (float x = -15; x < 12; x += 0.05f) {
    CAF_CHECK(c(x) >= last - 1e-6f);
    last = c(x);
  }
  for (int round = 0; round < 5; ++round)
    feed(0.1);
  CAF_CHECK(std::abs(c(-2) - 0.1f) < 0.04f);
  writer out;
  c.save(out);
  auto bytes = out.take();
  calibrator loaded;
  reader in{bytes};
  loaded.load(in);
  CAF_CHECK(in.good());
  CAF_CHECK_EQUAL(loaded(-2), c(-2));
}

CAF_TEST(open_guesses_move_a_calibration_before_their_time_is_over) {
  calibrator c;
  open_outcomes half_way; // three in ten came true by then, of which more is to come
  for (size_t k = 0; k < 4000; ++k)
    half_way.add(0, k % 10 < 3, 0.5f);
  c.fit(half_way);
  CAF_CHECK(std::abs(c(0) - 0.51f) < 0.06f); // 1 - 0.7 ^ 2; what has passed is rounded to eighths
  open_outcomes over;
  for (size_t k = 0; k < 4000; ++k)
    over.add(0, k % 10 < 3, 1.0f);
  c.fit(over);
  CAF_CHECK(std::abs(c(0) - 0.32f) < 0.03f);
  CAF_CHECK_EQUAL(c.outcomes(), 0u);
}
