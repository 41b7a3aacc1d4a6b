#pragma once

#include "learning/base/kernels.hpp"
#include "learning/models/sequence_model.hpp"

#include <dlib/dnn.h>

#include <memory>
#include <random>

/// The sequence network as Dlib layers. Takes 20 s to compile: only the trainer and the gradient test include it.
///
///   sampled_softmax_  <-  recurrent_  <-  embedding_  <-  input<matrix<float>>
///
/// One sample is one lane of `steps` accesses; its input matrix is steps x 2 (item, gap class), its label the items
/// that come next, -1 for none. What lies outside Dlib's dense parameters is shared through `shared_parts`.
namespace gnomon::learning::net {

/// Xorshift generator (Vigna 2016): dropout asks for 64 numbers an access.
struct fast_random {
  uint64_t state = 0x9E3779B97F4A7C15u;
  uint64_t next();
  float uniform();
};

/// The embedding. It is kept out of Dlib's parameters, because Dlib updates every dense parameter at each step, while a
/// batch uses one row in a hundred. A row has the vector and, last, the item's bias. The rows of the gap classes follow
/// those of the items.
class embedding_table {
public:
  embedding_table(size_t items, size_t units, uint64_t seed);
  size_t items() const {
    return items_;
  }
  size_t units() const {
    return units_;
  }
  float* row(size_t r) {
    return &rows_[r * stride()];
  }
  /// Where the gradient of row `r` is summed; valid until the next call.
  float* gradient(size_t r);
  /// Adam on the rows used since the last call. Each row has its own count of steps.
  void apply(float rate);
  void forget_gradients();
  const std::vector<uint32_t>& touched() const {
    return touched_;
  }
  size_t stride() const {
    return units_ + 1;
  }

private:
  size_t items_, units_;
  std::vector<float> rows_, first_, second_, gradients_;
  std::vector<uint32_t> steps_, touched_;
  std::vector<int32_t> slot_;
};

struct shared_parts {
  std::unique_ptr<embedding_table> table;
  std::vector<char> restart; // lanes x steps: a new sequence begins here
};
using shared_ptr = std::shared_ptr<shared_parts>;

/// Sum of the item's and the gap's vector, with dropout.
class embedding_ {
public:
  embedding_() = default;
  embedding_(shared_ptr shared, float dropout) : shared_(std::move(shared)), dropout_(dropout) {}
  template <class Below>
  void setup(const Below&) {}
  template <class Below>
  void forward(const Below& below, dlib::resizable_tensor& out) {
    const auto& in = below.get_output();
    out.set_size(in.num_samples(), 1, in.nr(), static_cast<long>(shared_->table->units()));
    look_up(in.host(), static_cast<size_t>(in.num_samples() * in.nr()), out.host_write_only());
  }
  template <class Below>
  void backward(const dlib::tensor& gradient, Below& below, dlib::tensor&) {
    const auto& in = below.get_output();
    gather(in.host(), static_cast<size_t>(in.num_samples() * in.nr()), gradient.host());
  }
  const dlib::tensor& get_layer_params() const {
    return none_;
  }
  dlib::tensor& get_layer_params() {
    return none_;
  }
  const shared_ptr& shared() const {
    return shared_;
  }

private:
  void look_up(const float* in, size_t count, float* out);
  void gather(const float* in, size_t count, const float* gradient);

