#include "learning/user/user_model.hpp"

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr uint32_t untimed_window = 20'000; // accesses of anyone after which an open prediction is closed

size_t sixteenth(size_t items) {
  return std::max<size_t>(items / 16, 1);
}

} // namespace

user_model::user_model(const user_model_config& config)
    : config_(config), items_(config.max_items + sixteenth(config.max_items)), users_(config.max_users),
      past_(config.max_users), counts_(config.counts), open_(config.window, config.max_tracked),
      past_open_(config.window, config.max_tracked) {
  config_.track_every = std::max<size_t>(config_.track_every, 1);
}

uint32_t user_model::clock_of(uint32_t time) const {
  return config_.counts.timed ? time : static_cast<uint32_t>(observed_);
}

// -- learning ---------------------------------------------------------------------------------------------------------

void user_model::observe(std::string_view user, std::string_view item, uint8_t region, uint32_t time) {
  ++observed_;
  const auto now = clock_of(time);
  open_.advance(now, useful_);
  const auto index = place_for(item, UINT32_MAX);
  open_.came(user, index, now, next_, useful_);
  learn(user, users_.touch(user), index, region, time);
}

void user_model::observe_past(std::string_view user, std::string_view item, uint8_t region, uint32_t time,
                              bool rehearse) {
  ++observed_;
  const auto now = clock_of(time);
  past_open_.advance(now, useful_);
  const auto index = place_for(item, time);
  if (index == no_index)
    return;
  past_open_.came(user, index, now, next_, useful_);
  auto& record = users_.touch(user);
  const bool older = !record.history.empty() && time < record.history.ago(0).time;
  learn(user, older ? past_.touch(user) : record, index, region, time);
  if (rehearse && !older) {
    guesses_about(user, config_.guesses);
    follow(user, past_open_, time);
  }
}

void user_model::end_past() {
  past_open_.clear();
  next_.fit();
  useful_.fit();
  for (size_t k = 0; k < past_.slots(); ++k) {
    const auto& user = past_.name_in(k);
    if (user.empty())
      continue;
    auto& record = users_.touch(user);
    record.history = user_history::merged(past_.record_in(k).history, record.history);
    record.state.clear(); // worked out again
  }
  past_ = history_store{config_.max_users};
}

void user_model::learn(std::string_view user, user_record& record, uint32_t item, uint8_t region, uint32_t time) {
  if (!gone_.empty())
    record.history.remove(gone_);
  observe_access(counts_, parts_.network, network_version_, record, item, region, time);
}

/// The item's number. `no_index` only when every item here was read after `time`.
uint32_t user_model::place_for(std::string_view item, uint32_t time) {
  if (auto known = items_.find(item); known != no_index)
    return known;
  if (items_.names() >= config_.max_items && !make_room(time))
    return no_index;
  if (!gone_.empty()) // as fast as new items come, so that there are numbers for them when this is over
    sweep(1 + (counts_.rows() + users_.slots()) / sixteenth(config_.max_items));
  return items_.index_of(item);
}

/// Takes the names of the items out that nobody has read for the longest time. Their numbers are given out again when
/// nothing refers to them any more.
bool user_model::make_room(uint32_t time) {
  if (time < oldest_)
    return false;
  if (!gone_.empty())
    sweep(counts_.rows() + users_.slots());
  std::vector<std::pair<uint32_t, uint32_t>> by_age;
  for (uint32_t k = 0; k < items_.size(); ++k)
    if (items_.has(k))
      by_age.emplace_back(counts_.facts(k).last_seen, k);
  const auto last = by_age.begin() + static_cast<ptrdiff_t>(sixteenth(by_age.size()));
  std::nth_element(by_age.begin(), last - 1, by_age.end());
  oldest_ = (last - 1)->first;
  if (time < oldest_)
    return false;
  gone_.assign(items_.size(), false);
  for (auto each = by_age.begin(); each != last; ++each) {
    items_.erase(each->second);
    counts_.erase(each->second);
    parts_.network.forget(each->second);
    gone_[each->second] = true;
    saving_.erased.push_back(each->second);
  }
  swept_ = 0;
  return true;
}

void user_model::sweep(size_t rows) {
  counts_.sweep(gone_, swept_, swept_ + rows);
  for (size_t k = std::max(swept_, counts_.rows()); k < swept_ + rows && k < counts_.rows() + users_.slots(); ++k)
    users_.record_in(k - counts_.rows()).history.remove(gone_);
  swept_ += rows;
  if (swept_ < counts_.rows() + users_.slots())
    return;
  for (size_t k = 0; k < past_.slots(); ++k)
    past_.record_in(k).history.remove(gone_);
  open_.remove(gone_);
  past_open_.remove(gone_);
  for (uint32_t k = 0; k < gone_.size(); ++k)
    if (gone_[k])
      items_.reuse(k);
  gone_.clear();
}

bool user_model::forget(std::string_view user) {
  auto known = users_.find(user);
  if (known == nullptr)
    return false;
  counts_.forget(known->history);
  if (auto past = past_.find(user))
    counts_.forget(past->history);
  open_.forget(user);
  past_open_.forget(user);
  past_.forget(user);
  return users_.forget(user);
}

// -- predicting -------------------------------------------------------------------------------------------------------

const std::vector<guess>& user_model::predict(std::string_view user) {
  guesses_about(user, config_.guesses);
  if (!guesses_.empty() && ++predicted_ % config_.track_every == 0)
    follow(user, open_, users_.find(user)->history.ago(0).time);
  return guesses_;
}

const std::vector<guess>& user_model::guesses_about(std::string_view user, size_t wanted) {
  guesses_.clear();
  if (users_.find(user) == nullptr)
    return guesses_;
  auto& record = users_.touch(user);
  if (!gone_.empty())
    record.history.remove(gone_);
  refresh_state(parts_.network, network_version_, config_.counts.timed, record);
  learning::predict(counts_, parts_, record, config_.candidates, next_, useful_, wanted, space_, guesses_);
  std::erase_if(guesses_, [this](const guess& g) { return !items_.has(g.item); });
  return guesses_;
}

void user_model::follow(std::string_view user, open_predictions& open, uint32_t time) {
  open.add(user, guesses_, clock_of(time) + (config_.counts.timed ? config_.window.seconds : untimed_window));
}

void user_model::adopt(const model_parts& parts) {
  parts_ = parts;
  std::vector<std::string> names;
  for (auto& name : parts.item_names)
    if (items_.names() < config_.max_items)
      items_.index_of(name);
  for (uint32_t k = 0; k < items_.size(); ++k)
    names.emplace_back(items_.name(k));
  if (parts.network)
    parts_.network = sequence_model{reordered(parts.network.weights(), parts.item_names, names)};
  parts_.item_names = std::move(names);
  ++network_version_;
  // Open predictions were scored by another ranker: their logits mean something else now.
  open_.clear();
  past_open_.clear();
  next_ = parts.next;
  useful_ = parts.useful;
  if (restored_ && restored_->version == parts.version)
    take_up(*restored_);
  restored_.reset();
}

void user_model::take_up(const calibration& c) {
  next_ = c.next;
  useful_ = c.useful;
}

} // namespace gnomon::learning
