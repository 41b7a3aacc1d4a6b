#include "learning/user/candidates.hpp"

#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>

namespace gnomon::learning {

void candidate_set::clear() {
  size_ = 0;
  table_.fill(0);
}

size_t candidate_set::slot_of(uint32_t item) const {
  size_t slot = (item * 0x9E3779B1u) >> 23; // 9 bits: 512 slots, at most 192 taken
  while (table_[slot] != 0 && items_[table_[slot] - 1u] != item)
    slot = (slot + 1) % slots;
  return slot;
}

void candidate_set::add(uint32_t item) {
  auto slot = slot_of(item);
  if (table_[slot] != 0 || size_ == capacity)
    return;
  items_[size_++] = item;
  table_[slot] = static_cast<uint16_t>(size_);
}

size_t candidate_set::position(uint32_t item) const {
  auto slot = slot_of(item);
  return table_[slot] == 0 ? capacity : table_[slot] - 1u;
}

void candidate_set::zero_columns() {
  const size_t used = padded(size_);
  for (size_t f = 0; f < feature_count; ++f)
    std::fill_n(&columns_[f * capacity], used, 0.0f);
}

namespace {

constexpr size_t rows_weighed = 6; // recent items whose neighbours count
constexpr size_t own_successors = 3;

/// One prediction, in the order in which it happens: collect, then features by kind.
class prediction_builder {
public:
  prediction_builder(const counters& counts, const sequence_model& network, const user_record& user, const float* state,
                     const candidate_config& config, candidate_set& out)
      : counts_(counts), network_(network), user_(user), history_(user.history), state_(state), config_(config),
        out_(out), current_(history_.ago(0)) {
    if (history_.size() > 1)
      pair_ = counts.after_pair(history_.ago(1).item, current_.item);
  }

  void collect() {
    out_.clear();
    for (size_t k = 0; k < std::min(history_.size(), rows_weighed); ++k)
      counts_.prefetch_rows(history_.ago(k).item);
    for (size_t k = 0; k < std::min(history_.size(), config_.own_history); ++k)
      out_.add(history_.ago(k).item);
    if (state_ != nullptr && config_.network > 0) {
      network_.top(state_, config_.network, config_.probes, chosen());
      for (auto item : chosen())
        out_.add(item);
    } else {
      chosen().clear();
    }
    add_row(counts_.after(current_.item));
    add_row(pair_);
    for (size_t k = 0; k < std::min(history_.size(), config_.near_rows); ++k)
      add_row(counts_.near(history_.ago(k).item));
    for (size_t k = 1; k < history_.size(); ++k)
      if (history_.ago(k).item == current_.item)
        for (size_t j = 1; j <= std::min(own_successors, k); ++j)
          out_.add(history_.ago(k - j).item);
    for (size_t k = 0; k < std::min(history_.size(), config_.before_rows); ++k)
      add_row(counts_.before(history_.ago(k).item));
    add_leaders(counts_.trend());
    add_leaders(counts_.in_region(user_.region));
    add_leaders(counts_.fast());
    add_leaders(counts_.slow());
    for (size_t j = 0; j < out_.size(); ++j)
      counts_.prefetch(out_.item(j), user_.region);
  }

  void describe() {
    out_.zero_columns();
    first_successors();
    pair_successors();
    neighbours();
    predecessors();
    own_history();
    popularity();
    user();
    if (state_ != nullptr)
      network();
  }

private:
  static std::vector<uint32_t>& chosen() {
    thread_local std::vector<uint32_t> items;
    return items;
  }

  template <class Row>
  void add_row(const Row* row) {
    if (row != nullptr)
      for (size_t k = 0; k < row->used; ++k)
        out_.add(row->items[k]);
  }

  void add_leaders(const decayed_weights& weights) {
    for (size_t k = 0; k < std::min(weights.leaders().size(), config_.leaders); ++k)
      out_.add(weights.leaders()[k]);
  }

  /// Calls f(position, weight) for every item of the row that is a candidate.
  template <class Row, class Function>
  void each(const Row* row, Function f) {
    if (row == nullptr)
      return;
    for (size_t k = 0; k < row->used; ++k)
      if (auto j = out_.position(row->items[k]); j != candidate_set::capacity)
        f(j, row->weights[k]);
  }

