#include "actors/prediction/training.hpp"

#include "actors/prediction/predictor.hpp"
#include "learning/base/blas_kernel.hpp"
#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <sys/resource.h>
#include <unistd.h>

namespace gnomon {

namespace {

constexpr int least_claim = 15;        // nice value of the thread; readers have 0
constexpr size_t handed_at_once = 256; // reads, to the predictor
constexpr size_t rehearsed = 5000;     // of the last reads: as many outcomes as a calibration remembers, and twice that
constexpr int most_tries = 60;         // to reach the predictor, a second apart

void give_way() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), least_claim);
}

void warn_of_slow_blas() {
  static const bool warned = [] {
    auto warning = learning::blas_warning();
    if (!warning.empty())
      log::warn("trainer", "slow-training", {{"reason", warning}});
    return !warning.empty();
  }();
  static_cast<void>(warned);
}

model_figures figures(const learning::model_quality& q) {
  return {q.recall_20, q.mrr_20, q.counting_recall_20, q.predictions};
}

demand_figures figures(const learning::demand_quality& q, learning::demand_kind kind) {
  return {q.loss, q.calibration_error, q.decisions, std::string{learning::name(kind)}, {}, {}};
}

} // namespace

// -- the job ----------------------------------------------------------------------------------------------------------

training_job::training_job(uint64_t number, training_phase phase) : number_(number) {
  status_.job = number;
  status_.phase = phase;
}

bool training_job::is_over(training_phase phase) {
  return phase != training_phase::receiving && phase != training_phase::training;
}

training_status training_job::status() const {
  std::lock_guard lock{mutex_};
  return status_;
}

bool training_job::over() const {
  std::lock_guard lock{mutex_};
  return is_over(status_.phase);
}

void training_job::stop(std::string reason) {
  stopped_.store(true, std::memory_order_relaxed);
  fail(std::move(reason));
}

void training_job::fail(std::string reason) {
  update([&](training_status& s) {
    s.phase = training_phase::failed;
    s.reason = std::move(reason);
    s.seconds_left = 0.0;
  });
}

void training_job::keep(std::string reason) {
  update([&](training_status& s) {
    s.phase = training_phase::kept;
    s.reason = std::move(reason);
    s.progress = 1.0;
    s.seconds_left = 0.0;
  });
}

void training_job::finish(training_result result) {
  const auto& verdict = result.judged.verdict;
  update([&](training_status& s) {
    const bool better = verdict.better_users || verdict.better_demand;
    s.phase = better ? training_phase::adopted : training_phase::kept;
    s.reason = better ? "" : "the models in service did as well on the accesses held back: they stay";
    s.progress = 1.0;
    s.seconds_left = 0.0;
    s.model = better ? result.judged.models.version : 0;
    s.users = figures(verdict.users);
    s.running_users = figures(verdict.running_users);
    s.demand = figures(verdict.demand, verdict.demand_serves);
    s.demand.network_log_loss = verdict.contest.network.loss;
    s.demand.trees_log_loss = verdict.contest.trees.loss;
    s.running_demand = figures(verdict.running_demand, verdict.running_demand_serves);
    s.better_users = verdict.better_users;
    s.better_demand = verdict.better_demand;
    result_ = std::move(result);
  });
}

std::optional<training_result> training_job::take() {
  std::lock_guard lock{mutex_};
  return std::exchange(result_, std::nullopt);
}

// -- the work ---------------------------------------------------------------------------------------------------------

training_actor::behavior_type training(training_actor::stateful_pointer<training_state> self, context_ptr node,
                                       training_order order) {
  auto& state = self->state;
  state.start(self, std::move(node), std::move(order));
  return {
      [&](const train_piece& piece) { return state.receive(piece); },
      [&](tick_a) { state.work(); },
      [&](flush_a) { state.warm(); },
  };
}

void training_state::start(self_pointer self, context_ptr node, training_order order) {
  self_ = self;
  node_ = std::move(node);
  order_ = std::move(order);
  received_ = learning::access_history{node_->config.train_accesses};
  reader_ = std::make_unique<access_reader>([this](const named_access& a) {
    auto time = static_cast<uint32_t>(a.time);
    if (!may_learn(*node_, std::string{a.item}, std::string{a.user}) || node_->forgotten.get()->covers(a.user, time))
      ++withheld_;
    else
      received_.add(a.user, a.item, a.region.empty() ? std::string_view{node_->self.region} : a.region, time);
  });
  if (node_->config.detach_blocking)
    give_way();
}

caf::result<training_status> training_state::receive(const train_piece& piece) {
  if (piece.number + 1 == next_piece_)
    return order_.job->status(); // it came twice
  if (piece.number != next_piece_)
    return make_error(ec::precondition_failed, "a part of the upload is missing; send it again from the beginning");
  ++next_piece_;
  reader_->feed(piece.text.view());
  if (piece.last)
    reader_->finish();
  note_counts();
  if (!piece.last)
    return order_.job->status();
  if (received_.size() == 0) {
    auto problem = nothing_usable();
    order_.job->fail(sentence_of(problem));
    self_->send(order_.trainer, tick_a_v);
    self_->quit();
    return problem;
  }
  order_.job->update([](training_status& s) { s.phase = training_phase::training; });
  order_of_time_ = received_.in_order();
  self_->send(self_, flush_a_v);
  return order_.job->status();
}

