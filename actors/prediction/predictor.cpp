#include "actors/prediction/predictor.hpp"

#include "actors/prediction/trainer.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gnomon {

namespace {

constexpr size_t at_once = 128;          // accesses, before others get their turn
constexpr size_t late_accesses = 1024;   // waiting: counting goes on, inference rests
constexpr size_t most_waiting = 65'536;  // accesses: not even counting keeps up
constexpr size_t most_unreported = 4096; // items in one report
constexpr size_t founded_trials = 125;   // from which on what the user model says counts
constexpr size_t most_trials = 20'000;
constexpr float least_tried = 0.02f;       // guesses below are not worth following up
constexpr size_t just_read = 10;           // of a user's reads: not worth guessing
constexpr size_t track_every = 1;          // estimates of the demand model
constexpr uint32_t endless_lease = 86'400; // leases that never end: what is not read for that long was copied in vain

uint32_t lease_seconds(const settings& config) {
  if (config.shadow_ttl == adaptive_lifetime)
    return endless_lease;
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(config.shadow_ttl).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(life, 0, UINT32_MAX));
}

} // namespace

learning::user_model_config user_config_of(const settings& config) {
  learning::user_model_config result;
  result.max_users = config.predict_users;
  result.max_items = config.predict_items;
  result.counts.pair_rows = std::min<size_t>(std::bit_ceil(size_t{2} * config.predict_items), 1u << 19);
  return result;
}

learning::demand_config demand_config_of(const settings& config) {
  learning::demand_config result;
  result.max_items = config.predict_items;
  const auto life = lease_seconds(config);
  result.copies_last = life == 0 ? UINT32_MAX : life;
  return result;
}

predictor_actor::behavior_type predictor(predictor_actor::stateful_pointer<predictor_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const access_batch& batch) { state.learn(batch); },
      [&](flush_a) { state.go_on(); },
      [&](const region_accesses& report) {
        state.learn_from(report);
        return accesses_ack{};
      },
      [=, &state](const get_prediction& request) -> caf::result<prediction> {
        answer<prediction> reply{self->make_response_promise<prediction>()};
        state.when_read([=, &state] { state.predict(request, reply); });
        return caf::delegated<prediction>{};
      },
      [=, &state](const forget_user& request) -> caf::result<forget_receipt> {
        answer<forget_receipt> reply{self->make_response_promise<forget_receipt>()};
        state.when_read([=, &state] { state.forget(request, reply); });
        return caf::delegated<forget_receipt>{};
      },
      [=, &state](const past_accesses& upload) -> caf::result<past_receipt> {
        answer<past_receipt> reply{self->make_response_promise<past_receipt>()};
        state.when_read([=, &state] { reply.give(state.learn_past(upload)); });
        return caf::delegated<past_receipt>{};
      },
      [&](tick_a) {
        state.take_over_models();
        state.end_overdue_trials();
        state.keep_now_and_then();
        state.report();
      },
  };
}

void predictor_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  memory_ = {node_->memory, memory_part::prediction};
  users_ = std::make_unique<learning::user_model>(user_config_of(node_->config));
  demand_ = std::make_unique<learning::demand_model>(demand_config_of(node_->config), track_every);
  const auto life = lease_seconds(node_->config);
  trials_ = learning::follow_up{{life == 0 ? endless_lease : life}, most_trials};
  region_number(node_->self.region);
  self_->set_exit_handler([this](const caf::exit_msg& asked) { save_and_quit(asked.reason); });
  open_file();
  self_->delayed_send(self_, node_->config.sample_every, tick_a_v);
}

uint8_t predictor_state::region_number(const std::string& region) {
  auto number = regions_.index_of(region);
  return static_cast<uint8_t>(std::min<size_t>(number, learning::max_demand_regions - 1));
}

bool may_learn(const node_context& node, const std::string& id, const std::string& user) {
  return !is_models_item(id) && node.effective_policy(id, user).learn;
}

// -- what happens here

/// Batches may hold one access each: what waits is counted in accesses, and taken together.
void predictor_state::learn(const access_batch& batch) {
  if (waiting_.size() + batch.samples.size() > most_waiting) {
    node_->predicting.skipped.fetch_add(batch.samples.size(), std::memory_order_relaxed);
    if (auto prefetcher = node_->handles.get()->prefetcher)
      self_->send(prefetcher, batch);
    return;
  }
  waiting_.insert(waiting_.end(), batch.samples.begin(), batch.samples.end());
  if (!reading_ && !std::exchange(going_on_, true))
    self_->send(self_, flush_a_v);
}

