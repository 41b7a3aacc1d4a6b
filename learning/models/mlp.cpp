#include "learning/models/mlp.hpp"

#include "learning/base/finite.hpp"
#include "learning/base/kernels.hpp"

namespace gnomon::learning {

void mlp::run(const float* columns, size_t stride, size_t count, float* out) const {
  const auto& w = weights_;
  thread_local std::vector<float> hidden;
  hidden.resize((w.hidden1 + w.hidden2) * stride);
  float* first = hidden.data();
  float* second = first + w.hidden1 * stride;
  dense_columns(columns, first, stride, count, w.w1.data(), w.b1.data(), w.inputs, w.hidden1, true);
  dense_columns(first, second, stride, count, w.w2.data(), w.b2.data(), w.hidden1, w.hidden2, true);
  dense_columns(second, out, stride, count, w.w3.data(), w.b3.data(), w.hidden2, w.outputs, false);
}

void mlp::save(writer& out) const {
  const auto& w = weights_;
  for (auto size : {w.inputs, w.hidden1, w.hidden2, w.outputs})
    out.put(size);
  for (auto part : {&w.w1, &w.b1, &w.w2, &w.b2, &w.w3, &w.b3})
    out.put(*part);
}

expected<mlp> mlp::load(reader& in) {
  mlp_weights w;
  for (auto size : {&w.inputs, &w.hidden1, &w.hidden2, &w.outputs})
    in.get(*size);
  for (auto part : {&w.w1, &w.b1, &w.w2, &w.b2, &w.w3, &w.b3})
    in.get(*part);
  auto fits = [](const std::vector<float>& v, uint64_t rows, uint64_t columns) { return v.size() == rows * columns; };
  auto finite = [](const auto&... parts) { return (all_finite(parts) && ...); };
  if (!in.good() || !finite(w.w1, w.b1, w.w2, w.b2, w.w3, w.b3) || !fits(w.w1, w.inputs, w.hidden1)
      || !fits(w.b1, 1, w.hidden1) || !fits(w.w2, w.hidden1, w.hidden2) || !fits(w.b2, 1, w.hidden2)
      || !fits(w.w3, w.hidden2, w.outputs) || !fits(w.b3, 1, w.outputs))
    return make_error(ec::bad_message, "the layers of a network in the model do not fit together");
  return mlp{std::move(w)};
}

} // namespace gnomon::learning
