#define CAF_SUITE kernels
#include "learning/base/kernels.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <random>
#include <vector>

using namespace gnomon::learning;

namespace {

std::vector<float> noise(size_t count, uint64_t seed) {
  std::mt19937_64 random{seed};
  std::normal_distribution<float> normal{0, 1};
  std::vector<float> result(count);
  for (auto& x : result)
    x = normal(random);
  return result;
}

bool close(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

} // namespace

CAF_TEST(exponentials_sum_to_what_the_library_says) {
  for (size_t count : {1, 7, 16, 33, 1000}) {
    auto x = noise(count, count);
    auto expected = x;
    float top = 0;
    double sum = 0;
    const float total = exp_in_place(x.data(), count, top);
    for (size_t i = 0; i < count; ++i) {
      CAF_CHECK(close(x[i], std::exp(double{expected[i]} - top), 1e-5));
      sum += std::exp(double{expected[i]} - top);
    }
    CAF_CHECK(close(total, sum, 1e-5));
  }
}

CAF_TEST(logarithms_agree_with_the_library) {
  std::vector<float> x;
  for (double v = 1e-7; v < 1e9; v *= 1.3)
    x.push_back(static_cast<float>(v));
  auto original = x;
  log_in_place(x.data(), x.size(), 0);
  for (size_t i = 0; i < x.size(); ++i)
    CAF_CHECK(close(x[i], std::log(double{original[i]}), 1e-5));
}

CAF_TEST(a_recurrent_step_follows_its_definition) {
  constexpr size_t n = 32;
  auto wx = noise(n * 3 * n, 1), wh = noise(n * 3 * n, 2), bx = noise(3 * n, 3), bh = noise(3 * n, 4);
  auto input = noise(n, 5), state = noise(n, 6);
  std::vector<double> a(bx.begin(), bx.end()), g(bh.begin(), bh.end());
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < 3 * n; ++j) {
      a[j] += double{input[i]} * wx[i * 3 * n + j];
      g[j] += double{state[i]} * wh[i * 3 * n + j];
    }
  auto before = state;
  std::vector<float> scratch(6 * n);
  gru_step({n, n, wx.data(), wh.data(), bx.data(), bh.data()}, input.data(), state.data(), scratch.data());
  for (size_t j = 0; j < n; ++j) {
    double r = logistic(a[j] + g[j]), z = logistic(a[n + j] + g[n + j]);
    double c = std::tanh(a[2 * n + j] + r * g[2 * n + j]);
    CAF_CHECK(close(state[j], (1 - z) * c + z * before[j], 1e-4));
  }
}

CAF_TEST(scores_are_inner_products_plus_bias_in_any_order) {
  constexpr size_t width = 48, count = 21;
  auto rows = noise(width * count, 1), bias = noise(count, 2), query = noise(width, 3);
  std::vector<float> all(count), some(3);
  std::vector<uint32_t> picked{20, 0, 7};
  score_rows(rows.data(), bias.data(), count, width, query.data(), all.data());
  score_picked(rows.data(), bias.data(), picked.data(), 3, width, query.data(), some.data());
  for (size_t k = 0; k < count; ++k) {
    double sum = bias[k];
    for (size_t j = 0; j < width; ++j)
      sum += double{rows[k * width + j]} * query[j];
    CAF_CHECK(close(all[k], sum, 1e-4));
  }
  for (size_t k = 0; k < picked.size(); ++k)
    CAF_CHECK_EQUAL(some[k], all[picked[k]]);
}

CAF_TEST(a_dense_layer_in_columns_equals_the_plain_loop) {
  constexpr size_t stride = 48, count = 37, inputs = 13, outputs = 11;
  auto x = noise(inputs * stride, 1), weights = noise(inputs * outputs, 2), bias = noise(outputs, 3);
  std::vector<float> y(outputs * stride);
  for (bool rectify : {false, true}) {
    dense_columns(x.data(), y.data(), stride, count, weights.data(), bias.data(), inputs, outputs, rectify);
    for (size_t s = 0; s < count; ++s)
      for (size_t o = 0; o < outputs; ++o) {
        double sum = bias[o];
        for (size_t i = 0; i < inputs; ++i)
          sum += double{x[i * stride + s]} * weights[i * outputs + o];
        CAF_CHECK(close(y[o * stride + s], rectify ? std::max(sum, 0.0) : sum, 1e-4));
      }
  }
}
