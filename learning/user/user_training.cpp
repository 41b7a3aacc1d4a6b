#include "learning/user/user_training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

namespace gnomon::learning {

counter_config counters_for(const access_log& log) {
  return log.timed ? counter_config{} : untimed_counters();
}

held_back::held_back(const access_log& log, const training_config& config)
    : begin_(static_cast<size_t>(static_cast<double>(log.accesses.size()) * config.calibrate_from)),
      seed_(config.seed) {
  const auto share = static_cast<double>(config.calibration_contexts)
                     / static_cast<double>(std::max<size_t>(log.accesses.size() - begin_, 1));
  bound_ = share >= 1 ? UINT64_MAX : static_cast<uint64_t>(share * 0x1p64);
}

bool held_back::chosen(size_t k) const {
  // The finaliser of SplitMix64 (Steele et al. 2014) spreads neighbouring numbers evenly.
  uint64_t x = (k + seed_) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return k >= begin_ && (x ^ (x >> 31)) <= bound_;
}

namespace {

constexpr size_t fewest_users = 50;
constexpr size_t listen_every = 4096; // accesses that stream by

sequence_set sequences_of(const access_log& log, size_t end) {
  std::vector<std::vector<uint32_t>> of_user(log.users);
  for (uint32_t k = 0; k < end; ++k)
    of_user[log.accesses[k].user].push_back(k);
  sequence_set set;
  std::vector<uint32_t> items;
  std::vector<uint8_t> gaps;
  for (auto& accesses : of_user) {
    if (accesses.size() < 2)
      continue;
    items.clear();
    gaps.clear();
    const access* previous = nullptr;
    for (auto k : accesses) {
      const auto& a = log.accesses[k];
      gaps.push_back(log.timed && previous != nullptr ? gap_class(a.time - previous->time) : 0);
      items.push_back(a.item);
      previous = &a;
    }
    set.add(items, gaps);
  }
  return set;
}

class parts_training {
public:
  parts_training(const access_log& log, const training_config& config, const model_parts* start,
                 const training_listener& listener)
      : log_(log), config_(config), start_(start), listener_(listener), truth_(log, config.window),
        held_back_(log, config), random_(config.seed), began_(std::chrono::steady_clock::now()) {}

  expected<model_parts> run() {
    const size_t count = log_.accesses.size();
    from_ = static_cast<size_t>(static_cast<double>(count) * config_.ranker_from);
    held_ = held_back_.begin();
    parts_.timed = log_.timed;
    parts_.trained_at = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
    parts_.version = parts_.trained_at;
    if (auto err = train_network(from_, 0, network_share() * config_.ranker_from))
      return err;
    if (auto err = gather())
      return err;
    if (auto err = train_ranker())
      return err;
    calibrate();
    if (auto err = train_network(count, 1 - network_share(), network_share()))
      return err;
    parts_.item_names = log_.item_names;
    return std::move(parts_);
  }

private:
  double network_share() const {
    return config_.use_network ? 0.45 : 0.0;
  }

  bool tell(double share, double loss, double speed) {
    if (!listener_)
      return true;
    const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    return listener_({share, loss, speed, share > 0.01 ? spent * (1 - share) / share : 0.0});
  }

  caf::error train_network(size_t end, double done, double part) {
    if (!config_.use_network)
      return {};
    sequence_weights from;
    if (start_ != nullptr && start_->network)
      from = reordered(start_->network.weights(), start_->item_names, log_.item_names);
    auto* start = from.units != 0 ? &from : nullptr;
    auto weights =
        train_sequence(sequences_of(log_, end), log_.items, config_.network, start, [&](const training_progress& p) {
          return tell(done + part * p.share, p.loss, p.events_per_second);
        });
    if (!weights)
      return weights.error();
    parts_.network = sequence_model{std::move(*weights)};
    return {};
  }

