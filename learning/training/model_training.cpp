#include "learning/training/model_training.hpp"

#include <chrono>

namespace gnomon::learning {

namespace {

constexpr uint32_t models_version = 1;
constexpr uint64_t enough_predictions = 100; // to call one user model better than another
constexpr uint64_t enough_decisions = 500;
constexpr double user_share = 0.8; // of the work, training the user model; judging follows

/// Turns what the parts of a work report into its progress as a whole.
class whole_progress {
public:
  explicit whole_progress(const training_listener& listener) : listener_(listener) {}
  training_listener part(double begin, double length) const {
    return [=, this](const training_progress& r) {
      if (!listener_)
        return true;
      auto whole = r;
      whole.share = begin + length * r.share;
      const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
      whole.seconds_left = whole.share > 0.01 ? spent * (1 - whole.share) / whole.share : 0;
      return listener_(whole);
    };
  }

private:
  const training_listener& listener_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

double worth(const model_quality& q) {
  return q.recall_20 + q.mrr_20;
}

/// Judges `parts` beside the running ones; both are asked about the same accesses. What was trained on this very log
/// was `measured` before its network had seen all of it: now it knows the answers.
expected<bool> better_users(const access_log& log, const trained_models& running, const model_parts& parts,
                            bool measured, const training_config& config, const training_listener& listener,
                            judgement& verdict) {
  auto found = measured ? expected<model_quality>{parts.quality} : measure_quality(log, parts, config, listener);
  if (!found)
    return found.error();
  auto now = measure_quality(log, running.users ? *running.users : model_parts{}, config, listener);
  if (!now)
    return now.error();
  verdict.users = *found;
  verdict.running_users = *now;
  if (found->predictions < enough_predictions)
    return running.users == nullptr;
  return worth(*found) > worth(*now);
}

/// What was trained on this very log was `measured` before it had learned from all of it, as the user model is.
bool better_demand(const access_log& log, const trained_models& running, const demand_parts& parts, bool measured,
                   const demand_training_config& config, judgement& verdict) {
  const demand_parts nothing;
  const std::array<const demand_parts*, 2> both{&parts, running.demand ? running.demand.get() : &nothing};
  const auto found = measure_demand(log, both, config);
  verdict.demand = measured ? parts.measured : found[0];
  verdict.running_demand = found[1];
  verdict.demand_serves = both[0]->kind();
  verdict.running_demand_serves = both[1]->kind();
  verdict.contest = parts.contest;
  if (verdict.demand.decisions < enough_decisions)
    return running.demand == nullptr;
  return verdict.demand.loss < verdict.running_demand.loss;
}

bool stopped(const caf::error& reason) {
  return code_of(reason) == ec::timeout;
}

expected<judged_models> judge(const training_logs& logs, const trained_models& running, const trained_models& candidate,
                              bool measured, const models_config& config, const training_listener& listener) {
  judged_models result;
  result.models = running;
  result.models.version = candidate.version;
  result.models.origin = candidate.origin;
  auto& verdict = result.verdict;
  if (candidate.users) {
    auto better = better_users(logs.of_users, running, *candidate.users, measured, config.users, listener, verdict);
    if (!better)
      return better.error();
    verdict.better_users = *better;
    if (*better)
      result.models.users = candidate.users;
  }
  if (candidate.demand && better_demand(logs.all, running, *candidate.demand, measured, config.demand, verdict)) {
    verdict.better_demand = true;
    result.models.demand = candidate.demand;
  }
  return result;
}

} // namespace

std::string to_file(const trained_models& models) {
  writer out;
  out.put(models.version);
  out.put(std::string_view{models.origin});
  out.put(models.users ? std::string_view{to_file(*models.users)} : std::string_view{});
  out.put(models.demand ? std::string_view{to_file(*models.demand)} : std::string_view{});
  return seal(model_kind::trained_models, models_version, out.take());
}

expected<trained_models> models_from_file(std::string_view file) {
  auto payload = unseal(file, model_kind::trained_models, models_version, models_version);
  if (!payload)
    return payload.error();
  reader in{*payload};
  trained_models models;
  std::string users, demand;
  in.get(models.version);
  in.get(models.origin);
  in.get(users);
  in.get(demand);
  if (!in.good() || !in.at_end())
    return make_error(ec::bad_message, "the models do not have the shape this program expects: train them again");
  if (!users.empty()) {
    auto parts = parts_from_file(users);
    if (!parts)
      return parts.error();
    models.users = std::make_shared<const model_parts>(std::move(*parts));
  }
  if (!demand.empty()) {
    auto parts = demand_from_file(demand);
    if (!parts)
      return parts.error();
    models.demand = std::make_shared<const demand_parts>(std::move(*parts));
  }
  return models;
}

expected<judged_models> train_models(const training_logs& logs, const trained_models& running, trained_models fresh,
                                     const models_config& config, const training_listener& listener) {
  whole_progress progress{listener};
  caf::error why_not;
  auto users = train_parts(logs.of_users, config.users, running.users.get(), progress.part(0, user_share));
  if (users) {
    users->version = fresh.version;
    fresh.users = std::make_shared<const model_parts>(std::move(*users));
  } else if (stopped(users.error())) {
    return users.error();
  } else {
    why_not = users.error();
  }
  auto demand = train_demand(logs.all, config.demand, progress.part(user_share, 0.1));
  if (demand) {
    demand->version = fresh.version;
    fresh.demand = std::make_shared<const demand_parts>(std::move(*demand));
  } else if (stopped(demand.error())) {
    return demand.error();
  }
  if (!fresh.users && !fresh.demand)
    return why_not;
  return judge(logs, running, fresh, true, config, progress.part(0.9, 0.1));
}

expected<judged_models> judge_models(const training_logs& logs, const trained_models& running,
                                     const trained_models& candidate, const models_config& config,
                                     const training_listener& listener) {
  return judge(logs, running, candidate, false, config, listener);
}

} // namespace gnomon::learning
