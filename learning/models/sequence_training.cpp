#include "learning/models/sequence_net.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>

namespace gnomon::learning {

namespace {

using steady = std::chrono::steady_clock;

// Processor time of this thread: what the network costs, whoever else is busy on the machine.
double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

// Cuts sequences into batches: every lane walks through one sequence after the other.
class lane_feeder {
public:
  lane_feeder(const sequence_set& data, const sequence_config& config)
      : data_(data), lanes_(config.lanes), steps_(config.steps), labels_(lanes_, std::vector<int32_t>(steps_)) {
    for (size_t k = 0; k < data.ends.size(); ++k)
      if (length(k) > 1)
        order_.push_back(k);
  }

  bool empty() const {
    return order_.empty();
  }

  /// Accesses with a successor: one epoch's work.
  size_t events() const {
    return std::accumulate(order_.begin(), order_.end(), size_t{0},
                           [&](size_t sum, size_t k) { return sum + length(k) - 1; });
  }

  void shuffle(std::mt19937_64& random) {
    std::shuffle(order_.begin(), order_.end(), random);
    next_ = 0;
    cursors_.assign(lanes_, {});
  }

  /// Fills `input` (lanes x steps x 2), the restart flags and the labels; returns how many labels there are.
  size_t fill(float* input, std::vector<char>& restart) {
    size_t live = 0;
    restart.assign(lanes_ * steps_, 0);
    for (size_t lane = 0; lane < lanes_; ++lane)
      for (size_t t = 0; t < steps_; ++t, input += 2) {
        auto& at = cursors_[lane];
        if (at.left == 0 && next_ < order_.size()) {
          at = {begin(order_[next_]), length(order_[next_]) - 1};
          ++next_;
          restart[lane * steps_ + t] = 1;
        }
        if (at.left == 0) { // this lane has run out of sequences
          input[0] = input[1] = 0;
          labels_[lane][t] = -1;
          continue;
        }
        input[0] = static_cast<float>(data_.items[at.position]);
        input[1] = static_cast<float>(data_.gaps[at.position]);
        labels_[lane][t] = static_cast<int32_t>(data_.items[++at.position]);
        --at.left;
        ++live;
      }
    return live;
  }

  const std::vector<std::vector<int32_t>>& labels() const {
    return labels_;
  }

private:
  struct cursor {
    size_t position = 0;
    size_t left = 0;
  };
  size_t begin(size_t k) const {
    return k == 0 ? 0 : data_.ends[k - 1];
  }
  size_t length(size_t k) const {
    return data_.ends[k] - begin(k);
  }

  const sequence_set& data_;
  size_t lanes_, steps_, next_ = 0;
  std::vector<size_t> order_;
  std::vector<cursor> cursors_;
  std::vector<std::vector<int32_t>> labels_;
};

std::string complaint(const sequence_set& data, size_t item_count, const sequence_config& config) {
  if (config.units == 0 || config.units % lanes != 0)
    return "the number of units must be a multiple of 16, for example 64";
  if (config.lanes == 0 || config.steps == 0)
    return "training needs at least one lane and one step";
  if (!(config.input_dropout >= 0 && config.input_dropout < 1 && config.output_dropout >= 0
        && config.output_dropout < 1))
    return "dropout is a share: at least 0 and below 1";
  if (item_count == 0 || item_count > (1u << 24)) // the input tensor holds indices as floats
    return "the sequence network takes 1 to 16,777,216 items";
  if (data.items.size() != data.gaps.size() || (!data.ends.empty() && data.ends.back() != data.items.size()))
    return "every access of a sequence needs an item and a gap";
  if (std::any_of(data.items.begin(), data.items.end(), [&](uint32_t i) { return i >= item_count; })
      || std::any_of(data.gaps.begin(), data.gaps.end(), [](uint8_t g) { return g >= gap_classes; }))
    return "an access names an item or a gap class out of range";
  return {};
}

void copy_start(const sequence_weights& start, net::embedding_table& table, net::recurrent_& layer) {
  const size_t n = table.units();
  for (size_t i = 0; i < std::min(table.items(), start.item_count()); ++i) {
    std::copy_n(&start.items[i * n], n, table.row(i));
    table.row(i)[n] = start.biases[i];
  }
  for (size_t g = 0; g < gap_classes; ++g)
    std::copy_n(&start.gaps[g * n], n, table.row(table.items() + g));
  float* p = layer.get_layer_params().host();
  std::copy(start.wx.begin(), start.wx.end(), p + layer.wx_at());
  std::copy(start.wh.begin(), start.wh.end(), p + layer.wh_at());
  std::copy(start.bx.begin(), start.bx.end(), p + layer.bx_at());
  std::copy(start.bh.begin(), start.bh.end(), p + layer.bh_at());
}

sequence_weights copy_out(net::embedding_table& table, const net::recurrent_& layer) {
  const size_t n = table.units();
  sequence_weights w;
  w.units = n;
  w.items.reserve(table.items() * n);
  for (size_t i = 0; i < table.items() + gap_classes; ++i) {
    const float* row = table.row(i);
    auto& to = i < table.items() ? w.items : w.gaps;
    to.insert(to.end(), row, row + n);
    if (i < table.items())
      w.biases.push_back(row[n]);
  }
  const float* p = layer.get_layer_params().host();
  w.wx.assign(p + layer.wx_at(), p + layer.wh_at());
  w.wh.assign(p + layer.wh_at(), p + layer.bx_at());
  w.bx.assign(p + layer.bx_at(), p + layer.bh_at());
  w.bh.assign(p + layer.bh_at(), p + layer.bh_at() + 3 * n);
  return w;
}

// One training run; exists only while it lasts.
class sequence_training {
public:
  sequence_training(const sequence_set& data, size_t item_count, const sequence_config& config)
      : config_(config), feeder_(data, config), shared_(std::make_shared<net::shared_parts>()), random_(config.seed),
        solvers_(net::network::num_computational_layers, dlib::adam{0, 0.9f, 0.999f}) {
    std::vector<float> counts(item_count, 0);
    for (auto item : data.items)
      ++counts[item];
    shared_->table = std::make_unique<net::embedding_table>(item_count, config.units, config.seed);
    shared_->restart.assign(config.lanes * config.steps, 1);
    network_ = net::network{net::sampled_softmax_{shared_, counts, config.negatives, config.sampling_power},
                            net::recurrent_{config.units, shared_, config.output_dropout, config.seed},
                            net::embedding_{shared_, config.input_dropout}};
    // Dlib sizes its tensors when it converts a first batch; later batches are written into the tensor itself.
    std::vector<dlib::matrix<float>> empty(config.lanes, dlib::zeros_matrix<float>(static_cast<long>(config.steps), 2));
    network_.to_tensor(empty.begin(), empty.end(), input_);
    network_.subnet().forward(input_);
  }