  // Streams the log once; after `from_` keeps the candidates of some predictions, with what came true.
  caf::error gather() {
    replayed_log replay{counters_for(log_), log_.users};
    prediction_space space;
    for (auto samples : {&ranked_, &measured_}) {
      samples->inputs = feature_count;
      samples->outputs = 2;
    }
    const double train_chance = chance(config_.ranker_contexts, from_, held_);
    std::uniform_real_distribution<double> uniform;
    for (size_t k = 0; k < log_.accesses.size(); ++k) {
      const auto& a = log_.accesses[k];
      replay.observe(a, parts_.network);
      if (k % listen_every == 0 && !tell(network_share() * config_.ranker_from, 0, 0))
        return make_error(ec::timeout, "the training was stopped");
      if (k < from_ || !(k < held_ ? uniform(random_) < train_chance : held_back_.chosen(k)))
        continue;
      const auto& user = replay.users[a.user];
      find_candidates(replay.counts, parts_.network, user, parts_.network ? user.state.data() : nullptr,
                      config_.candidates, space.candidates);
      keep(space.candidates, k, user);
    }
    return {};
  }

  static double chance(size_t wanted, size_t begin, size_t end) {
    return static_cast<double>(wanted) / static_cast<double>(std::max<size_t>(end - begin, 1));
  }

  void keep(const candidate_set& c, size_t k, const user_record& user) {
    const auto answer = truth_.next(k);
    auto& samples = k < held_ ? ranked_ : measured_;
    for (size_t j = 0; j < c.size(); ++j) {
      for (size_t f = 0; f < feature_count; ++f)
        samples.features.push_back(c.columns()[f * candidate_set::capacity + j]);
      samples.targets.push_back(c.item(j) == answer);
      samples.targets.push_back(truth_.useful(k, c.item(j)));
    }
    samples.group_ends.push_back(samples.features.size() / feature_count);
    if (k < held_)
      return;
    for (size_t j = 0; j < c.size(); ++j)
      lately_.push_back(user.history.read_lately(c.item(j), 10));
    answered_.push_back(answer != no_index);
    returned_.push_back(truth_.returns(k));
  }

  caf::error train_ranker() {
    if (ranked_.group_ends.empty())
      return make_error(ec::invalid_argument, "there are too few accesses to train a ranker: bring more");
    const double begin = network_share() * config_.ranker_from, length = 1 - network_share() - begin;
    auto ranker = train_mlp(ranked_, config_.ranker,
                            [&](double share, double loss) { return tell(begin + length * share, loss, 0); });
    ranked_ = {}; // a gigabyte
    if (!ranker)
      return ranker.error();
    parts_.ranker = std::move(*ranker);
    return {};
  }

  // Scores the predictions kept from the last part of the log: calibration and quality.
  void calibrate() {
    prediction_space space;
    for (size_t group = 0; group < measured_.group_ends.size(); ++group) {
      const size_t begin = group == 0 ? 0 : measured_.group_ends[group - 1], end = measured_.group_ends[group];
      space.candidates.clear();
      for (size_t j = begin; j < end; ++j)
        for (size_t f = 0; f < feature_count; ++f)
          space.candidates.column(static_cast<feature>(f))[j - begin] = measured_.features[j * feature_count + f];
      score_columns(parts_.ranker, end - begin, config_.guesses, space);
      learn_outcomes(space, group, begin);
    }
    parts_.next.fit();
    parts_.useful.fit();
    auto& q = parts_.quality;
    const double n = static_cast<double>(std::max<uint64_t>(q.predictions, 1));
    q.recall_20 /= n;
    q.mrr_20 /= n;
    q.counting_recall_20 = static_cast<double>(std::max({counted_[0], counted_[1], counted_[2]})) / n;
  }

  void learn_outcomes(const prediction_space& space, size_t group, size_t begin) {
    auto& q = parts_.quality;
    q.predictions += answered_[group] != 0;
    for (size_t rank = 0; rank < space.order.size(); ++rank) {
      const size_t j = space.order[rank];
      const bool next = measured_.targets[2 * (begin + j)] != 0, useful = measured_.targets[2 * (begin + j) + 1] != 0;
      if (returned_[group] != 0)
        parts_.next.add(space.scores[j], next);
      if (lately_[begin + j] == 0)
        parts_.useful.add(space.scores[candidate_set::capacity + j], useful);
      if (next && rank < 20) {
        q.recall_20 += 1;
        q.mrr_20 += 1 / static_cast<double>(rank + 1);
      }
    }
    count_baselines(space, begin);
  }

