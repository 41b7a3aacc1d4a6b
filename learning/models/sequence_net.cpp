#include "learning/models/sequence_net.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning::net {

using dlib::alias_tensor;
namespace tt = dlib::tt;

uint64_t fast_random::next() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 0x2545F4914F6CDD1Du;
}

float fast_random::uniform() {
  return static_cast<float>(next() >> 40) * (1.0f / 16777216);
}

namespace {

// Inverted dropout: what stays is scaled up, so that serving needs no change.
void draw_mask(std::vector<float>& mask, size_t count, float dropout, fast_random& random) {
  mask.resize(count);
  const auto limit = static_cast<uint64_t>((1 - dropout) * 4294967295.0);
  const float kept = 1 / (1 - dropout);
  for (auto& m : mask)
    m = (random.next() >> 32) < limit ? kept : 0;
}

size_t index_of(float value) {
  return static_cast<size_t>(value);
}

} // namespace

// -- the embedding ----------------------------------------------------------------------------------------------------

embedding_table::embedding_table(size_t items, size_t units, uint64_t seed) : items_(items), units_(units) {
  const size_t count = (items + gap_classes) * stride();
  rows_.assign(count, 0);
  first_.assign(count, 0);
  second_.assign(count, 0);
  steps_.assign(items + gap_classes, 0);
  slot_.assign(items + gap_classes, -1);
  std::mt19937_64 random{seed};
  std::normal_distribution<float> normal{0, 1 / std::sqrt(static_cast<float>(units))};
  for (size_t r = 0; r < items; ++r) // biases and gaps begin at zero
    for (size_t j = 0; j < units; ++j)
      row(r)[j] = normal(random);
}

float* embedding_table::gradient(size_t r) {
  if (slot_[r] < 0) {
    slot_[r] = static_cast<int32_t>(touched_.size());
    touched_.push_back(static_cast<uint32_t>(r));
    gradients_.resize(touched_.size() * stride(), 0.0f);
  }
  return &gradients_[static_cast<size_t>(slot_[r]) * stride()];
}

void embedding_table::apply(float rate) {
  for (size_t k = 0; k < touched_.size(); ++k) {
    const size_t r = touched_[k];
    adam_row(row(r), &first_[r * stride()], &second_[r * stride()], &gradients_[k * stride()], stride(), rate,
             ++steps_[r]);
  }
  forget_gradients();
}

void embedding_table::forget_gradients() {
  for (auto r : touched_)
    slot_[r] = -1;
  touched_.clear();
  gradients_.clear();
}

void embedding_::look_up(const float* in, size_t count, float* out) {
  auto& table = *shared_->table;
  const size_t n = table.units();
  for (size_t i = 0; i < count; ++i) {
    std::copy_n(table.row(index_of(in[2 * i])), n, out + i * n);
    add_scaled(out + i * n, table.row(table.items() + index_of(in[2 * i + 1])), 1, n);
  }
  mask_.clear();
  if (dropout_ > 0) {
    draw_mask(mask_, count * n, dropout_, random_);
    for (size_t i = 0; i < mask_.size(); ++i)
      out[i] *= mask_[i];
  }
}

void embedding_::gather(const float* in, size_t count, const float* gradient) {
  auto& table = *shared_->table;
  const size_t n = table.units();
  std::vector<float> masked(n);
  for (size_t i = 0; i < count; ++i) {
    const float* g = gradient + i * n;
    if (!mask_.empty()) {
      for (size_t j = 0; j < n; ++j)
        masked[j] = g[j] * mask_[i * n + j];
      g = masked.data();
    }
    add_scaled(table.gradient(index_of(in[2 * i])), g, 1, n);
    add_scaled(table.gradient(table.items() + index_of(in[2 * i + 1])), g, 1, n);
  }
}

// -- the recurrent layer ----------------------------------------------------------------------------------------------

void recurrent_::allocate(long inputs) {
  inputs_ = inputs;
  random_.state += seed_ * 2 + 1;
  params_.set_size(static_cast<long>(bh_at()) + 3 * units_);
  std::mt19937_64 random{seed_};
  const float limit = 1 / std::sqrt(static_cast<float>(units_));
  std::uniform_real_distribution<float> uniform{-limit, limit};
  for (auto& p : params_)
    p = uniform(random);
}

