#pragma once

#include "learning/base/archive.hpp"
#include "runtime/base/error.hpp"

#include <cstdint>
#include <functional>
#include <vector>

/// A small network of three dense layers with rectifiers between them: it ranks candidates and estimates demand.
namespace gnomon::learning {

/// Standardisation of the inputs is folded into the first layer. Each layer's weights are inputs x outputs, row-major.
struct mlp_weights {
  uint32_t inputs = 0, hidden1 = 0, hidden2 = 0, outputs = 0;
  std::vector<float> w1, b1, w2, b2, w3, b3;
};

/// Uses trained weights. Immutable once made: any thread may use it.
class mlp {
public:
  mlp() = default;
  explicit mlp(mlp_weights weights) : weights_(std::move(weights)) {}
  explicit operator bool() const {
    return weights_.inputs != 0;
  }
  size_t inputs() const {
    return weights_.inputs;
  }
  size_t outputs() const {
    return weights_.outputs;
  }
  /// Scores `count` samples in columns: feature f of sample s is columns[f * stride + s], output o of it goes to
  /// out[o * stride + s]. `stride` is a multiple of 16 and at least `count`; columns past `count` are scored as well.
  /// Outputs are logits.
  void run(const float* columns, size_t stride, size_t count, float* out) const;

  void save(writer& out) const;
  /// Errors: bad_message.
  static expected<mlp> load(reader& in);

private:
  mlp_weights weights_;
};

/// A target whose truth is not known: it teaches nothing.
inline constexpr float unknown_target = -1;

/// Samples to learn from: `features` is samples x inputs, `targets` samples x outputs (0, 1 or `unknown_target`).
/// `group_ends` divides the samples into groups, such as the candidates of one prediction; empty: each sample stands
/// alone. In groups, the first targets are known.
struct mlp_samples {
  size_t inputs = 0;
  size_t outputs = 1;
  std::vector<float> features;
  std::vector<float> targets;
  std::vector<size_t> group_ends;
  size_t size() const {
    return inputs == 0 ? 0 : features.size() / inputs;
  }
};

struct mlp_config {
  uint32_t hidden1 = 32;
  uint32_t hidden2 = 16;
  size_t epochs = 6;
  size_t batch = 1024; // samples, rounded up to whole groups
  float rate = 0.003f; // of Adam, multiplied by `rate_decay` after each pass
  float rate_decay = 0.6f;
  /// The first output is trained by the softmax over its group (Cao et al. 2007), which ranks better than rating each
  /// candidate alone. The other outputs take the logistic loss. So does the first one when this is false.
  bool listwise_first = false;
  uint64_t seed = 1;
};

/// Trains with Dlib; single-threaded; 0.3 to 1.2 million samples a second. `report` gets the share of the work done and
/// the mean loss, and ends the training by returning false.
/// Errors: invalid_argument (sizes that do not fit, no samples, a feature that is not finite), timeout (stopped).
expected<mlp> train_mlp(const mlp_samples& samples, const mlp_config& config,
                        const std::function<bool(double share, double loss)>& report = {});

} // namespace gnomon::learning
