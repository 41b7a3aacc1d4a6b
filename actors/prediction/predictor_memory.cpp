// What the predictor learns from uploads, what it keeps over a restart, and whom it forgets.
#include "actors/prediction/predictor.hpp"

#include "actors/prediction/trainer.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr auto save_every = 60s;
constexpr int rest_of_saving = 20; // times as long as a save takes

} // namespace

predictor_state::~predictor_state() {
  if (file_)
    caf::anon_send_exit(file_, caf::exit_reason::user_shutdown);
}

// -- uploads

past_receipt predictor_state::learn_past(const past_accesses& upload) {
  past_receipt receipt;
  const auto now = epoch_seconds(node_->time->now());
  auto forgotten = node_->forgotten.get();
  for (size_t k = 0; k < upload.reads.size(); ++k) {
    const auto& read = upload.reads[k];
    if (!may_learn(*node_, read.item, read.user) || forgotten->covers(read.user, read.time)) {
      ++receipt.withheld;
      continue;
    }
    // A clock that runs ahead elsewhere must not make what is read here look old.
    users_->observe_past(read.user, read.item, region_number(read.region), std::min(read.time, now),
                         k >= upload.rehearse_from);
    ++receipt.counted;
  }
  changed_ = changed_ || receipt.counted > 0;
  if (upload.last) {
    users_->end_past();
    save();
  }
  return receipt;
}

// -- the file

void predictor_state::when_read(std::function<void()> next) {
  if (!reading_)
    return next();
  asked_.push_back(std::move(next));
}

/// What is read until the file is there waits.
void predictor_state::open_file() {
  const auto file = state_file_of(node_->config);
  if (file.empty())
    return;
  found_ = std::make_shared<learned_state>();
  auto& system = self_->system();
  file_ = node_->config.detach_blocking
              ? system.spawn<caf::detached>(state_file, file, user_config_of(node_->config), found_)
              : system.spawn(state_file, file, user_config_of(node_->config), found_);
  reading_ = true;
  next_save_ = self_->clock().now() + save_every;
  auto done = [this] {
    reading_ = false;
    for (auto& next : std::exchange(asked_, {}))
      next();
    if (!waiting_.empty() && !std::exchange(going_on_, true))
      self_->send(self_, flush_a_v);
  };
  self_
      ->request(file_, caf::infinite, open_a_v) // it writes to `found_` until it answers
      .then(
          [=, this](uint64_t bytes) {
            if (bytes > 0)
              take_up(std::move(*found_));
            done();
          },
          [=](const caf::error& problem) {
            log::warn("predictor", "state-dropped",
                      {{"file", file}, {"reason", sentence_of(problem)}, {"meaning", "it is learned anew"}});
            done();
          });
}

void predictor_state::take_up(learned_state found) {
  users_ = std::move(found.users);
  worth_[0] = found.worth;
  regions_ = learning::id_table{learning::max_demand_regions};
  region_number(node_->self.region);
  for (const auto& region : found.regions)
    region_number(region);
  node_->forgotten.set(std::move(found.forgotten));
  if (user_parts_)
    users_->adopt(*user_parts_);
  log::info("predictor", "state-read", {{"users", users_->users()}, {"items", users_->items()}});
}

std::string predictor_state::head() const {
  learned_state state;
  state.worth = worth_[0];
  for (uint32_t k = 0; k < regions_.size(); ++k)
    state.regions.emplace_back(regions_.name(k));
  state.forgotten = *node_->forgotten.get();
  return state_head(state);
}

void predictor_state::keep_now_and_then() {
  if (changed_ && self_->clock().now() >= next_save_)
    save();
}

void predictor_state::save() {
  if (!file_ || reading_)
    return;
  anew_ = true;
  if (!std::exchange(saving_, true))
    write_piece();
}

/// One piece after the other, so that others get their turn in between.
void predictor_state::write_piece() {
  if (std::exchange(anew_, false)) {
    piece_ = 0;
    changed_ = false;
    save_began_ = self_->clock().now();
    users_->begin_saving();
  }
  const auto text = piece_ == 0 ? head() : users_->next_piece();
  const bool last = text.empty();
  self_->request(file_, node_->config.request_timeout, state_piece{piece_++, blob{text}, last})
      .then(
          [=, this](uint64_t) {
            if (last && !anew_)
              end_save({});
            else
              write_piece();
          },
          [this](const caf::error& problem) { end_save(problem); });
}

void predictor_state::end_save(const caf::error& problem) {
  const auto now = self_->clock().now();
  saving_ = false;
  next_save_ = now + std::max<time_point::duration>(save_every, rest_of_saving * (now - save_began_));
  if (problem) {
    changed_ = true;
    log::warn("predictor", "state-not-written", {{"reason", sentence_of(problem)}});
  }
  for (auto& then : std::exchange(after_save_, {}))
    then(!problem);
  if (leaving_)
    self_->quit(leaving_);
}

void predictor_state::save_and_quit(const caf::error& reason) {
  if (!file_ || reading_ || (!changed_ && !saving_))
    return self_->quit(reason);
  leaving_ = reason;
  save();
}

// -- forgetting

/// Answered when the file does not have the user any more: as it is written anew or, where that fails, removed.
void predictor_state::forget(const forget_user& request, answer<forget_receipt> reply) {
  const bool known = users_->forget(request.user);
  std::erase_if(waiting_, [&](const auto& sample) { return sample.user == request.user; });
  const auto now = epoch_seconds(node_->time->now());
  node_->forgotten.update([&](forgotten_users& all) { all.add(request.user, now); });
  if (auto trainer = node_->handles.get()->trainer)
    self_->send(trainer, request);
  if (known)
    log::info("predictor", "user-forgotten", {});
  const forget_receipt receipt{request.user, known ? 1u : 0u};
  if (!file_)
    return reply.give(receipt);
  after_save_.push_back([=, this](bool kept) {
    if (kept)
      return reply.give(receipt);
    self_->request(file_, node_->config.request_timeout, reap_a_v)
        .then([=](uint64_t) { reply.give(receipt); }, [=](const caf::error& problem) { reply.fail(problem); });
  });
  save();
}

} // namespace gnomon
