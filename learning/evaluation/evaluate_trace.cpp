#include "learning/evaluation/method_ranks.hpp"
#include "learning/history/trace_file.hpp"
#include "learning/user/user_model.hpp"

#include <algorithm>
#include <chrono>

namespace gnomon::learning {

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// Everything above a threshold is fetched for a user, and counts as read or wasted within the useful window.
class prefetch_simulation {
public:
  prefetch_simulation(double threshold, const useful_window& window) : window_(window) {
    score_.threshold = threshold;
  }

  void access(uint32_t user, uint32_t item, uint32_t total, uint32_t time, bool read_lately) {
    ++accesses_;
    needed_ += read_lately ? 0 : 1;
    auto& waiting = fetched_[user];
    std::erase_if(
        waiting, [&](const fetch& f) { return total - f.total > window_.accesses || time > f.time + window_.seconds; });
    auto at = std::find_if(waiting.begin(), waiting.end(), [&](const fetch& f) { return f.item == item; });
    if (at == waiting.end())
      return;
    ++used_;
    covered_ += read_lately ? 0 : 1;
    waiting.erase(at);
  }

  void guess_made(uint32_t user, uint32_t total, uint32_t time, const guess& g) {
    if (g.useful < score_.threshold || g.read_lately)
      return;
    auto& waiting = fetched_[user];
    if (std::any_of(waiting.begin(), waiting.end(), [&](const fetch& f) { return f.item == g.item; }))
      return;
    waiting.push_back({g.item, total, time});
    ++issued_;
  }

  prefetch_score score() const {
    auto share = [](double a, double b) { return b > 0 ? a / b : 0.0; };
    auto result = score_;
    result.precision = share(used_, issued_);
    result.coverage = share(covered_, needed_);
    result.issued = share(issued_, accesses_);
    return result;
  }

private:
  struct fetch {
    uint32_t item, total, time;
  };
  useful_window window_;
  prefetch_score score_;
  double accesses_ = 0, needed_ = 0, used_ = 0, covered_ = 0, issued_ = 0;
  std::unordered_map<uint32_t, std::vector<fetch>> fetched_;
};

class trace_evaluation {
public:
  trace_evaluation(const evaluation_config& config, const training_listener& listener)
      : config_(config), listener_(listener) {
    for (double threshold : {0.1, 0.3, 0.5})
      simulations_.emplace_back(threshold, config.training.window);
  }

  expected<evaluation> run(const std::string& path, double split) {
    if (!(split > 0 && split < 1))
      return make_error(ec::invalid_argument, "the split is the share to train on: above 0 and below 1, such as 0.8");
    auto trace = read_trace(path);
    if (!trace)
      return trace.error();
    const auto& log = trace->log;
    result_.bad_lines = trace->bad_lines;
    result_.accesses = log.accesses.size();
    result_.users = log.users;
    result_.items = log.items;
    const auto cut = static_cast<size_t>(static_cast<double>(log.accesses.size()) * split);
    const auto began = steady::now();
    auto parts = train_parts(log.slice(0, cut), config_.training, nullptr, [&](const training_progress& r) {
      if (r.events_per_second > 0)
        result_.network_events_per_second = r.events_per_second;
      return !listener_ || listener_(r);
    });
    if (!parts)
      return parts.error();
    result_.train_seconds = seconds_since(began);
    replay(log, cut, *parts);
    if (trace->regions.size() > 1)
      if (auto demand = evaluate_demand(*trace, split, config_.demand, listener_))
        result_.demand = std::move(*demand);
    return std::move(result_);
  }

private:
  void replay(const access_log& log, size_t cut, const model_parts& parts) {
    user_model_config config;
    config.max_users = log.users;
    config.max_items = log.items;
    config.candidates = config_.training.candidates;
    config.window = config_.training.window;
    config.guesses = config_.training.guesses;
    user_model model{config};
    model_item_.assign(log.items, no_index);
    outcomes truth{log, config_.training.window};
    method_ranks ranks{result_.methods, config_.network_predictions, log.accesses.size() - cut};
    for (size_t k = 0; k < log.accesses.size(); ++k) {
      if (k == cut)
        model.adopt(parts);
      const auto& a = log.accesses[k];
      const auto user = std::to_string(a.user);
      if (k >= cut)
        simulate_access(model.find(user), a);
      model.observe(user, log.item_names[a.item], a.region, a.time);
      if (model.items() > log_item_.size()) {
        model_item_[a.item] = static_cast<uint32_t>(log_item_.size());
        log_item_.push_back(a.item);
      }
      if (k >= cut)
        predict(model, user, a, k, truth, ranks);
    }
    for (auto& [name, score] : result_.methods)
      score = score.means();
    for (auto& simulation : simulations_)
      result_.prefetch.push_back(simulation.score());
    result_.calibration = next_table_.rows();
    result_.useful_calibration = useful_table_.rows();
    result_.predict_p50_us = latency_.quantile(0.5);
    result_.predict_p99_us = latency_.quantile(0.99);
  }

  bool simulated(uint32_t user) const {
    return user % std::max<size_t>(1, result_.users / std::max<size_t>(1, config_.users_in_simulation)) == 0;
  }

  void simulate_access(const user_record* before, const access& a) {
    if (!simulated(a.user))
      return;
    const bool lately = before != nullptr && before->history.read_lately(a.item, 10);
    const uint32_t total = before == nullptr ? 0 : before->history.total();
    for (auto& simulation : simulations_)
      simulation.access(a.user, model_item_[a.item], total + 1, a.time, lately);
  }

  void predict(user_model& model, const std::string& user, const access& a, size_t k, const outcomes& truth,
               method_ranks& ranks) {
    const auto began = steady::now();
    auto& guesses = model.predict(user);
    latency_.add(seconds_since(began));
    auto& record = *model.find(user);
    for (auto& g : guesses) {
      const auto item = log_item_[g.item];
      if (truth.returns(k))
        next_table_.add(g.next, item == truth.next(k));
      if (!g.read_lately)
        useful_table_.add(g.useful, truth.useful(k, item));
      if (simulated(a.user))
        for (auto& simulation : simulations_)
          simulation.guess_made(a.user, record.history.total(), a.time, g);
    }
    if (truth.next(k) != no_index)
      ranks.add(model.counts(), model.parts().network, record, model.space(), model_item_[truth.next(k)]);
  }

  const evaluation_config& config_;
  const training_listener& listener_;
  evaluation result_;
  std::vector<uint32_t> model_item_, log_item_; // the model numbers items as it meets them
  std::vector<prefetch_simulation> simulations_;
  calibration_table next_table_, useful_table_;
  latency_sample latency_;
};

} // namespace

expected<evaluation> evaluate_trace(const std::string& trace, double split, const evaluation_config& config,
                                    const training_listener& listener) {
  return trace_evaluation{config, listener}.run(trace, split);
}

} // namespace gnomon::learning
