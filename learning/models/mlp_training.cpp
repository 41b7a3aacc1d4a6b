#include "learning/base/kernels.hpp"
#include "learning/models/mlp.hpp"

#include <dlib/dnn.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace gnomon::learning {

namespace {

struct sample_label {
  const float* targets = nullptr;
  uint32_t group = 0; // within the batch
};

// Mean loss a group: the softmax over the group for the first output when asked for, the logistic loss for the others.
class ranking_loss_ {
public:
  using training_label_type = sample_label;
  using output_label_type = int;

  explicit ranking_loss_(bool listwise = false) : listwise_(listwise) {}

  template <class Net, class Iterator>
  void to_label(const dlib::tensor&, const Net& net, Iterator out, double = 0) const {
    std::fill_n(out, net.get_output().num_samples(), 0); // the network is never asked for labels
  }

  template <class Iterator, class Net>
  double compute_loss_value_and_gradient(const dlib::tensor&, Iterator truth, Net& net) const {
    const auto& out = net.get_output();
    labels_.assign(truth, truth + out.num_samples());
    return loss(out, net.get_gradient_input());
  }

private:
  double loss(const dlib::tensor& out, dlib::tensor& gradient) const {
    const size_t outputs = static_cast<size_t>(out.k() * out.nr() * out.nc());
    const float* z = out.host();
    float* g = gradient.host_write_only();
    const float share = 1.0f / static_cast<float>(labels_.back().group + 1);
    double sum = 0;
    for (size_t i = 0; i < labels_.size(); ++i)
      for (size_t o = listwise_ ? 1 : 0; o < outputs; ++o) {
        const float x = z[i * outputs + o], y = labels_[i].targets[o];
        g[i * outputs + o] = 0;
        if (y < 0)
          continue;
        sum += std::max(x, 0.0f) - x * y + std::log1p(std::exp(-std::abs(x)));
        g[i * outputs + o] = share * (1 / (1 + std::exp(-x)) - y);
      }
    for (size_t begin = 0, end = 0; listwise_ && begin < labels_.size(); begin = end) {
      while (end < labels_.size() && labels_[end].group == labels_[begin].group)
        ++end;
      sum += listwise(z, g, outputs, begin, end, share);
    }
    return sum * share;
  }

  double listwise(const float* z, float* g, size_t outputs, size_t begin, size_t end, float share) const {
    scores_.clear();
    double own = 0, answers = 0;
    for (size_t i = begin; i < end; ++i) {
      scores_.push_back(z[i * outputs]);
      own += labels_[i].targets[0] * z[i * outputs];
      answers += labels_[i].targets[0];
    }
    // Without the answer among its candidates a group says nothing about their order.
    if (answers == 0) {
      for (size_t i = begin; i < end; ++i)
        g[i * outputs] = 0;
      return 0;
    }
    float top = 0;
    const float sum = exp_in_place(scores_.data(), scores_.size(), top);
    for (size_t i = begin; i < end; ++i)
      g[i * outputs] = share * (scores_[i - begin] / sum - labels_[i].targets[0] / static_cast<float>(answers));
    return top + std::log(sum) - own / answers;
  }