  void fill(feature f, float value) {
    std::fill_n(out_.column(f), out_.size(), value);
  }

  void first_successors() {
    auto row = counts_.after(current_.item);
    if (row == nullptr) {
      fill(feature::first_log_share, std::log(1e-4f));
      return;
    }
    const float total = row->total + 2;
    auto share = out_.column(feature::first_share), log = out_.column(feature::first_log);
    each(row, [&](size_t j, float weight) {
      share[j] = weight / total;
      log[j] = weight;
    });
    log_in_place(log, padded(out_.size()), 1);
    auto log_share = out_.column(feature::first_log_share);
    std::copy_n(share, out_.size(), log_share);
    log_in_place(log_share, padded(out_.size()), 1e-4f);
    fill(feature::first_row_log, std::log1p(row->total));
    fill(feature::first_row_top,
         row->used == 0 ? 0 : *std::max_element(row->weights.begin(), row->weights.begin() + row->used) / total);
  }

  void pair_successors() {
    if (pair_ == nullptr)
      return;
    auto share = out_.column(feature::pair_share), log = out_.column(feature::pair_log);
    each(pair_, [&](size_t j, float weight) {
      share[j] = weight / (pair_->total + 1);
      log[j] = weight;
    });
    log_in_place(log, padded(out_.size()), 1);
    fill(feature::pair_row_log, std::log1p(pair_->total));
  }

  void neighbours() {
    auto log = out_.column(feature::near_log), cosine = out_.column(feature::near_cosine),
         weighted = out_.column(feature::near_weighted), rows = out_.column(feature::near_rows);
    for (size_t k = 0; k < std::min(history_.size(), rows_weighed); ++k) {
      auto row = counts_.near(history_.ago(k).item);
      if (row == nullptr)
        continue;
      const float recent = 1.0f / static_cast<float>(1 + k), total = row->total + 2;
      const float inverse = 1 / total, inverse_root = 1 / std::sqrt(total);
      float* share = k == 0 ? out_.column(feature::near_share) : k == 1 ? out_.column(feature::near_share_2) : nullptr;
      each(row, [&](size_t j, float weight) {
        if (share != nullptr)
          share[j] = weight * inverse;
        if (k == 0)
          log[j] = weight;
        weighted[j] += recent * weight * inverse;
        cosine[j] += recent * weight * inverse_root;
        rows[j] += 1;
      });
    }
    for (size_t j = 0; j < out_.size(); ++j)
      if (cosine[j] > 0)
        cosine[j] /= std::sqrt(counts_.near_total(out_.item(j)) + 2);
    log_in_place(log, padded(out_.size()), 1);
  }

  void predecessors() {
    auto weighted = out_.column(feature::before_weighted), share = out_.column(feature::before_share);
    for (size_t k = 0; k < std::min<size_t>(history_.size(), 3); ++k) {
      auto row = counts_.before(history_.ago(k).item);
      if (row == nullptr)
        continue;
      const float scaled = 1 / ((row->total + 2) * static_cast<float>(1 + k));
      each(row, [&](size_t j, float weight) {
        weighted[j] += weight * scaled;
        if (k == 0)
          share[j] = weight * scaled;
      });
    }
  }

  void own_history() {
    auto recency = out_.column(feature::recency), times = out_.column(feature::times_read),
         since = out_.column(feature::time_since_read), was = out_.column(feature::was_read),
         own = out_.column(feature::own_successor);
    for (size_t k = history_.size(); k-- > 0;) {
      const auto& past = history_.ago(k);
      if (auto j = out_.position(past.item); j != candidate_set::capacity) {
        recency[j] = 1.0f / static_cast<float>(1 + k);
        times[j] += 1;
        since[j] = seconds_before_now(past.time);
        was[j] = 1;
      }
      if (k > 0 && past.item == current_.item)
        for (size_t step = 1; step <= std::min(own_successors, k); ++step)
          if (auto j = out_.position(history_.ago(k - step).item); j != candidate_set::capacity)
            own[j] += 1 / (static_cast<float>(step) * (1 + 0.1f * static_cast<float>(k)));
    }
    log_in_place(times, padded(out_.size()), 1);
    log_in_place(since, padded(out_.size()), 1);
    if (auto j = out_.position(current_.item); j != candidate_set::capacity)
      out_.column(feature::is_current)[j] = 1;
  }