  void count_baselines(const prediction_space& space, size_t begin) {
    const size_t count = space.scored;
    constexpr feature methods[] = {feature::first_share, feature::near_weighted, feature::pop_fast};
    for (size_t j = 0; j < count; ++j)
      if (measured_.targets[2 * (begin + j)] != 0)
        for (size_t m = 0; m < 3; ++m) {
          auto key = [&](size_t i) {
            return 1e3f * space.candidates.column(methods[m])[i]
                   + 1e-3f * space.candidates.column(feature::pop_fast)[i];
          };
          size_t before = 0;
          for (size_t i = 0; i < count; ++i)
            before += key(i) > key(j);
          counted_[m] += before < 20;
        }
  }

  const access_log& log_;
  const training_config& config_;
  const model_parts* start_;
  const training_listener& listener_;
  outcomes truth_;
  held_back held_back_;
  std::mt19937_64 random_;
  std::chrono::steady_clock::time_point began_;
  size_t from_ = 0, held_ = 0;
  model_parts parts_;
  mlp_samples ranked_, measured_;         // what the ranker learns from; what quality is measured on
  std::vector<char> lately_;              // by measured sample: the user read it lately
  std::vector<char> answered_, returned_; // by measured group: the user came back ever, within the window
  size_t counted_[3] = {};
};

} // namespace

expected<model_quality> measure_quality(const access_log& log, const model_parts& parts, const training_config& config,
                                        const training_listener& listener) {
  model_parts served = parts;
  if (parts.network)
    served.network = sequence_model{reordered(parts.network.weights(), parts.item_names, log.item_names)};
  outcomes truth{log, config.window};
  held_back measured{log, config};
  replayed_log replay{counters_for(log), log.users};
  prediction_space space;
  model_quality quality;
  for (size_t k = 0; k < log.accesses.size(); ++k) {
    const auto& a = log.accesses[k];
    replay.observe(a, served.network);
    const auto share = static_cast<double>(k) / static_cast<double>(log.accesses.size());
    if (k % listen_every == 0 && listener && !listener({share, 0, 0, 0}))
      return make_error(ec::timeout, "the measurement was stopped");
    if (!measured.chosen(k) || truth.next(k) == no_index)
      continue;
    rank_candidates(replay.counts, served, replay.users[a.user], config.candidates, config.guesses, space);
    ++quality.predictions;
    for (size_t rank = 0; rank < space.order.size() && rank < 20; ++rank)
      if (space.candidates.item(space.order[rank]) == truth.next(k)) {
        quality.recall_20 += 1;
        quality.mrr_20 += 1 / static_cast<double>(rank + 1);
      }
  }
  const double n = static_cast<double>(std::max<uint64_t>(quality.predictions, 1));
  quality.recall_20 /= n;
  quality.mrr_20 /= n;
  quality.counting_recall_20 = parts.quality.counting_recall_20;
  return quality;
}

expected<model_parts> train_parts(const access_log& log, const training_config& config, const model_parts* start,
                                  const training_listener& listener) {
  std::vector<uint8_t> seen(log.users, 0);
  size_t returning = 0;
  for (auto& a : log.accesses) {
    if (a.user >= log.users || a.item >= log.items)
      return make_error(ec::invalid_argument, "an access names a user or an item out of range");
    if (seen[a.user] < 2 && ++seen[a.user] == 2)
      ++returning;
  }
  if (returning < fewest_users)
    return make_error(ec::invalid_argument, "training needs at least 50 users with two accesses each: bring more");
  return parts_training{log, config, start, listener}.run();
}

} // namespace gnomon::learning
