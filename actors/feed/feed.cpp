#include "actors/feed/feed.hpp"

#include "actors/feed/merged_states.hpp"
#include "runtime/base/ids.hpp"
#include "storage/keys.hpp"

namespace gnomon {

using namespace std::chrono_literals;

namespace {

constexpr size_t steps_kept = 10'000, changes_kept = 10'000;
constexpr size_t steps_in_a_page = 500;
constexpr auto wait_for_earlier = 2s; // what a step builds on is on its way for no longer
constexpr auto reader_lasts = 5min;
constexpr auto look_often = 200ms, look_seldom = 1000ms;

} // namespace

feed_actor::behavior_type feed(feed_actor::stateful_pointer<feed_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](item_step& step) { state.take(std::move(step)); },
      [=, &state](const pull_steps& request) -> caf::result<step_page> {
        state.pull(request, answer<step_page>{self->make_response_promise<step_page>()});
        return caf::delegated<step_page>{};
      },
      [=, &state](const list_states& request) -> caf::result<state_page> {
        state.list(request, answer<state_page>{self->make_response_promise<state_page>()});
        return caf::delegated<state_page>{};
      },
      [=, &state](const follow_changes& request) -> caf::result<change_page> {
        state.follow(request, answer<change_page>{self->make_response_promise<change_page>()});
        return caf::delegated<change_page>{};
      },
      [&](tick_a) { state.tick(); },
  };
}

feed_state::feed_state() : steps_(steps_kept), changes_(changes_kept), order_(wait_for_earlier) {}

void feed_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  number_ = random_u64();
  policies_ = node_->policies.get();
  model_ = node_->models.get()->version;
  publish_followed();
  self_->delayed_send(self_, look_seldom, tick_a_v);
}

void feed_state::take(item_step step) {
  steps_.add(step);
  for (auto& [node, to] : readers_)
    answer_reader(to, true);
  if (matches(here_, step.id))
    tell(order_.take(std::move(step), now()));
}

void feed_state::tick() {
  drop_readers();
  drop_followed();
  tell(order_.overdue(now()));
  look_at_cluster();
  ask_sources();
  answer_waiters();
  auto busy = !waiters_.empty() || !readers_.empty() || !followed_.empty();
  self_->delayed_send(self_, busy ? look_often : look_seldom, tick_a_v);
}

// -- other nodes' feeds ask ------------------------------------------------------------------------------------------

void feed_state::pull(const pull_steps& request, answer<step_page> reply) {
  auto [entry, is_new] = readers_.try_emplace(request.follower);
  auto& from = entry->second;
  if (!is_new)
    from.open.give({.feed = number_, .last = from.after, .steps = {}});
  from.until = now() + reader_lasts;
  if (from.items != request.items) {
    from.items = request.items;
    publish_followed();
  }
  if (is_new || request.feed != number_ || !steps_.goes_back_to(request.after)) {
    from.open = {};
    return reply.give({.feed = number_, .last = steps_.last(), .steps = {}, .gap = request.feed != 0});
  }
  from.after = request.after;
  from.answered_by = now() + request.wait;
  from.open = std::move(reply);
  answer_reader(from, true);
}

/// Answers its question when there is something to tell, or when it has waited for long enough.
void feed_state::answer_reader(reader& to, bool in_time) {
  if (to.open.given())
    return;
  step_page page{.feed = number_, .last = to.after, .steps = {}};
  steps_.each_after(to.after, [&](uint64_t number, const item_step& step) {
    page.last = number;
    if (matches(to.items, step.id))
      page.steps.push_back(step);
    return page.steps.size() < steps_in_a_page;
  });
  to.after = page.last;
  if (!page.steps.empty() || !in_time)
    to.open.give(std::move(page));
}

void feed_state::drop_readers() {
  for (auto& [node, from] : readers_)
    answer_reader(from, now() < from.answered_by);
  if (std::erase_if(readers_, [this](const auto& entry) { return entry.second.until <= now(); }) > 0)
    publish_followed();
}

void feed_state::publish_followed() {
  here_ = {};
  for (const auto& [what, until] : followed_)
    (what.first == follow_scope::item ? here_.ids : here_.prefixes).push_back(what.second);
  auto all = here_;
  for (const auto& [node, from] : readers_) {
    all.ids.insert(all.ids.end(), from.items.ids.begin(), from.items.ids.end());
    all.prefixes.insert(all.prefixes.end(), from.items.prefixes.begin(), from.items.prefixes.end());
  }
  node_->follows.set(all);
}

/// The items that this node holds, tombstones as well.
void feed_state::list(const list_states& request, answer<state_page> reply) {
  auto range = request.exact ? keys::records(request.prefix) : keys::records(request.prefix, request.after);
  auto handles = node_->handles.get();
  auto merged = std::make_shared<merged_states>();
  auto open = std::make_shared<size_t>(handles->stores.size());
  auto limit = request.exact ? 1 : std::clamp(request.limit, 1u, 1000u);
  auto heard = [=, this](const store_entries& entries) {
    state_page page{.items = {}, .more = entries.more && !request.exact};
    for (const auto& [key, value] : entries.entries) {
      auto record = decode_record(value.view());
      if (!record || (request.exact && record->id != request.prefix))
        continue;
      auto role = record->holders.state_of(node_->self.node);
      if (role == holder_state::durable || role == holder_state::shadow)
        page.items.push_back({record->id, record->versions});
      else // the page reaches so far
        page.items.push_back({record->id, {}});
    }
    merged->add(page);
    if (--*open == 0)
      reply.give(merged->cut(limit));
  };
  for (const auto& store : handles->stores)
    self_->request(store, node_->config.request_timeout, store_scan{range.first, range.last, limit, false})
        .then(heard, [reply](const caf::error& reason) { reply.fail(reason); });
}

} // namespace gnomon