  shared_ptr shared_;
  float dropout_ = 0;
  dlib::resizable_tensor none_;
  std::vector<float> mask_;
  fast_random random_;
};
template <class Below>
using embedding = dlib::add_layer<embedding_, Below>;

/// One gated recurrent layer, unrolled over the rows of its input. Back-propagation ends at the first row. The states
/// at the end of a batch are those at the start of the next one, except where a sequence restarts.
class recurrent_ {
public:
  recurrent_() = default;
  /// Without `shared`, no state is kept from batch to batch.
  recurrent_(size_t units, shared_ptr shared, float dropout, uint64_t seed)
      : units_(static_cast<long>(units)), shared_(std::move(shared)), dropout_(dropout), seed_(seed) {}
  template <class Below>
  void setup(const Below& below) {
    allocate(below.get_output().nc());
  }
  template <class Below>
  void forward(const Below& below, dlib::resizable_tensor& out) {
    run(below.get_output(), out);
  }
  template <class Below>
  void backward(const dlib::tensor& gradient, Below& below, dlib::tensor& parameter_gradient) {
    run_back(below.get_output(), gradient, below.get_gradient_input(), parameter_gradient);
  }
  const dlib::tensor& get_layer_params() const {
    return params_;
  }
  dlib::tensor& get_layer_params() {
    return params_;
  }
  void forget_states() {
    states_.clear();
  }
  /// Offsets inside the parameters: wx, wh, bx, bh.
  size_t wx_at() const {
    return 0;
  }
  size_t wh_at() const {
    return static_cast<size_t>(inputs_ * 3 * units_);
  }
  size_t bx_at() const {
    return wh_at() + static_cast<size_t>(units_ * 3 * units_);
  }
  size_t bh_at() const {
    return bx_at() + static_cast<size_t>(3 * units_);
  }

private:
  void allocate(long inputs);
  void run(const dlib::tensor& in, dlib::resizable_tensor& out);
  void run_back(const dlib::tensor& in, const dlib::tensor& gradient, dlib::tensor& in_gradient, dlib::tensor& pg);
  void drop_out(float* out, size_t count);
  bool restarts(long sequence, long step, long steps) const;

  long units_ = 0, inputs_ = 0;
  shared_ptr shared_;
  float dropout_ = 0;
  uint64_t seed_ = 1;
  dlib::resizable_tensor params_;
  // By step, then by sequence: states has one step more than the others.
  dlib::resizable_tensor from_input_, from_state_, hidden_, gates_, d_input_, d_hidden_, d_state_;
  std::vector<float> states_, mask_;
  fast_random random_;
};
template <class Below>
using recurrent = dlib::add_layer<recurrent_, Below>;

/// Softmax over the items with the embedding as output weights, against a shared sample of negatives whose scores are
/// corrected for how often they are drawn (Bengio and Senécal 2008). Mean over the accesses of a batch.
class sampled_softmax_ {
public:
  using training_label_type = std::vector<int32_t>;
  using output_label_type = int;

  sampled_softmax_() = default;
  /// `counts` says how often each item occurs; `negatives` 0 or at least the number of items: the full softmax.
  sampled_softmax_(shared_ptr shared, const std::vector<float>& counts, size_t negatives, float power);

  template <class Net, class Iterator>
  void to_label(const dlib::tensor&, const Net& net, Iterator out, double = 0) const {
    std::fill_n(out, net.get_output().num_samples(), 0); // the network is never asked for labels
  }
  template <class Iterator, class Net>
  double compute_loss_value_and_gradient(const dlib::tensor&, Iterator truth, Net& net) const {
    const auto& out = net.get_output();
    where_.clear();
    wanted_.clear();
    for (long lane = 0; lane < out.num_samples(); ++lane, ++truth)
      for (long t = 0; t < out.nr(); ++t)
        if (int32_t item = (*truth)[static_cast<size_t>(t)]; item >= 0) {
          where_.push_back(lane * out.nr() + t);
          wanted_.push_back(item);
        }
    return loss(out, net.get_gradient_input());
  }

private:
  double loss(const dlib::tensor& out, dlib::tensor& gradient) const;
  void draw() const;
  double softmax_row(size_t m, float* scores, const float* state) const;
  void spread_gradients(float* gradient) const;
  float correction(size_t item) const;

  shared_ptr shared_;
  size_t negatives_ = 0;
  std::vector<float> chance_, keep_; // of being drawn; of the alias method (Walker 1977)
  std::vector<uint32_t> alias_;
  // Dlib calls losses as const; these are the work of one batch.
  mutable fast_random random_;
  mutable std::vector<long> where_;
  mutable std::vector<int32_t> wanted_, drawn_;
  mutable std::vector<float> bias_, d_wanted_;
  mutable dlib::resizable_tensor states_, rows_, scores_, d_states_, d_rows_;
};
template <class Below>
using sampled_softmax = dlib::add_loss_layer<sampled_softmax_, Below>;

using network = sampled_softmax<recurrent<embedding<dlib::input<dlib::matrix<float>>>>>;

} // namespace gnomon::learning::net