/// Some of what waits. The rest comes after the messages that arrived meanwhile.
void predictor_state::go_on() {
  const bool infer = waiting_.size() <= late_accesses;
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(waiting_.size(), at_once));
  access_batch batch{{waiting_.begin(), end}};
  waiting_.erase(waiting_.begin(), end);
  going_on_ = !waiting_.empty();
  if (going_on_)
    self_->send(self_, flush_a_v);
  auto handles = node_->handles.get();
  if (handles->prefetcher)
    self_->send(handles->prefetcher, batch);
  // A gateway's batch has no order of its own.
  std::sort(batch.samples.begin(), batch.samples.end(),
            [](const auto& a, const auto& b) { return std::tie(a.at, a.user, a.id) < std::tie(b.at, b.user, b.id); });
  std::erase_if(batch.samples, [&](const auto& sample) { return !may_learn(*node_, sample.id, sample.user); });
  prefetch_wishes wishes;
  for (const auto& sample : batch.samples) {
    note(sample);
    if (sample.write)
      demand_->written(sample.id, 0, epoch_seconds(sample.at));
    else
      learn_read(sample, infer, wishes);
  }
  node_->predicting.accesses.fetch_add(batch.samples.size(), std::memory_order_relaxed);
  changed_ = changed_ || !batch.samples.empty();
  hand_over(std::move(wishes));
  if (handles->trainer)
    self_->send(handles->trainer, std::move(batch));
}

void predictor_state::learn_read(const access_sample& sample, bool infer, prefetch_wishes& wishes) {
  const auto time = epoch_seconds(sample.at);
  for (uint32_t k = 0; k < std::min(sample.count, most_of_one); ++k)
    demand_->read(sample.id, 0, time);
  trials_.came(sample.id, time);
  if (sample.user.empty())
    return;
  users_->observe(sample.user, sample.id, 0, time);
  if (infer)
    wish_for_user(sample.user, time, wishes);
  else
    node_->predicting.skipped.fetch_add(1, std::memory_order_relaxed);
}

void predictor_state::wish_for_user(const std::string& user, uint32_t time, prefetch_wishes& wishes) {
  const auto began = std::chrono::steady_clock::now();
  const auto& guesses = users_->predict(user);
  const auto took = std::chrono::steady_clock::now() - began;
  auto& counters = node_->predicting;
  counters.predictions.fetch_add(1, std::memory_order_relaxed);
  counters.nanoseconds.fetch_add(static_cast<uint64_t>(std::chrono::nanoseconds{took}.count()),
                                 std::memory_order_relaxed);
  for (const auto& guess : guesses)
    if (!guess.read_lately && guess.useful >= least_tried)
      try_guess(std::string{users_->item_name(guess.item)}, guess.useful, time, wishes);
}

void predictor_state::try_guess(const std::string& id, float useful, uint32_t time, prefetch_wishes& wishes) {
  if (lately_read_here(id, time))
    return;
  const float p = std::min(useful, 0.999f), logit = std::log(p / (1 - p));
  if (!trials_.follows(id, logit))
    trials_.add(id, time, {logit});
  if (is_expected_here(useful))
    wishes.wishes.push_back({id, worth_[0](logit)});
}

/// True when a copy made for such a guess would be read often enough, as far as that can be said yet.
bool predictor_state::is_expected_here(float useful) const {
  const float p = std::min(useful, 0.999f);
  return trials_.added() + worth_[0].outcomes() >= founded_trials
         && worth_[0](std::log(p / (1 - p))) >= node_->config.prefetch_confidence;
}

void predictor_state::end_overdue_trials() {
  trials_.advance(epoch_seconds(node_->time->now()), worth_);
}

/// Then there is a copy, as far as leases go.
bool predictor_state::lately_read_here(const std::string& id, uint32_t time) const {
  return !demand_->counts().absent(id, 0, time);
}

void predictor_state::hand_over(prefetch_wishes wishes) {
  auto prefetcher = node_->handles.get()->prefetcher;
  if (!wishes.wishes.empty() && prefetcher)
    self_->send(prefetcher, std::move(wishes));
}

// -- what happens elsewhere

void predictor_state::note(const access_sample& sample) {
  if (unreported_.size() >= most_unreported && unreported_.count(sample.id) == 0)
    return;
  auto& item = unreported_[sample.id];
  item.id = sample.id;
  (sample.write ? item.writes : item.reads) += sample.count;
  item.last = std::max(item.last, sample.at);
}