  bool listwise_ = false;
  mutable std::vector<sample_label> labels_;
  mutable std::vector<float> scores_;
};
template <class Below>
using ranking_loss = dlib::add_loss_layer<ranking_loss_, Below>;

using network =
    ranking_loss<dlib::fc<1, dlib::relu<dlib::fc<1, dlib::relu<dlib::fc<1, dlib::input<dlib::matrix<float>>>>>>>>;

struct standardisation {
  std::vector<float> mean, inverse_deviation;
};

standardisation measure(const mlp_samples& samples) {
  const size_t n = samples.size(), f = samples.inputs;
  std::vector<double> sum(f, 0), squares(f, 0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < f; ++j) {
      const double x = samples.features[i * f + j];
      sum[j] += x;
      squares[j] += x * x;
    }
  standardisation result;
  for (size_t j = 0; j < f; ++j) {
    const double mean = sum[j] / static_cast<double>(n);
    const double variance = squares[j] / static_cast<double>(n) - mean * mean;
    result.mean.push_back(static_cast<float>(mean));
    // A feature that never varies is left out.
    result.inverse_deviation.push_back(variance > 1e-9 ? static_cast<float>(1 / std::sqrt(variance)) : 0.0f);
  }
  return result;
}

class mlp_training {
public:
  mlp_training(const mlp_samples& samples, const mlp_config& config)
      : samples_(samples), config_(config), scale_(measure(samples)), random_(config.seed),
        solvers_(network::num_computational_layers, dlib::adam{1e-5f, 0.9f, 0.999f}) {
    ends_ = samples.group_ends;
    if (ends_.empty()) {
      ends_.resize(samples.size());
      std::iota(ends_.begin(), ends_.end(), size_t{1});
    }
    order_.resize(ends_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    network_ = network{ranking_loss_{config.listwise_first}};
    dlib::layer<1>(network_).layer_details().set_num_outputs(static_cast<long>(samples.outputs));
    dlib::layer<3>(network_).layer_details().set_num_outputs(config.hidden2);
    dlib::layer<5>(network_).layer_details().set_num_outputs(config.hidden1);
    dlib::matrix<float> empty = dlib::zeros_matrix<float>(static_cast<long>(samples.inputs), 1);
    network_.to_tensor(&empty, &empty + 1, input_);
  }

  expected<mlp> run(const std::function<bool(double, double)>& report) {
    float rate = config_.rate;
    for (size_t epoch = 0; epoch < config_.epochs; ++epoch, rate *= config_.rate_decay) {
      std::shuffle(order_.begin(), order_.end(), random_);
      double losses = 0, batches = 0;
      for (size_t next = 0; next < order_.size();) {
        next = fill(next);
        if (labels_.empty()) // only empty groups were left
          break;
        losses += network_.compute_parameter_gradients(input_, labels_.begin());
        network_.update_parameters(solvers_, rate);
        ++batches;
        const double share =
            (static_cast<double>(epoch) + static_cast<double>(next) / static_cast<double>(order_.size()))
            / static_cast<double>(config_.epochs);
        if (report && !report(share, losses / batches))
          return make_error(ec::timeout, "training was stopped before its end");
      }
    }
    return result();
  }

private:
  // Writes whole groups into the input until the batch is full; returns the next group.
  size_t fill(size_t next) {
    labels_.clear();
    values_.clear();
    for (uint32_t group = 0; next < order_.size() && labels_.size() < config_.batch; ++next, ++group) {
      const size_t begin = order_[next] == 0 ? 0 : ends_[order_[next] - 1];
      for (size_t i = begin; i < ends_[order_[next]]; ++i) {
        labels_.push_back({&samples_.targets[i * samples_.outputs], group});
        const float* x = &samples_.features[i * samples_.inputs];
        for (size_t j = 0; j < samples_.inputs; ++j)
          values_.push_back((x[j] - scale_.mean[j]) * scale_.inverse_deviation[j]);
      }
    }
    input_.set_size(static_cast<long>(labels_.size()), 1, static_cast<long>(samples_.inputs), 1);
    std::copy(values_.begin(), values_.end(), input_.host_write_only());
    return next;
  }

  template <class Layer>
  static void copy_layer(Layer& layer, size_t inputs, size_t outputs, std::vector<float>& w, std::vector<float>& b) {
    const float* p = layer.layer_details().get_layer_params().host();
    w.assign(p, p + inputs * outputs);
    b.assign(p + inputs * outputs, p + inputs * outputs + outputs);
  }

  mlp result() {
    mlp_weights w;
    w.inputs = static_cast<uint32_t>(samples_.inputs);
    w.hidden1 = config_.hidden1;
    w.hidden2 = config_.hidden2;
    w.outputs = static_cast<uint32_t>(samples_.outputs);
    copy_layer(dlib::layer<5>(network_), w.inputs, w.hidden1, w.w1, w.b1);
    copy_layer(dlib::layer<3>(network_), w.hidden1, w.hidden2, w.w2, w.b2);
    copy_layer(dlib::layer<1>(network_), w.hidden2, w.outputs, w.w3, w.b3);
    for (size_t i = 0; i < w.inputs; ++i)
      for (size_t j = 0; j < w.hidden1; ++j) {
        float& weight = w.w1[i * w.hidden1 + j];
        weight *= scale_.inverse_deviation[i];
        w.b1[j] -= scale_.mean[i] * weight;
      }
    return mlp{std::move(w)};
  }

  const mlp_samples& samples_;
  mlp_config config_;
  standardisation scale_;
  std::mt19937_64 random_;
  std::vector<dlib::adam> solvers_;
  std::vector<size_t> ends_, order_;
  network network_;
  dlib::resizable_tensor input_;
  std::vector<sample_label> labels_;
  std::vector<float> values_;
};

std::string complaint(const mlp_samples& samples, const mlp_config& config) {
  if (samples.size() == 0 || samples.outputs == 0 || config.hidden1 == 0 || config.hidden2 == 0 || config.batch == 0)
    return "training a network needs samples, and layers of at least one unit";
  if (samples.features.size() % samples.inputs != 0 || samples.targets.size() != samples.size() * samples.outputs)
    return "every sample needs all its features and targets";
  if (!std::is_sorted(samples.group_ends.begin(), samples.group_ends.end())
      || (!samples.group_ends.empty() && samples.group_ends.back() != samples.size()))
    return "the groups do not cover the samples";
  if (!std::all_of(samples.features.begin(), samples.features.end(), [](float x) { return std::isfinite(x); }))
    return "a feature is not a finite number";
  return {};
}

} // namespace

expected<mlp> train_mlp(const mlp_samples& samples, const mlp_config& config,
                        const std::function<bool(double, double)>& report) {
  // Dlib aborts the process at its second failed assertion, so nothing questionable may reach it.
  if (auto wrong = complaint(samples, config); !wrong.empty())
    return make_error(ec::invalid_argument, wrong);
  try {
    return mlp_training{samples, config}.run(report);
  } catch (const std::exception& failure) {
    return make_error(ec::internal, std::string{"training a network failed: "} + failure.what());
  }
}

} // namespace gnomon::learning
