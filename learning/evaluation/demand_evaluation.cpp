#include "learning/evaluation/demand_evaluation.hpp"

#include "learning/demand/prefetch_threshold.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>

namespace gnomon::learning {

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// Copies of all items in all regions but the origin, which needs none of this.
class placement {
public:
  placement(size_t items, size_t regions, size_t origin, uint32_t expiry)
      : regions_(regions), origin_(origin), expiry_(expiry), copies_(items * regions), known_(items, 0) {}

  bool has(uint32_t item, size_t region, uint32_t time) const {
    return region == origin_ || copies_[item * regions_ + region].until > time;
  }

  /// A read before those that count: the copy it leaves is there when they begin.
  void warm_up(uint32_t item, size_t region, uint32_t time) {
    known_[item] = 1;
    copies_[item * regions_ + region].until = time + expiry_;
  }

  void read(uint32_t item, size_t region, uint32_t time) {
    ++reads_;
    first_reads_ += known_[item] == 0 && region != origin_;
    known_[item] = 1;
    const bool here = has(item, region, time);
    local_ += here;
    moved_ += !here;
    if (region == origin_)
      return;
    auto& copy = copies_[item * regions_ + region];
    prefetched_read_ += here && copy.unread_guess;
    copy.unread_guess = false;
    renew(copy, time);
  }

  void prefetch(uint32_t item, size_t region, uint32_t time) {
    if (has(item, region, time))
      return;
    ++moved_;
    ++prefetched_;
    auto& copy = copies_[item * regions_ + region];
    renew(copy, time);
    copy.unread_guess = true;
  }

  placement_score score(uint32_t begin, uint32_t end) const {
    auto share = [](double a, double b) { return b > 0 ? a / b : 0.0; };
    placement_score s;
    s.local_percent = 100 * share(local_, reads_);
    s.moved_per_100 = 100 * share(moved_, reads_);
    s.prefetched_per_100 = 100 * share(prefetched_, reads_);
    s.prefetched_read_percent = 100 * share(prefetched_read_, prefetched_);
    // The origin's own copy, and the time the others lived.
    s.copies_per_item = 1 + share(copy_seconds_, static_cast<double>(end - begin) * static_cast<double>(known_.size()));
    return s;
  }

  /// Local, in percent, if all but the first read of an item anywhere were.
  double ceiling() const {
    return 100 * (1 - first_reads_ / std::max(1.0, reads_));
  }
  double remote() const {
    return reads_ - local_;
  }

private:
  struct copy_state {
    uint32_t until = 0;
    bool unread_guess = false;
  };
  void renew(copy_state& copy, uint32_t time) {
    const auto until = time + expiry_;
    copy_seconds_ += until - std::max(std::min(copy.until, until), time);
    copy.until = until;
  }

  size_t regions_, origin_;
  uint32_t expiry_;
  std::vector<copy_state> copies_;
  std::vector<char> known_; // by item: was read
  double reads_ = 0, local_ = 0, moved_ = 0, prefetched_ = 0, prefetched_read_ = 0, copy_seconds_ = 0, first_reads_ = 0;
};

/// Prefetching whose threshold is steered as in a node: by what became of the copies made so far.
class steered_placement {
public:
  steered_placement(placement copies, const demand_evaluation_config& config)
      : copies_(std::move(copies)), lease_(config.training.counts.copies_last),
        threshold_(config.confidence, config.waste) {}

  void believe(const demand_quality& measured) {
    if (measured.honesty > 0)
      threshold_.believe(measured.honesty);
  }
  void warm_up(uint32_t item, size_t region, uint32_t time) {
    copies_.warm_up(item, region, time);
  }
  void read(uint32_t item, size_t region, uint32_t time) {
    settle(time);
    if (auto known = open_of_.find(key(item, region)); known != open_of_.end()) {
      open_[known->second - first_].used = true;
      open_of_.erase(known);
    }
    copies_.read(item, region, time);
  }
  void consider(uint32_t item, size_t region, uint32_t time, float said) {
    if (copies_.has(item, region, time) || !threshold_.worth(said))
      return;
    copies_.prefetch(item, region, time);
    threshold_.issue(said);
    open_of_[key(item, region)] = first_ + open_.size();
    open_.push_back({key(item, region), time + lease_, said});
  }
  const placement& copies() const {
    return copies_;
  }
  double mean_threshold() const {
    return thresholds_ / std::max(1.0, looks_);
  }

private:
  struct open_copy {
    uint64_t key;
    uint32_t due;
    float said;
    bool used = false;
  };
  static uint64_t key(uint32_t item, size_t region) {
    return uint64_t{item} * max_demand_regions + region;
  }
  void settle(uint32_t time) {
    thresholds_ += threshold_.threshold();
    ++looks_;
    for (; !open_.empty() && open_.front().due <= time; open_.pop_front(), ++first_) {
      threshold_.settle(open_.front().said, open_.front().used);
      if (auto known = open_of_.find(open_.front().key); known != open_of_.end() && known->second == first_)
        open_of_.erase(known);
    }
  }

