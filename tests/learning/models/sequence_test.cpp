#define CAF_SUITE sequence
#include "learning/models/sequence_net.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

// Something below a layer under test: any output, any gradient.
struct below_layer {
  dlib::resizable_tensor output, gradient;
  const dlib::tensor& get_output() const {
    return output;
  }
  dlib::tensor& get_gradient_input() {
    return gradient;
  }
};

void fill_with_noise(dlib::tensor& t, uint64_t seed) {
  std::mt19937_64 random{seed};
  std::normal_distribution<float> normal{0, 1};
  for (auto& x : t)
    x = normal(random);
}

// Users walk a ring of items: 0, 1, 2, ... and back to 0.
sequence_set ring_walks(size_t users, size_t items, size_t length) {
  sequence_set set;
  for (size_t u = 0; u < users; ++u) {
    std::vector<uint32_t> walk;
    for (size_t k = 0; k < length; ++k)
      walk.push_back(static_cast<uint32_t>((u + k) % items));
    set.add(walk, std::vector<uint8_t>(length, 1));
  }
  return set;
}

sequence_config small_config() {
  sequence_config config;
  config.units = 16;
  config.epochs = 12;
  config.lanes = 16;
  config.negatives = 12;
  return config;
}

struct network_fixture {
  net::shared_ptr shared = std::make_shared<net::shared_parts>();
  dlib::resizable_tensor input;
  std::vector<std::vector<int32_t>> labels{{1, 2, -1, 3}, {4, 0, 5, 5}, {6, 6, 1, -1}};

  std::unique_ptr<net::network> make() {
    shared->table = std::make_unique<net::embedding_table>(11, 6, 3);
    for (size_t g = 0; g < gap_classes; ++g)
      for (size_t j = 0; j < 6; ++j)
        shared->table->row(11 + g)[j] = 0.01f * static_cast<float>(g * 6 + j);
    shared->restart = {1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1};
    auto made = std::make_unique<net::network>(net::sampled_softmax_{shared, std::vector<float>(11, 1), 0, 0.5f},
                                               net::recurrent_{6, shared, 0, 5}, net::embedding_{shared, 0});
    std::vector<dlib::matrix<float>> lanes(3, dlib::zeros_matrix<float>(4, 2));
    for (long lane = 0; lane < 3; ++lane)
      for (long t = 0; t < 4; ++t) {
        lanes[lane](t, 0) = static_cast<float>((lane * 5 + t * 3) % 11);
        lanes[lane](t, 1) = static_cast<float>((lane + t) % 16);
      }
    made->to_tensor(lanes.begin(), lanes.end(), input);
    return made;
  }

  double loss(net::network& network) {
    network.subnet().layer_details().forget_states();
    auto value = network.compute_loss(input, labels.begin());
    shared->table->forget_gradients();
    return value;
  }
};

} // namespace

CAF_TEST(gradients_of_the_recurrent_layer_match_differences_of_its_output) {
  constexpr float step = 3e-3f;
  below_layer below;
  below.output.set_size(3, 2, 4, 5);
  below.gradient.copy_size(below.output);
  fill_with_noise(below.output, 1);
  below.gradient = 0;
  net::recurrent_ layer{5, nullptr, 0, 7};
  layer.setup(below);
  dlib::resizable_tensor out, weights, parameter_gradient;
  layer.forward(below, out);
  weights.copy_size(out);
  fill_with_noise(weights, 2);
  parameter_gradient.copy_size(layer.get_layer_params());
  layer.backward(weights, below, parameter_gradient);
  auto weighted_sum = [&] {
    dlib::resizable_tensor now;
    layer.forward(below, now);
    double sum = 0;
    for (size_t i = 0; i < now.size(); ++i)
      sum += double{now.host()[i]} * weights.host()[i];
    return sum;
  };
  // Absolute steps: relative ones vanish at parameters near zero.
  auto worst = [&](dlib::tensor& x, const dlib::tensor& gradient) {
    double worst_error = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const float kept = x.host()[i];
      x.host()[i] = kept + step;
      const double up = weighted_sum();
      x.host()[i] = kept - step;
      const double down = weighted_sum();
      x.host()[i] = kept;
      const double slope = (up - down) / (2 * step);
      worst_error = std::max(worst_error, std::abs(slope - gradient.host()[i]) / (0.05 + std::abs(slope)));
    }
    return worst_error;
  };
  CAF_CHECK_LESS(worst(layer.get_layer_params(), parameter_gradient), 0.02);
  CAF_CHECK_LESS(worst(below.output, below.gradient), 0.02);
}

