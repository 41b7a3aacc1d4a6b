#include "learning/user_model.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr uint32_t state_version = 1;
constexpr uint32_t untimed_window = 20'000; // accesses of anyone after which an open prediction is closed

} // namespace

user_model::user_model(const user_model_config& config)
    : config_(config), items_(config.max_items), users_(config.max_users), counts_(config.counts) {
  config_.track_every = std::max<size_t>(config_.track_every, 1);
}

uint32_t user_model::clock_of(uint32_t time) const {
  return config_.counts.timed ? time : static_cast<uint32_t>(observed_);
}

void user_model::observe(std::string_view user, std::string_view item, uint8_t region, uint32_t time) {
  ++observed_;
  finish_due(clock_of(time));
  const auto index = items_.index_of(item);
  if (index == no_index)
    return;
  follow_up(user, index, clock_of(time));
  observe_access(counts_, parts_.network, network_version_, users_.touch(user), index, region, time);
}

const std::vector<guess>& user_model::predict(std::string_view user) {
  guesses_.clear();
  if (users_.find(user) == nullptr)
    return guesses_;
  auto& record = users_.touch(user);
  refresh_state(parts_.network, network_version_, config_.counts.timed, record);
  learning::predict(counts_, parts_, record, config_.candidates, next_, useful_, config_.guesses, space_, guesses_);
  if (++predicted_ % config_.track_every == 0)
    track(user, record);
  return guesses_;
}

void user_model::adopt(const model_parts& parts) {
  parts_ = parts;
  std::vector<std::string> names;
  for (auto& name : parts.item_names)
    items_.index_of(name);
  for (uint32_t k = 0; k < items_.size(); ++k)
    names.push_back(items_.name(k));
  if (parts.network)
    parts_.network = sequence_model{reordered(parts.network.weights(), parts.item_names, names)};
  parts_.item_names = std::move(names);
  ++network_version_;
  // Open predictions were scored by another ranker: their logits mean something else now.
  tracked_.clear();
  open_.clear();
  next_ = parts.next;
  useful_ = parts.useful;
}

bool user_model::forget(std::string_view user) {
  auto known = users_.find(user);
  if (known == nullptr)
    return false;
  counts_.forget(known->history);
  if (auto open = open_.find(std::string{user}); open != open_.end()) {
    for (auto number : open->second) {
      tracked_[number - first_tracked_] = {};
      tracked_[number - first_tracked_].done = true;
    }
    open_.erase(open);
  }
  return users_.forget(user);
}

void user_model::track(std::string_view user, const user_record& record) {
  if (tracked_.size() >= config_.max_tracked || guesses_.empty())
    return;
  const auto now = clock_of(record.history.ago(0).time);
  tracked t;
  t.user = user;
  t.due = now + (config_.counts.timed ? config_.window.seconds : untimed_window);
  t.guesses = guesses_;
  t.hits.assign(guesses_.size(), 0);
  if (tracked_.empty())
    first_tracked_ = predicted_;
  open_[t.user].push_back(first_tracked_ + tracked_.size());
  tracked_.push_back(std::move(t));
}

void user_model::follow_up(std::string_view user, uint32_t item, uint32_t time) {
  auto open = open_.find(std::string{user});
  if (open == open_.end())
    return;
  const auto numbers = open->second; // finishing takes them out
  for (auto number : numbers) {
    auto& t = tracked_[number - first_tracked_];
    for (size_t k = 0; k < t.guesses.size(); ++k) {
      const bool hit = t.guesses[k].item == item;
      if (t.accesses == 0)
        next_.add(t.guesses[k].next_logit, hit);
      if (hit && time <= t.due)
        t.hits[k] = 1;
    }
    if (++t.accesses == config_.window.accesses)
      finish(number);
  }
}

void user_model::finish(uint64_t number) {
  auto& t = tracked_[number - first_tracked_];
  if (t.done)
    return;
  for (size_t k = 0; k < t.guesses.size(); ++k)
    if (!t.guesses[k].read_lately)
      useful_.add(t.guesses[k].useful_logit, t.hits[k] != 0);
  auto open = open_.find(t.user);
  std::erase(open->second, number);
  if (open->second.empty())
    open_.erase(open);
  t = {};
  t.done = true;
}

void user_model::finish_due(uint32_t time) {
  while (!tracked_.empty() && (tracked_.front().done || tracked_.front().due < time)) {
    finish(first_tracked_);
    tracked_.pop_front();
    ++first_tracked_;
  }
}

std::string user_model::to_file() const {
  writer out;
  items_.save(out);
  users_.save(out);
  counts_.save(out);
  next_.save(out);
  useful_.save(out);
  return seal(model_kind::user_state, state_version, out.take());
}

caf::error user_model::restore(std::string_view file) {
  auto payload = unseal(file, model_kind::user_state, state_version, state_version);
  if (!payload)
    return payload.error();
  reader in{*payload};
  user_model fresh{config_};
  fresh.items_.load(in);
  fresh.users_.load(in);
  fresh.counts_.load(in);
  fresh.next_.load(in);
  fresh.useful_.load(in);
  if (!in.good() || !in.at_end())
    return make_error(ec::bad_message, "the state of the user model does not have the shape this program expects; "
                                       "remove the file, and it is learned again");
  auto next = fresh.next_, useful = fresh.useful_;
  if (parts_.network || parts_.ranker)
    fresh.adopt(parts_);
  fresh.next_ = next;
  fresh.useful_ = useful;
  *this = std::move(fresh);
  return {};
}

} // namespace gnomon::learning