  placement copies_;
  uint32_t lease_;
  prefetch_threshold threshold_;
  std::deque<open_copy> open_;                     // by time
  std::unordered_map<uint64_t, uint64_t> open_of_; // unread ones: their numbers
  uint64_t first_ = 0;                             // number of open_.front()
  double thresholds_ = 0, looks_ = 0;
};

class demand_replay {
public:
  demand_replay(const trace_file& trace, const demand_evaluation_config& config, size_t cut)
      : log_(trace.log), config_(config), cut_(cut), regions_(std::min(trace.regions.size(), max_demand_regions)),
        origin_(origin_of(trace)), plain_(log_.items, regions_, origin_, config.training.counts.copies_last),
        guided_(thresholds.size(), plain_), steered_(plain_, config) {}

  demand_evaluation run(demand_parts parts) {
    const auto begin = log_.accesses[cut_].time, end = log_.accesses.back().time;
    for (size_t k = 0; k < log_.accesses.size(); ++k) {
      const auto& a = log_.accesses[k];
      const auto region = std::min<size_t>(a.region, regions_ - 1);
      if (k == cut_) {
        steered_.believe(parts.measured);
        model_.adopt(std::move(parts));
      }
      if (k < cut_)
        warm_up(a.item, region, a.time);
      else {
        settle(a.time);
        note_read(a, region);
        plain_.read(a.item, region, a.time);
        for (auto& g : guided_)
          g.read(a.item, region, a.time);
        steered_.read(a.item, region, a.time);
      }
      model_.read(log_.item_names[a.item], region, a.time);
      if (k >= cut_ && model_.due(log_.item_names[a.item], a.time))
        decide(a);
    }
    result_.on_demand = plain_.score(begin, end);
    for (size_t k = 0; k < guided_.size(); ++k)
      result_.guided.push_back(score_of(thresholds[k], guided_[k], begin, end));
    result_.steered = score_of(steered_.mean_threshold(), steered_.copies(), begin, end);
    result_.ceiling_local_percent = plain_.ceiling();
    result_.calibration = table_.rows();
    result_.estimate_us = 1e6 * estimating_ / std::max(1.0, decisions_);
    return result_;
  }

private:
  static constexpr std::array<double, 5> thresholds{0.1, 0.2, 0.3, 0.4, 0.5};

  demand_score score_of(double threshold, const placement& copies, uint32_t begin, uint32_t end) const {
    demand_score s;
    s.threshold = threshold;
    s.placement = copies.score(begin, end);
    s.precision = s.placement.prefetched_read_percent / 100;
    s.coverage = plain_.remote() > 0 ? (plain_.remote() - copies.remote()) / plain_.remote() : 0;
    return s;
  }

  struct open_estimate {
    uint32_t time;
    float said;
    bool read = false;
  };

  size_t origin_of(const trace_file& trace) const {
    std::vector<size_t> reads(std::max<size_t>(regions_, 1), 0);
    for (auto& a : trace.log.accesses)
      ++reads[std::min<size_t>(a.region, reads.size() - 1)];
    auto named = std::find(trace.regions.begin(), trace.regions.end(), config_.origin);
    if (named != trace.regions.end())
      return static_cast<size_t>(named - trace.regions.begin());
    return static_cast<size_t>(std::max_element(reads.begin(), reads.end()) - reads.begin());
  }

  void warm_up(uint32_t item, size_t region, uint32_t time) {
    plain_.warm_up(item, region, time);
    for (auto& g : guided_)
      g.warm_up(item, region, time);
    steered_.warm_up(item, region, time);
  }

  void decide(const access& a) {
    const auto began = steady::now();
    model_.estimate(log_.item_names[a.item], regions_, a.time, estimates_);
    estimating_ += seconds_since(began);
    ++decisions_;
    for (size_t r = 0; r < regions_; ++r) {
      const float said = estimates_[r][day_horizon];
      for (size_t k = 0; k < thresholds.size(); ++k)
        if (said >= thresholds[k])
          guided_[k].prefetch(a.item, r, a.time);
      steered_.consider(a.item, r, a.time, said);
      if (plain_.has(a.item, r, a.time))
        continue;
      open_of_[uint64_t{a.item} * regions_ + r].push_back(first_open_ + open_.size());
      open_.push_back({a.time, said});
    }
  }

  void note_read(const access& a, size_t region) {
    auto known = open_of_.find(uint64_t{a.item} * regions_ + region);
    if (known == open_of_.end())
      return;
    for (auto number : known->second)
      if (number >= first_open_)
        open_[number - first_open_].read = true;
    open_of_.erase(known);
  }

  // Estimates whose day has passed count; those still open at the end are left out.
  void settle(uint32_t time) {
    while (!open_.empty() && open_.front().time + demand_horizons[day_horizon] < time) {
      const auto& e = open_.front();
      table_.add(e.said, e.read);
      ++result_.estimates;
      open_.pop_front();
      ++first_open_;
    }
  }

