#include "learning/evaluation/method_ranks.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr size_t miss = 1000;

size_t place_of(const std::vector<uint32_t>& list, uint32_t item) {
  auto at = std::find(list.begin(), list.end(), item);
  return at == list.end() ? miss : static_cast<size_t>(at - list.begin());
}

} // namespace

method_ranks::method_ranks(std::map<std::string, method_score>& scores, size_t network_predictions,
                           uint64_t expected_predictions)
    : scores_(scores),
      network_every_(std::max<uint64_t>(1, expected_predictions / std::max<size_t>(network_predictions, 1))) {}

// A counting method ranks by its own share, then by popularity.
size_t method_ranks::by_feature(const prediction_space& space, feature f, uint32_t target) {
  const auto& c = space.candidates;
  const auto at = c.position(target);
  if (at == candidate_set::capacity)
    return miss;
  auto share = c.column(f), popular = c.column(feature::pop_fast);
  size_t before = 0;
  for (size_t j = 0; j < c.size(); ++j)
    before += share[j] > share[at] || (share[j] == share[at] && popular[j] > popular[at]);
  return before;
}

size_t method_ranks::by_recency(const user_history& history, uint32_t target) {
  std::vector<uint32_t> seen;
  for (size_t k = 0; k < history.size() && seen.size() < 20; ++k)
    if (auto item = history.ago(k).item; std::find(seen.begin(), seen.end(), item) == seen.end())
      seen.push_back(item);
  return place_of(seen, target);
}

void method_ranks::add(const counters& counts, const sequence_model& network, const user_record& user,
                       const prediction_space& space, uint32_t target) {
  scores_["popularity"].add(place_of(counts.fast().leaders(), target));
  scores_["recency"].add(by_recency(user.history, target));
  scores_["markov"].add(by_feature(space, feature::first_share, target));
  scores_["cooccurrence"].add(by_feature(space, feature::near_weighted, target));
  size_t rank = miss;
  for (size_t k = 0; k < space.order.size(); ++k)
    if (space.candidates.item(space.order[k]) == target)
      rank = k;
  scores_["combined"].add(rank);
  if (network && seen_++ % network_every_ == 0) {
    network.top(user.state.data(), 20, 0, best_);
    scores_["network"].add(place_of(best_, target));
  }
}

double latency_sample::quantile(double share) {
  if (microseconds_.empty())
    return 0;
  auto at = microseconds_.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(microseconds_.size() - 1));
  std::nth_element(microseconds_.begin(), at, microseconds_.end());
  return *at;
}

} // namespace gnomon::learning