bool recurrent_::restarts(long sequence, long step, long steps) const {
  return shared_ && shared_->restart[static_cast<size_t>(sequence * steps + step)];
}

void recurrent_::run(const dlib::tensor& in, dlib::resizable_tensor& out) {
  // k() is 1 in the network; Dlib's own layer test brings more, and each is a sequence of its own.
  const long sequences = in.num_samples() * in.k(), steps = in.nr(), n = units_;
  const auto wx = alias_tensor(inputs_, 3 * n)(params_, wx_at());
  const auto wh = alias_tensor(n, 3 * n)(params_, wh_at());
  const float *bx = params_.host() + bx_at(), *bh = params_.host() + bh_at();
  from_input_.set_size(sequences * steps, 3 * n);
  from_state_.set_size(steps * sequences, 3 * n);
  gates_.set_size(steps * sequences, 3 * n);
  hidden_.set_size((steps + 1) * sequences, n);
  const size_t all = static_cast<size_t>(sequences * n);
  out.set_size(in.num_samples(), in.k(), steps, n);
  float* result = out.host_write_only();
  if (shared_ && states_.size() == all)
    std::copy(states_.begin(), states_.end(), hidden_.host());
  else
    std::fill_n(hidden_.host(), all, 0.0f);
  tt::gemm(0, from_input_, 1, alias_tensor(sequences * steps, inputs_)(in, 0), false, wx, false);
  for (long t = 0; t < steps; ++t) {
    float* state = hidden_.host() + t * sequences * n;
    for (long s = 0; s < sequences; ++s)
      if (restarts(s, t, steps))
        std::fill_n(state + s * n, n, 0.0f);
    auto product = alias_tensor(sequences, 3 * n)(from_state_, static_cast<size_t>(t * sequences * 3 * n));
    tt::gemm(0, product, 1, alias_tensor(sequences, n)(hidden_, static_cast<size_t>(t * sequences * n)), false, wh,
             false);
    gru_gates_forward(static_cast<size_t>(sequences), static_cast<size_t>(n), from_input_.host() + t * 3 * n,
                      static_cast<size_t>(steps * 3 * n), bx, bh, from_state_.host() + t * sequences * 3 * n, state,
                      gates_.host() + t * sequences * 3 * n, state + sequences * n);
    // Now, because a restart in the next step forgets this state.
    for (long s = 0; s < sequences; ++s)
      std::copy_n(state + (sequences + s) * n, n, result + (s * steps + t) * n);
  }
  const float* last = hidden_.host() + steps * sequences * n;
  states_.assign(last, last + all);
  drop_out(result, static_cast<size_t>(sequences * steps * n));
}

void recurrent_::drop_out(float* out, size_t count) {
  mask_.clear();
  if (dropout_ == 0)
    return;
  draw_mask(mask_, count, dropout_, random_);
  for (size_t i = 0; i < count; ++i)
    out[i] *= mask_[i];
}

