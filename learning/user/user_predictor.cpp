#include "learning/user/user_predictor.hpp"

#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace gnomon::learning {

namespace {

constexpr uint32_t parts_version = 1;
constexpr size_t lately = 10;

uint8_t gap_between(uint32_t earlier, uint32_t later, bool timed) {
  return timed && later >= earlier ? gap_class(later - earlier) : 0;
}

// Ranks until a first training: shares of what the counters say, as log-odds. What followed the last two items counts
// for more the oftener they were seen, then what followed the last one (as Jelinek and Mercer 1980).
void score_by_formula(const candidate_set& c, size_t count, float* next, float* useful) {
  auto first = c.column(feature::first_share), pair = c.column(feature::pair_share),
       near = c.column(feature::near_weighted), recency = c.column(feature::recency),
       popular = c.column(feature::pop_fast), first_seen = c.column(feature::first_row_log),
       pair_seen = c.column(feature::pair_row_log);
  auto weight = [](float log_count, float doubt) { return 1 - doubt / (doubt + std::expm1(log_count)); };
  for (size_t j = 0; j < count; ++j) {
    const float rest = 0.2f * std::min(near[j], 1.0f) + 0.08f * std::exp(std::min(popular[j], 0.0f));
    const float by_first = weight(first_seen[j], 2), by_pair = weight(pair_seen[j], 4);
    const float share =
        by_pair * pair[j] + (1 - by_pair) * (by_first * first[j] + (1 - by_first) * rest) + 0.02f * recency[j];
    const float p = std::clamp(share, 1e-5f, 0.95f);
    next[j] = std::log(p / (1 - p));
    useful[j] = next[j] + 0.7f;
  }
}

// The ranker's first output orders the candidates of one prediction; across predictions only its softmax compares.
void to_log_odds(float* scores, size_t count) {
  float top = 0;
  const float total = exp_in_place(scores, count, top);
  for (size_t j = 0; j < count; ++j) {
    const float p = std::clamp(scores[j] / total, 1e-6f, 1 - 1e-6f);
    scores[j] = p / (1 - p);
  }
  log_in_place(scores, count, 1e-9f);
}

} // namespace

std::string to_file(const model_parts& parts) {
  writer out;
  out.put(parts.version);
  out.put(parts.trained_at);
  out.put(static_cast<uint8_t>(parts.timed));
  out.put(parts.quality);
  parts.network.save(out);
  out.put(static_cast<uint64_t>(parts.item_names.size()));
  for (auto& name : parts.item_names)
    out.put(std::string_view{name});
  parts.ranker.save(out);
  parts.next.save(out);
  parts.useful.save(out);
  return seal(model_kind::user_parts, parts_version, out.take());
}

expected<model_parts> parts_from_file(std::string_view file) {
  auto payload = unseal(file, model_kind::user_parts, parts_version, parts_version);
  if (!payload)
    return payload.error();
  reader in{*payload};
  model_parts parts;
  uint8_t timed = 0;
  in.get(parts.version);
  in.get(parts.trained_at);
  in.get(timed);
  in.get(parts.quality);
  parts.timed = timed != 0;
  auto network = sequence_model::load(in);
  if (!network)
    return network.error();
  parts.network = std::move(*network);
  uint64_t names = 0;
  in.get(names);
  for (std::string name; parts.item_names.size() < names && in.good();) {
    in.get(name);
    parts.item_names.push_back(name);
  }
  auto ranker = mlp::load(in);
  if (!ranker)
    return ranker.error();
  parts.ranker = std::move(*ranker);
  parts.next.load(in);
  parts.useful.load(in);
  if (!in.good() || !in.at_end() || parts.item_names.size() != parts.network.item_count()
      || (parts.ranker && (parts.ranker.inputs() != feature_count || parts.ranker.outputs() != 2)))
    return make_error(ec::bad_message, "the user model does not have the shape this program expects: train it again");
  return parts;
}

sequence_weights reordered(const sequence_weights& weights, const std::vector<std::string>& its_names,
                           const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, size_t> row_of;
  for (size_t k = 0; k < std::min(its_names.size(), weights.item_count()); ++k)
    row_of.emplace(its_names[k], k);
  sequence_weights result = weights;
  const size_t n = weights.units;
  result.items.assign(names.size() * n, 0.0f);
  result.biases.assign(names.size(), sequence_model::unknown_score);
  for (size_t k = 0; k < names.size(); ++k)
    if (auto known = row_of.find(names[k]); known != row_of.end()) {
      std::copy_n(&weights.items[known->second * n], n, &result.items[k * n]);
      result.biases[k] = weights.biases[known->second];
    }
  return result;
}

void refresh_state(const sequence_model& network, uint32_t network_version, bool timed, user_record& user) {
  if (!network || (user.model == network_version && user.state.size() == network.units()))
    return;
  user.state.assign(network.units(), 0.0f);
  user.model = network_version;
  for (size_t k = user.history.size(); k-- > 0;) {
    const auto& past = user.history.ago(k);
    const bool first = k + 1 == user.history.size();
    network.step(user.state.data(), past.item, first ? 0 : gap_between(user.history.ago(k + 1).time, past.time, timed));
  }
}

void observe_access(counters& counts, const sequence_model& network, uint32_t network_version, user_record& user,
                    uint32_t item, uint8_t region, uint32_t time) {
  counts.observe(user.history, item, region, time);
  refresh_state(network, network_version, counts.timed(), user);
  if (network)
    network.step(user.state.data(), item,
                 user.history.empty() ? 0 : gap_between(user.history.ago(0).time, time, counts.timed()));
  user.history.push({item, time});
  user.region = region;
}

void score_columns(const mlp& ranker, size_t count, size_t wanted, prediction_space& space) {
  constexpr size_t stride = candidate_set::capacity;
  space.scored = count;
  space.scores.resize(2 * stride);
  float *next = space.scores.data(), *useful = next + stride;
  if (ranker) {
    ranker.run(space.candidates.columns(), stride, count, next);
    to_log_odds(next, count);
  } else {
    score_by_formula(space.candidates, count, next, useful);
  }
  space.order.resize(count);
  std::iota(space.order.begin(), space.order.end(), 0u);
  wanted = std::min(wanted, count);
  std::partial_sort(space.order.begin(), space.order.begin() + static_cast<ptrdiff_t>(wanted), space.order.end(),
                    [&](uint32_t a, uint32_t b) { return next[a] > next[b]; });
  space.order.resize(wanted);
}

void rank_candidates(const counters& counts, const model_parts& parts, const user_record& user,
                     const candidate_config& config, size_t wanted, prediction_space& space) {
  const bool has_state = parts.network && user.state.size() == parts.network.units();
  find_candidates(counts, parts.network, user, has_state ? user.state.data() : nullptr, config, space.candidates);
  score_columns(parts.ranker, space.candidates.size(), wanted, space);
}

void predict(const counters& counts, const model_parts& parts, const user_record& user, const candidate_config& config,
             const calibrator& next, const calibrator& useful, size_t wanted, prediction_space& space,
             std::vector<guess>& out) {
  out.clear();
  if (user.history.empty())
    return;
  rank_candidates(counts, parts, user, config, wanted, space);
  const float* logits = space.scores.data();
  for (auto j : space.order) {
    guess g;
    g.item = space.candidates.item(j);
    g.next_logit = logits[j];
    g.useful_logit = logits[candidate_set::capacity + j];
    g.next = next(g.next_logit);
    g.useful = useful(g.useful_logit);
    g.read_lately = user.history.read_lately(g.item, lately);
    out.push_back(g);
  }
}

} // namespace gnomon::learning