// -- counters and histories -------------------------------------------------------------------------------------------

void training_state::warm() {
  auto predictor = node_->handles.get()->predictor;
  if (order_.job->stopped() || !predictor)
    return not_counted(make_error(ec::unavailable, "the training was stopped, or the predictor is being restarted"));
  past_accesses next;
  const auto all = order_of_time_.size(), end = std::min(all, warmed_ + handed_at_once);
  const auto rehearsal = all - std::min(all, rehearsed);
  next.last = end == all;
  next.rehearse_from = static_cast<uint32_t>(rehearsal - std::min(rehearsal, warmed_));
  for (auto k = warmed_; k < end; ++k) {
    const auto read = received_.at(order_of_time_[k]);
    next.reads.push_back({std::string{read.user}, std::string{read.item}, std::string{read.region}, read.time});
  }
  self_->request(predictor, node_->config.request_timeout, std::move(next))
      .then([this](const past_receipt& receipt) { counted(receipt); },
            [this](const caf::error& reason) { not_counted(reason); });
}

void training_state::counted(const past_receipt& receipt) {
  tries_ = 0;
  warmed_ = std::min(order_of_time_.size(), warmed_ + handed_at_once);
  withheld_ += receipt.withheld;
  order_.job->update([&](training_status& s) {
    s.learned += receipt.counted;
    s.withheld = withheld_;
  });
  if (warmed_ < order_of_time_.size())
    return self_->send(self_, flush_a_v);
  order_of_time_ = {};
  self_->send(self_, tick_a_v);
}

/// Before it has learned from any of these reads the predictor may be asked again; a request that got no answer it may
/// have counted.
void training_state::not_counted(const caf::error& reason) {
  if (code_of(reason) == ec::unavailable && !order_.job->stopped() && ++tries_ < most_tries) {
    self_->delayed_send(self_, std::chrono::seconds{1}, flush_a_v);
    return;
  }
  log::warn("trainer", "counters-not-warmed", {{"job", order_.job->number()}, {"reason", sentence_of(reason)}});
  order_of_time_ = {};
  self_->send(self_, tick_a_v);
}

void training_state::note_counts() {
  order_.job->update([&](training_status& s) {
    s.lines = reader_->lines();
    s.bad_lines = reader_->bad_lines();
    s.accesses = received_.size();
    s.left_out = received_.added() - received_.size();
    s.withheld = withheld_;
    s.complaints.clear();
    for (const auto& complaint : reader_->complaints())
      s.complaints.push_back({complaint.line, complaint.reason});
  });
}

caf::error training_state::nothing_usable() const {
  if (withheld_ > 0)
    return make_error(ec::invalid_argument,
                      fmt::format("nothing may be learned from the {} reads: a policy says \"learn\": false, or their "
                                  "users were forgotten",
                                  withheld_));
  if (reader_->complaints().empty())
    return make_error(ec::invalid_argument, "there is no access in the body; send one JSON object a line, or an array");
  const auto& first = reader_->complaints().front();
  return make_error(ec::invalid_argument,
                    fmt::format("none of the {} lines is an access with user_id, data_id and timestamp; of line {}: {}",
                                reader_->bad_lines(), first.line, first.reason));
}

void training_state::work() {
  warn_of_slow_blas();
  try {
    auto judged = outcome();
    if (judged) {
      auto file = blob{to_file(judged->models)};
      order_.job->finish({std::move(*judged), std::move(file)});
    } else if (code_of(judged.error()) == ec::invalid_argument && order_.job->status().learned > 0) {
      order_.job->keep("no networks were trained: " + sentence_of(judged.error()));
    } else {
      order_.job->fail(sentence_of(judged.error()));
    }
  } catch (const std::exception& fault) { // memory, or Dlib
    order_.job->fail(fmt::format("the training broke off: {}", fault.what()));
  }
  self_->send(order_.trainer, tick_a_v);
  self_->quit();
}

expected<learning::judged_models> training_state::outcome() {
  const auto& job = order_.job;
  auto listener = [&](const learning::training_progress& r) {
    job->update([&](training_status& s) {
      s.progress = r.share;
      s.seconds_left = r.seconds_left;
      if (r.events_per_second > 0)
        s.events_per_second = r.events_per_second;
    });
    return !job->stopped();
  };
  if (received_.size() > 0)
    order_.logs = {received_.of_users(), received_.all()};
  received_ = learning::access_history{4};
  if (order_.candidates.empty())
    return learning::train_models(order_.logs, order_.running, {job->number(), node_->self.region, {}, {}}, config(),
                                  listener);
  auto candidate = newest_candidate();
  if (!candidate)
    return candidate.error();
  return learning::judge_models(order_.logs, order_.running, *candidate, config(), listener);
}

learning::models_config training_state::config() const {
  learning::models_config result;
  result.demand.counts = demand_config_of(node_->config);
  return result;
}

expected<learning::trained_models> training_state::newest_candidate() const {
  expected<learning::trained_models> newest{make_error(ec::bad_message, "the item holds no models")};
  for (const auto& file : order_.candidates) {
    auto models = learning::models_from_file(file.view());
    if (!newest || (models && models->version > newest->version))
      newest = std::move(models);
  }
  return newest;
}

} // namespace gnomon