  float seconds_before_now(uint32_t time) const {
    return counts_.timed() && current_.time > time ? static_cast<float>(current_.time - time) : 0.0f;
  }

  void popularity() {
    auto fast = out_.column(feature::pop_fast), slow = out_.column(feature::pop_slow),
         trend = out_.column(feature::pop_trend), region = out_.column(feature::pop_region),
         age = out_.column(feature::item_age), idle = out_.column(feature::item_idle);
    const auto& own_region = counts_.in_region(user_.region);
    for (size_t j = 0; j < out_.size(); ++j) {
      const auto item = out_.item(j);
      fast[j] = counts_.fast().share(item);
      slow[j] = counts_.slow().share(item);
      trend[j] = counts_.trend().share(item);
      region[j] = own_region.share(item);
      const auto& facts = counts_.facts(item);
      age[j] = seconds_before_now(facts.first_seen);
      idle[j] = seconds_before_now(facts.last_seen);
    }
    const size_t used = padded(out_.size());
    for (auto column : {fast, slow, trend, region})
      log_in_place(column, used, 1e-6f);
    log_in_place(age, used, 1);
    log_in_place(idle, used, 1);
    auto rise = out_.column(feature::pop_rise), region_rise = out_.column(feature::pop_region_rise);
    for (size_t j = 0; j < out_.size(); ++j) {
      rise[j] = fast[j] - slow[j];
      region_rise[j] = region[j] - fast[j];
    }
  }

  void user() {
    const float gap = history_.size() > 1 ? seconds_before_now(history_.ago(1).time) : 0.0f;
    fill(feature::user_gap, std::log1p(gap));
    fill(feature::user_length, std::log1p(static_cast<float>(history_.size())));
    fill(feature::user_total, std::log1p(static_cast<float>(history_.total())));
    const size_t seen = std::min<size_t>(history_.size(), 10);
    size_t distinct = 0;
    for (size_t k = 0; k < seen; ++k) {
      bool repeated = false;
      for (size_t j = 0; j < k; ++j)
        repeated = repeated || history_.ago(j).item == history_.ago(k).item;
      distinct += repeated ? 0 : 1;
    }
    fill(feature::user_variety, static_cast<float>(distinct) / static_cast<float>(std::max<size_t>(seen, 1)));
  }

  void network() {
    const size_t n = out_.size();
    auto logit = out_.column(feature::net_logit), below = out_.column(feature::net_below_best),
         share = out_.column(feature::net_log_share), rank = out_.column(feature::net_rank);
    network_.score(state_, {out_.items(), n}, logit);
    std::copy_n(logit, n, share);
    float top = 0;
    const float total = exp_in_place(share, n, top);
    scale(share, n, 1 / total);
    log_in_place(share, padded(n), 1e-6f);
    for (size_t j = 0; j < n; ++j)
      below[j] = std::max(logit[j] - top, -12.0f);
    for (size_t k = 0; k < chosen().size(); ++k)
      if (auto j = out_.position(chosen()[k]); j != candidate_set::capacity)
        rank[j] = 1 / static_cast<float>(1 + k);
  }

  const counters& counts_;
  const sequence_model& network_;
  const user_record& user_;
  const user_history& history_;
  const float* state_;
  const candidate_config& config_;
  candidate_set& out_;
  const visit& current_;
  const counters::pair_row* pair_ = nullptr;
};

} // namespace

void find_candidates(const counters& counts, const sequence_model& network, const user_record& user, const float* state,
                     const candidate_config& config, candidate_set& out) {
  prediction_builder builder{counts, network, user, network ? state : nullptr, config, out};
  builder.collect();
  builder.describe();
}

} // namespace gnomon::learning