  const access_log& log_;
  const demand_evaluation_config& config_;
  size_t cut_, regions_, origin_;
  placement plain_;
  std::vector<placement> guided_; // by threshold
  steered_placement steered_;
  demand_model model_{config_.training.counts};
  demand_evaluation result_;
  calibration_table table_;
  std::vector<demand_estimate> estimates_;
  std::deque<open_estimate> open_;
  std::unordered_map<uint64_t, std::vector<size_t>> open_of_; // by item and region: those not read yet
  size_t first_open_ = 0;
  double estimating_ = 0, decisions_ = 0;
};

nlohmann::json to_object(const placement_score& s) {
  return {{"local_percent", s.local_percent},
          {"moved_per_100", s.moved_per_100},
          {"prefetched_per_100", s.prefetched_per_100},
          {"prefetched_read_percent", s.prefetched_read_percent},
          {"copies_per_item", s.copies_per_item}};
}

nlohmann::json to_object(const demand_score& g) {
  auto one = to_object(g.placement);
  one["threshold"] = g.threshold;
  one["precision"] = g.precision;
  one["coverage"] = g.coverage;
  return one;
}

} // namespace

expected<demand_evaluation> evaluate_demand(const trace_file& trace, double split,
                                            const demand_evaluation_config& config, const training_listener& listener) {
  if (!(split > 0 && split < 1))
    return make_error(ec::invalid_argument, "the split is the share to train on: above 0 and below 1, such as 0.8");
  const auto cut = static_cast<size_t>(static_cast<double>(trace.log.accesses.size()) * split);
  const auto began = steady::now();
  auto parts = train_demand(trace.log.slice(0, cut), config.training, listener);
  if (!parts)
    return parts.error();
  const auto train_seconds = seconds_since(began);
  const auto kind = parts->kind();
  const auto contest = parts->contest;
  auto result = demand_replay{trace, config, cut}.run(std::move(*parts));
  result.train_seconds = train_seconds;
  result.serves = kind;
  result.contest = contest;
  return result;
}

expected<demand_evaluation> evaluate_demand(const std::string& path, double split,
                                            const demand_evaluation_config& config, const training_listener& listener) {
  auto trace = read_trace(path);
  if (!trace)
    return trace.error();
  return evaluate_demand(*trace, split, config, listener);
}

nlohmann::json to_object(const demand_evaluation& e) {
  auto rows = nlohmann::json::array(), guided = nlohmann::json::array();
  for (auto& row : e.calibration)
    if (row.count > 0)
      rows.push_back({{"said", row.said}, {"came_true", row.came_true}, {"predictions", row.count}});
  for (auto& g : e.guided)
    guided.push_back(to_object(g));
  return {{"on_demand", to_object(e.on_demand)},
          {"prefetch", guided},
          {"steered", to_object(e.steered)},
          {"ceiling_local_percent", e.ceiling_local_percent},
          {"serves", name(e.serves)},
          {"contest",
           {{"network_log_loss", e.contest.network.loss},
            {"trees_log_loss", e.contest.trees.loss},
            {"decisions", e.contest.trees.decisions}}},
          {"calibration", rows},
          {"estimates", e.estimates},
          {"train_seconds", e.train_seconds},
          {"estimate_us", e.estimate_us}};
}

std::string to_json(const demand_evaluation& e) {
  return to_object(e).dump(2);
}

std::string to_text(const demand_evaluation& e) {
  auto text = fmt::format("demand model trained in {:.1f} s; {:.1f} us a decision\nthe {} serve: of {} decisions held "
                          "back, the network's loss is {:.4f}, that of the trees {:.4f}\n\n"
                          "{:<14} {:>9} {:>9} {:>9} {:>10} {:>11} {:>12}\n",
                          e.train_seconds, e.estimate_us, name(e.serves), e.contest.trees.decisions,
                          e.contest.network.loss, e.contest.trees.loss, "prefetch from", "precision", "coverage",
                          "local %", "moved/100", "guessed/100", "copies/item");
  auto line = [&](std::string name, const demand_score& g) {
    const auto& s = g.placement;
    text += fmt::format("{:<14} {:>9.3f} {:>9.3f} {:>9.2f} {:>10.2f} {:>11.2f} {:>12.2f}\n", name, g.precision,
                        g.coverage, s.local_percent, s.moved_per_100, s.prefetched_per_100, s.copies_per_item);
  };
  line("never", {0, 0, 0, e.on_demand});
  for (auto& g : e.guided)
    line(fmt::format("{:.1f}", g.threshold), g);
  line(fmt::format("steered ({:.2f})", e.steered.threshold), e.steered);
  text += fmt::format("{:<14} {:>29.2f}\n\n{:<28} {:>8} {:>10} {:>12}\n", "ceiling", e.ceiling_local_percent,
                      "read there within 24 h", "said", "came true", "estimates");
  for (auto& row : e.calibration)
    if (row.count > 0)
      text += fmt::format("{:<28} {:>8.3f} {:>10.3f} {:>12}\n", "", row.said, row.came_true, row.count);
  return text;
}

} // namespace gnomon::learning