  expected<sequence_weights> run(const sequence_weights* start, const training_listener& report) {
    if (feeder_.empty())
      return make_error(ec::invalid_argument, "no user has two accesses: there is no sequence to learn from");
    auto& layer = network_.subnet().layer_details();
    if (start != nullptr && start->units == config_.units)
      copy_start(*start, *shared_->table, layer);
    float rate = config_.rate;
    for (size_t epoch = 0; epoch < config_.epochs; ++epoch) {
      if (!pass(epoch, rate, report))
        return make_error(ec::timeout, "training was stopped before its end");
      if (epoch >= 1)
        rate *= config_.rate_decay;
    }
    return copy_out(*shared_->table, layer);
  }

private:
  bool pass(size_t epoch, float rate, const training_listener& report) {
    feeder_.shuffle(random_);
    network_.subnet().layer_details().forget_states();
    const double begin = processor_seconds();
    const double total = static_cast<double>(feeder_.events());
    double done = 0, losses = 0, batches = 0;
    for (;;) {
      size_t live = feeder_.fill(input_.host_write_only(), shared_->restart);
      // When nearly all lanes have run dry the rest costs more than it teaches.
      if (live == 0 || (batches > 0 && live < config_.lanes * config_.steps / 20))
        return true;
      losses += network_.compute_parameter_gradients(input_, feeder_.labels().begin());
      network_.update_parameters(solvers_, rate);
      shared_->table->apply(rate);
      done += static_cast<double>(live);
      ++batches;
      if (!report || seconds_since(reported_) < 0.25)
        continue;
      reported_ = steady::now();
      if (!report({(static_cast<double>(epoch) + done / total) / static_cast<double>(config_.epochs), losses / batches,
                   done / std::max(processor_seconds() - begin, 1e-6), 0}))
        return false;
    }
  }

  sequence_config config_;
  lane_feeder feeder_;
  net::shared_ptr shared_;
  std::mt19937_64 random_;
  std::vector<dlib::adam> solvers_;
  net::network network_;
  dlib::resizable_tensor input_;
  steady::time_point reported_ = steady::now(); // across passes, which may be shorter than the time between reports
};

} // namespace

expected<sequence_weights> train_sequence(const sequence_set& data, size_t item_count, const sequence_config& config,
                                          const sequence_weights* start, const training_listener& report) {
  // Dlib aborts the process at its second failed assertion, so nothing questionable may reach it.
  if (auto wrong = complaint(data, item_count, config); !wrong.empty())
    return make_error(ec::invalid_argument, wrong);
  try {
    return sequence_training{data, item_count, config}.run(start, report);
  } catch (const std::exception& failure) {
    return make_error(ec::internal, std::string{"training the sequence network failed: "} + failure.what());
  }
}

} // namespace gnomon::learning