void predictor_state::report() {
  self_->delayed_send(self_, node_->config.sample_every, tick_a_v);
  memory_.set(users_->bytes() + demand_->counts().bytes());
  if (unreported_.empty())
    return;
  region_accesses report{node_->self.region, {}};
  for (auto& [id, item] : unreported_)
    report.items.push_back(std::move(item));
  unreported_.clear();
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers)
    if (peer.usable() && peer.link) // a report that is lost only makes a guess less good
      self_->request(peer.link, node_->config.peer_timeout, traffic::prefetch, report)
          .then([](const accesses_ack&) {}, [](const caf::error&) {});
}

void predictor_state::learn_from(region_accesses report) {
  if (reading_)
    return; // the file says which number each region has
  const auto region = region_number(report.region);
  if (region == 0)
    return; // a region is one node, and this is it
  prefetch_wishes wishes;
  std::erase_if(report.items, [&](const auto& item) { return !may_learn(*node_, item.id, {}); });
  for (const auto& item : report.items) {
    const auto time = epoch_seconds(item.last);
    for (uint32_t k = 0; k < std::min(item.reads, most_of_one); ++k)
      demand_->read(item.id, region, time);
    if (item.writes > 0)
      demand_->written(item.id, region, time);
    if (demand_->due(item.id, time))
      wish_for_region(item.id, time, wishes);
  }
  hand_over(std::move(wishes));
  if (auto trainer = node_->handles.get()->trainer)
    self_->send(trainer, std::move(report));
}

/// Only for items nobody here has read for as long as a copy would live: of the others there is a copy.
void predictor_state::wish_for_region(const std::string& id, uint32_t time, prefetch_wishes& wishes) {
  if (lately_read_here(id, time))
    return;
  // A copy is worth what comes while its lease runs.
  const auto life = lease_seconds(node_->config);
  const auto estimate = demand_->estimate_in(id, 0, time);
  auto horizon = learning::day_horizon + 1;
  while (--horizon > 0 && life != 0 && learning::demand_horizons[horizon] > life)
    continue;
  if (estimate[horizon] >= node_->config.prefetch_confidence)
    wishes.wishes.push_back({id, estimate[horizon]});
}

/// Models that the trainer put into service.
void predictor_state::take_over_models() {
  auto served = node_->models.get();
  if (served->version == model_ || !served->models)
    return;
  model_ = served->version;
  const auto& models = *served->models;
  if (models.users && models.users != user_parts_)
    users_->adopt(*models.users);
  if (models.demand && models.demand != demand_parts_)
    demand_->adopt(*models.demand);
  user_parts_ = models.users;
  demand_parts_ = models.demand;
}

// -- questions

void predictor_state::predict(const get_prediction& request, answer<prediction> reply) {
  if (users_->find(request.user) == nullptr)
    return reply.fail(make_error(ec::not_found, "no region has learned from reads of this user"));
  auto found = std::make_shared<prediction>();
  found->user = request.user;
  found->served_by = node_->self.node;
  found->model = users_->parts().version;
  for (const auto& guess : users_->guesses_about(request.user, request.limit + just_read)) {
    if (guess.read_lately && !request.repeats)
      ++found->repeats_left_out;
    else if (found->items.size() < request.limit)
      found->items.push_back({std::string{users_->item_name(guess.item)}, guess.next, guess.useful, {}, {}});
  }
  locate_items(found, reply);
}

void predictor_state::locate_items(std::shared_ptr<prediction> found, answer<prediction> reply) {
  if (found->items.empty())
    return reply.give(std::move(*found));
  auto open = std::make_shared<size_t>(found->items.size());
  auto done = [found, open, reply] {
    if (--*open == 0)
      reply.give(std::move(*found));
  };
  for (size_t k = 0; k < found->items.size(); ++k)
    self_->request(node_->shard(found->items[k].id), node_->config.peer_timeout, locate_a_v, found->items[k].id)
        .then(
            [this, found, k, done](std::vector<std::string>& holders, bool) {
              auto& item = found->items[k];
              item.holders = std::move(holders);
              auto here = std::find(item.holders.begin(), item.holders.end(), node_->self.node) != item.holders.end();
              if (is_expected_here(static_cast<float>(item.worth_copying)) && !here && !item.holders.empty()
                  && node_->effective_policy(item.id, {}).allows(node_->self.region))
                item.regions.push_back(node_->self.region);
              done();
            },
            [done](const caf::error&) { done(); });
}

} // namespace gnomon