void recurrent_::run_back(const dlib::tensor& in, const dlib::tensor& gradient, dlib::tensor& in_gradient,
                          dlib::tensor& pg) {
  const long sequences = in.num_samples() * in.k(), steps = in.nr(), n = units_;
  const auto wx = alias_tensor(inputs_, 3 * n)(params_, wx_at());
  const auto wh = alias_tensor(n, 3 * n)(params_, wh_at());
  d_input_.set_size(sequences * steps, 3 * n);
  d_hidden_.set_size(steps * sequences, 3 * n);
  d_state_.set_size(sequences, n);
  d_state_ = 0;
  float* d_state = d_state_.host();
  for (long t = steps - 1; t >= 0; --t) {
    for (long s = 0; s < sequences; ++s)
      for (long j = 0, at = (s * steps + t) * n; j < n; ++j)
        d_state[s * n + j] += gradient.host()[at + j] * (mask_.empty() ? 1 : mask_[static_cast<size_t>(at + j)]);
    const long row = t * sequences * 3 * n;
    gru_gates_backward(static_cast<size_t>(sequences), static_cast<size_t>(n), gates_.host() + row,
                       from_state_.host() + row, hidden_.host() + t * sequences * n, d_state, d_hidden_.host() + row,
                       d_input_.host() + t * 3 * n, static_cast<size_t>(steps * 3 * n));
    tt::gemm(1, d_state_, 1, alias_tensor(sequences, 3 * n)(d_hidden_, static_cast<size_t>(row)), false, wh, true);
    for (long s = 0; s < sequences; ++s)
      if (restarts(s, t, steps))
        std::fill_n(d_state + s * n, n, 0.0f);
  }
  auto d_wx = alias_tensor(inputs_, 3 * n)(pg, wx_at());
  auto d_wh = alias_tensor(n, 3 * n)(pg, wh_at());
  const auto rows = alias_tensor(sequences * steps, inputs_);
  tt::gemm(0, d_wx, 1, rows(in, 0), true, d_input_, false);
  tt::gemm(0, d_wh, 1, alias_tensor(steps * sequences, n)(hidden_, 0), true, d_hidden_, false);
  float *d_bx = pg.host() + bx_at(), *d_bh = pg.host() + bh_at();
  std::fill_n(d_bx, 6 * n, 0.0f);
  for (long i = 0; i < sequences * steps; ++i) {
    add_scaled(d_bx, d_input_.host() + i * 3 * n, 1, static_cast<size_t>(3 * n));
    add_scaled(d_bh, d_hidden_.host() + i * 3 * n, 1, static_cast<size_t>(3 * n));
  }
  auto d_in = rows(in_gradient, 0);
  tt::gemm(1, d_in, 1, d_input_, false, wx, true);
}

// -- the loss ---------------------------------------------------------------------------------------------------------

sampled_softmax_::sampled_softmax_(shared_ptr shared, const std::vector<float>& counts, size_t negatives, float power)
    : shared_(std::move(shared)), negatives_(negatives >= counts.size() ? 0 : negatives), chance_(counts.size()),
      keep_(counts.size(), 1.0f), alias_(counts.size(), 0) {
  double total = 0;
  for (size_t i = 0; i < counts.size(); ++i)
    total += chance_[i] = std::pow(counts[i] + 0.5f, power);
  std::vector<double> share(counts.size());
  std::vector<uint32_t> small, large;
  for (size_t i = 0; i < counts.size(); ++i) {
    chance_[i] = static_cast<float>(chance_[i] / total);
    share[i] = double{chance_[i]} * static_cast<double>(counts.size());
    (share[i] < 1 ? small : large).push_back(static_cast<uint32_t>(i));
  }
  while (!small.empty() && !large.empty()) {
    auto low = small.back(), high = large.back();
    small.pop_back();
    keep_[low] = static_cast<float>(share[low]);
    alias_[low] = high;
    share[high] -= 1 - share[low];
    if (share[high] < 1) {
      large.pop_back();
      small.push_back(high);
    }
  }
}

void sampled_softmax_::draw() const {
  const size_t items = chance_.size();
  drawn_.resize(negatives_ == 0 ? items : negatives_);
  for (size_t k = 0; k < drawn_.size(); ++k) {
    if (negatives_ == 0) {
      drawn_[k] = static_cast<int32_t>(k);
      continue;
    }
    auto item = static_cast<uint32_t>(((random_.next() >> 32) * items) >> 32);
    drawn_[k] = static_cast<int32_t>(random_.uniform() < keep_[item] ? item : alias_[item]);
  }
}

float sampled_softmax_::correction(size_t item) const {
  return negatives_ == 0 ? 0.0f : std::log(static_cast<float>(negatives_) * chance_[item]);
}

