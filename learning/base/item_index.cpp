#include "learning/base/item_index.hpp"

#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gnomon::learning {

namespace {

constexpr size_t rounds = 4;
constexpr size_t smallest_worth_clustering = 2048;

// The best `wanted` of what is offered. What beats the worst of the best so far waits in a buffer, which is cut down
// when it is full: far fewer steps than a heap that is put in order at each arrival.
class best_list {
public:
  explicit best_list(size_t wanted) : wanted_(wanted), room_(4 * wanted) {
    found_.reserve(room_);
  }
  void offer(float score, uint32_t index) {
    if (score <= bar_)
      return;
    found_.emplace_back(score, index);
    if (found_.size() == room_)
      cut();
  }
  std::vector<std::pair<float, uint32_t>>& sorted() {
    cut();
    std::sort(found_.begin(), found_.end(), std::greater<>{});
    return found_;
  }

private:
  void cut() {
    if (found_.size() <= wanted_)
      return;
    auto end = found_.begin() + static_cast<ptrdiff_t>(wanted_);
    std::nth_element(found_.begin(), end - 1, found_.end(), std::greater<>{});
    found_.erase(end, found_.end());
    bar_ = found_.back().first;
  }

  size_t wanted_, room_;
  float bar_ = -std::numeric_limits<float>::infinity();
  std::vector<std::pair<float, uint32_t>> found_;
};

} // namespace

item_index::item_index(const std::vector<float>& rows, const std::vector<float>& biases, size_t width) : width_(width) {
  const size_t count = biases.size();
  const size_t wanted = count < smallest_worth_clustering ? 1 : static_cast<size_t>(std::sqrt(double(count)));
  centres_.resize(wanted * width);
  centre_biases_.assign(wanted, 0);
  for (size_t c = 0; c < wanted && count > 0; ++c)
    std::copy_n(&rows[c * (count / wanted) * width], width, &centres_[c * width]);
  std::vector<uint32_t> owner(count, 0);
  for (size_t round = 0; wanted > 1 && round < rounds; ++round) {
    cluster(rows, owner);
    move_centres(rows, biases, owner);
  }
  arrange(rows, biases, owner);
}

void item_index::cluster(const std::vector<float>& rows, std::vector<uint32_t>& owner) {
  const size_t clusters = centre_biases_.size();
  // The nearest centre is the one with the greatest x.c - |c|^2 / 2.
  std::vector<float> offsets(clusters), scores(clusters), none(clusters, 0.0f);
  for (size_t c = 0; c < clusters; ++c) {
    float norm = 0;
    score_rows(&centres_[c * width_], none.data(), 1, width_, &centres_[c * width_], &norm);
    offsets[c] = -norm / 2;
  }
  for (size_t i = 0; i < owner.size(); ++i) {
    score_rows(centres_.data(), offsets.data(), clusters, width_, &rows[i * width_], scores.data());
    owner[i] = static_cast<uint32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
}

void item_index::move_centres(const std::vector<float>& rows, const std::vector<float>& biases,
                              const std::vector<uint32_t>& owner) {
  std::vector<size_t> members(centre_biases_.size(), 0);
  std::vector<float> sums(centres_.size(), 0.0f), bias_sums(members.size(), 0.0f);
  for (size_t i = 0; i < owner.size(); ++i) {
    ++members[owner[i]];
    bias_sums[owner[i]] += biases[i];
    add_scaled(&sums[owner[i] * width_], &rows[i * width_], 1, width_);
  }
  for (size_t c = 0; c < members.size(); ++c)
    if (members[c] > 0) { // an empty cluster keeps its centre
      float share = 1.0f / static_cast<float>(members[c]);
      for (size_t j = 0; j < width_; ++j)
        centres_[c * width_ + j] = sums[c * width_ + j] * share;
      centre_biases_[c] = bias_sums[c] * share;
    }
}

void item_index::arrange(const std::vector<float>& rows, const std::vector<float>& biases,
                         const std::vector<uint32_t>& owner) {
  original_.resize(owner.size());
  std::iota(original_.begin(), original_.end(), 0u);
  std::stable_sort(original_.begin(), original_.end(), [&](uint32_t a, uint32_t b) { return owner[a] < owner[b]; });
  ends_.assign(centre_biases_.size(), 0);
  rows_.reserve(rows.size());
  biases_.reserve(biases.size());
  for (auto i : original_) {
    rows_.insert(rows_.end(), rows.begin() + i * width_, rows.begin() + (i + 1) * width_);
    biases_.push_back(biases[i]);
    ends_[owner[i]] = biases_.size();
  }
  for (size_t c = 1; c < ends_.size(); ++c)
    ends_[c] = std::max(ends_[c], ends_[c - 1]);
}

void item_index::search(const float* query, size_t wanted, size_t probes, std::vector<uint32_t>& out) const {
  out.clear();
  if (biases_.empty() || wanted == 0)
    return;
  if (probes == 0 || probes > clusters())
    probes = clusters();
  thread_local std::vector<float> scores;
  scores.resize(std::max(clusters(), biases_.size()));
  best_list near{probes};
  score_rows(centres_.data(), centre_biases_.data(), clusters(), width_, query, scores.data());
  for (size_t c = 0; c < clusters(); ++c)
    near.offer(scores[c], static_cast<uint32_t>(c));
  best_list found{wanted};
  for (auto [score, c] : near.sorted()) {
    size_t begin = c == 0 ? 0 : ends_[c - 1];
    score_rows(&rows_[begin * width_], &biases_[begin], ends_[c] - begin, width_, query, scores.data());
    for (size_t i = begin; i < ends_[c]; ++i)
      found.offer(scores[i - begin], original_[i]);
  }
  for (auto [score, index] : found.sorted())
    out.push_back(index);
}

} // namespace gnomon::learning