CAF_TEST_FIXTURE_SCOPE(whole_network, network_fixture)

CAF_TEST(gradients_of_embedding_bias_and_gaps_match_differences_of_the_loss) {
  constexpr float step = 1e-2f;
  auto network = make();
  network->subnet().layer_details().forget_states();
  network->compute_parameter_gradients(input, labels.begin());
  auto& table = *shared->table;
  std::vector<std::pair<size_t, std::vector<float>>> gradients;
  for (auto r : std::vector<uint32_t>{table.touched()})
    gradients.emplace_back(r, std::vector<float>(table.gradient(r), table.gradient(r) + table.stride()));
  CAF_CHECK_GREATER(gradients.size(), 11u);
  double worst = 0;
  for (auto& [r, gradient] : gradients)
    for (size_t j = 0; j < table.stride(); ++j) {
      if (r >= table.items() && j == table.units()) // gap classes have no bias
        continue;
      float& x = table.row(r)[j];
      const float kept = x;
      x = kept + step;
      const double up = loss(*network);
      x = kept - step;
      const double down = loss(*network);
      x = kept;
      const double slope = (up - down) / (2 * step);

      worst = std::max(worst, std::abs(slope - gradient[j]) / (0.02 + std::abs(slope)));
    }
  CAF_CHECK_LESS(worst, 0.03);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(the_network_learns_a_ring_and_serves_what_it_trained) {
  auto weights = train_sequence(ring_walks(200, 20, 12), 20, small_config());
  CAF_REQUIRE(weights);
  sequence_model model{std::move(*weights)};
  std::vector<float> state(model.units(), 0.0f);
  std::vector<uint32_t> best;
  size_t right = 0;
  for (uint32_t k = 0; k < 40; ++k) {
    model.step(state.data(), k % 20, 1);
    model.top(state.data(), 1, 0, best);
    right += k > 2 && best[0] == (k + 1) % 20;
  }
  CAF_CHECK_GREATER(right, 34u);
  float score = 0;
  uint32_t unknown = 20;
  model.score(state.data(), {&unknown, 1}, &score);
  CAF_CHECK_EQUAL(score, sequence_model::unknown_score);
}

CAF_TEST(training_goes_on_from_given_weights_and_stops_when_told) {
  auto data = ring_walks(100, 20, 12);
  auto config = small_config();
  auto first = train_sequence(data, 20, config);
  CAF_REQUIRE(first);
  double start_loss = 0;
  config.epochs = 1;
  auto warm = train_sequence(data, 22, config, &*first, [&](const training_progress& p) {
    start_loss = p.loss;
    return true;
  });
  CAF_REQUIRE(warm);
  CAF_CHECK_EQUAL(warm->item_count(), 22u);
  config.epochs = 100'000;
  auto stopped = train_sequence(data, 20, config, nullptr, [](const training_progress&) { return false; });
  CAF_CHECK_EQUAL(code_of(stopped.error()), ec::timeout);
}

CAF_TEST(what_cannot_be_trained_is_named) {
  auto config = small_config();
  auto code = [&](const sequence_set& set, size_t items) {
    auto result = train_sequence(set, items, config);
    return result ? ec::internal : code_of(result.error());
  };
  CAF_CHECK_EQUAL(code({}, 5), ec::invalid_argument);
  CAF_CHECK_EQUAL(code(ring_walks(20, 20, 5), 19), ec::invalid_argument);
  config.units = 17;
  CAF_CHECK_EQUAL(code(ring_walks(10, 20, 5), 20), ec::invalid_argument);
}

CAF_TEST(the_index_finds_most_of_what_a_full_scan_finds) {
  constexpr size_t count = 4000, width = 16;
  std::mt19937_64 random{1};
  std::normal_distribution<float> normal{0, 1};
  std::vector<float> centres(64 * width), rows(count * width), biases(count, 0.0f);
  for (auto& x : centres)
    x = 2 * normal(random);
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j < width; ++j)
      rows[i * width + j] = centres[(i % 64) * width + j] + normal(random);
  item_index index{rows, biases, width};
  CAF_CHECK_GREATER(index.clusters(), 30u);
  std::vector<uint32_t> all, some;
  size_t found = 0;
  for (size_t q = 0; q < 50; ++q) {
    const float* query = &rows[q * 7 * width];
    index.search(query, 20, 0, all);
    index.search(query, 20, 8, some);
    CAF_REQUIRE_EQUAL(all.size(), 20u);
    for (auto item : some)
      found += std::find(all.begin(), all.end(), item) != all.end();
  }
  CAF_CHECK_GREATER(found, 850u); // of 1000
}