double sampled_softmax_::loss(const dlib::tensor& out, dlib::tensor& gradient) const {
  std::fill_n(gradient.host_write_only(), gradient.size(), 0.0f);
  if (wanted_.empty())
    return 0;
  draw();
  auto& table = *shared_->table;
  const long n = out.nc(), rows = static_cast<long>(wanted_.size()), sampled = static_cast<long>(drawn_.size());
  states_.set_size(rows, n);
  rows_.set_size(sampled, n);
  scores_.set_size(rows, sampled);
  float *states = states_.host_write_only(), *items = rows_.host_write_only();
  for (long m = 0; m < rows; ++m)
    std::copy_n(out.host() + where_[static_cast<size_t>(m)] * n, n, states + m * n);
  bias_.resize(drawn_.size());
  for (size_t k = 0; k < drawn_.size(); ++k) {
    const float* row = table.row(static_cast<size_t>(drawn_[k]));
    std::copy_n(row, n, items + static_cast<long>(k) * n);
    bias_[k] = row[n] - correction(static_cast<size_t>(drawn_[k]));
  }
  tt::gemm(0, scores_, 1, states_, false, rows_, true);
  d_wanted_.resize(wanted_.size());
  double sum = 0;
  for (size_t m = 0; m < wanted_.size(); ++m)
    sum += softmax_row(m, scores_.host() + static_cast<long>(m) * sampled, states + static_cast<long>(m) * n);
  spread_gradients(gradient.host());
  return sum / static_cast<double>(rows);
}

// Leaves d(loss)/d(score) in `scores`; returns the loss of this access.
double sampled_softmax_::softmax_row(size_t m, float* scores, const float* state) const {
  const auto wanted = static_cast<size_t>(wanted_[m]);
  const size_t count = drawn_.size();
  const float share = 1.0f / static_cast<float>(wanted_.size());
  add_scaled(scores, bias_.data(), 1, count);
  float own = 0;
  if (negatives_ == 0) {
    own = scores[wanted];
  } else {
    const float* row = shared_->table->row(wanted);
    const size_t n = shared_->table->units();
    for (size_t j = 0; j < n; ++j)
      own += row[j] * state[j];
    own += row[n] - correction(wanted);
    for (size_t k = 0; k < count; ++k) // the answer itself is no negative
      scores[k] = drawn_[k] == wanted_[m] ? -80.0f : scores[k];
  }
  float top = 0;
  double sum = exp_in_place(scores, count, top);
  const double own_part = negatives_ == 0 ? 0.0 : std::exp(std::min(80.0, double{own} - top));
  sum += own_part;
  scale(scores, count, static_cast<float>(share / sum));
  if (negatives_ == 0)
    scores[wanted] -= share;
  d_wanted_[m] = negatives_ == 0 ? 0.0f : static_cast<float>(own_part / sum - 1) * share;
  return top + std::log(sum) - own;
}

void sampled_softmax_::spread_gradients(float* gradient) const {
  auto& table = *shared_->table;
  const size_t n = table.units();
  d_states_.copy_size(states_);
  d_rows_.copy_size(rows_);
  tt::gemm(0, d_states_, 1, scores_, false, rows_, false);
  tt::gemm(0, d_rows_, 1, scores_, true, states_, false);
  std::fill(bias_.begin(), bias_.end(), 0.0f);
  for (size_t m = 0; m < wanted_.size(); ++m)
    add_scaled(bias_.data(), scores_.host() + m * drawn_.size(), 1, drawn_.size());
  for (size_t k = 0; k < drawn_.size(); ++k) {
    float* to = table.gradient(static_cast<size_t>(drawn_[k]));
    add_scaled(to, d_rows_.host() + k * n, 1, n);
    to[n] += bias_[k];
  }
  for (size_t m = 0; m < wanted_.size(); ++m) {
    float* d_state = d_states_.host() + m * n;
    if (negatives_ != 0) {
      const auto wanted = static_cast<size_t>(wanted_[m]);
      add_scaled(d_state, table.row(wanted), d_wanted_[m], n);
      float* to = table.gradient(wanted);
      add_scaled(to, states_.host() + m * n, d_wanted_[m], n);
      to[n] += d_wanted_[m];
    }
    std::copy_n(d_state, n, gradient + where_[m] * static_cast<long>(n));
  }
}

} // namespace gnomon::learning::net
