#include "actors/node/supervisor.hpp"

#include "runtime/base/log.hpp"

#include <algorithm>
#include <cassert>

namespace gnomon {

using namespace std::chrono_literals;

// clang-format off
const std::vector<restart_rule>& restart_rules() {
  constexpr auto one = restart_strategy::one_for_one;
  constexpr auto rest = restart_strategy::rest_for_one;
  constexpr auto all = restart_strategy::one_for_all;
  constexpr auto any = SIZE_MAX;
  // The region fills the shards' catalogs from the store when it starts, so they only start together. Shards and
  // membership are the supervisors of shadows and links: these are started again when they are next needed, as often as
  // it takes, since one broken item or peer must not take the others with it. Nor must one broken request: the gateway
  // keeps nothing but what waits for an answer.
  static const std::vector<restart_rule> rules{
    // child         parent         strategy restarts window grace
    {"store",        "node",        rest,    3,       60s,   5s},
    {"membership",   "node",        one,     5,       60s,   2s},
    {"link",         "membership",  one,     any,     60s,   1s},
    {"region tree",  "node",        rest,    3,       60s,   5s},
    {"shard",        "region tree", all,     5,       60s,   2s},
    {"shadow",       "shard",       one,     any,     60s,   1s},
    {"anti-entropy", "region tree", all,     5,       60s,   2s},
    {"region",       "region tree", all,     5,       60s,   2s},
    {"trainer",      "node",        one,     5,       60s,   1s},
    {"prefetcher",   "node",        one,     5,       60s,   1s},
    {"predictor",    "node",        one,     5,       60s,   5s}, // it writes down what it has learned
    {"agent",        "node",        one,     5,       60s,   1s},
    {"collector",    "node",        one,     5,       60s,   1s},
    {"repair",       "node",        one,     5,       60s,   1s},
    {"feed",         "node",        one,     5,       60s,   1s},
    {"router",       "node",        one,     5,       60s,   2s},
    {"pulse",        "node",        one,     5,       60s,   1s},
    {"gateway",      "HTTP server", one,     any,     60s,   1s},
  };
  return rules;
}
// clang-format on

const restart_rule& restart_rule_of(std::string_view child) {
  const auto& rules = restart_rules();
  auto found = std::find_if(rules.begin(), rules.end(), [&](const auto& rule) { return rule.child == child; });
  assert(found != rules.end());
  return *found;
}

bool failure_window::exceeded_by(const restart_rule& rule, time_point now) {
  failures_.push_back(now);
  while (now - failures_.front() > rule.window)
    failures_.pop_front();
  return failures_.size() > rule.restarts;
}

supervisor_state::~supervisor_state() {
  // Only a supervisor that is killed itself still has children here; nobody else would end them.
  for (auto& child : children_)
    if (child.handle)
      caf::anon_send_exit(child.handle, caf::exit_reason::kill);
}

void supervisor_state::start(supervisor_actor::pointer self, supervisor_config config) {
  self_ = self;
  name_ = std::move(config.name);
  for (auto& spec : config.children)
    children_.push_back({.spec = std::move(spec)});
  // Not here: an actor cannot end itself before it has its behaviour, and the start of a child may fail.
  self_->send(caf::actor_cast<supervisor_actor>(self_), tick_a_v);
}

void supervisor_state::advance() {
  for (auto i = children_.size(); i-- > 0 && i >= stop_from_;)
    if (auto& child = children_[i]; child.handle) {
      if (!child.stopping)
        ask_to_stop(i);
      return;
    }
  stop_from_ = SIZE_MAX;
  if (ending_) {
    self_->quit(end_reason_);
    return;
  }
  for (size_t i = 0; i < children_.size(); ++i)
    if (!children_[i].handle && !start_child(i))
      return;
}

bool supervisor_state::start_child(size_t index) {
  auto& child = children_[index];
  child.stopping = child.killed = false;
  ++child.generation;
  try {
    child.handle = child.spec.start(self_->home_system());
  } catch (const std::exception& problem) {
    child_failed(index, make_error(ec::internal, std::string{"its start threw: "} + problem.what()));
    return false;
  }
  self_->monitor(child.handle); // of one that has ended already this brings its DOWN at once
  return true;
}

void supervisor_state::ask_to_stop(size_t index) {
  auto& child = children_[index];
  child.stopping = true;
  self_->send_exit(child.handle, caf::exit_reason::user_shutdown);
  self_->delayed_send(caf::actor_cast<supervisor_actor>(self_), child.spec.rule->grace, expire_a_v,
                      static_cast<uint64_t>(index), child.generation);
}

void supervisor_state::grace_over(size_t index, uint64_t generation) {
  auto& child = children_[index];
  if (!child.handle || !child.stopping || child.generation != generation)
    return;
  if (!child.killed) {
    log::warn("supervisor", "child-killed", {{"supervisor", name_}, {"child", child.spec.name}});
    child.killed = true;
    self_->send_exit(child.handle, caf::exit_reason::kill);
    self_->delayed_send(caf::actor_cast<supervisor_actor>(self_), child.spec.rule->grace, expire_a_v,
                        static_cast<uint64_t>(index), generation);
    return;
  }
  // Its thread is stuck in a call that no message can end; waiting for it would stop everybody else.
  log::error("supervisor", "child-abandoned", {{"supervisor", name_}, {"child", child.spec.name}});
  self_->demonitor(child.handle);
  child.handle = nullptr;
  advance();
}

void supervisor_state::child_down(const caf::down_msg& down) {
  auto child = std::find_if(children_.begin(), children_.end(),
                            [&](const auto& c) { return c.handle && c.handle.address() == down.source; });
  if (child == children_.end())
    return;
  child->handle = nullptr;
  if (child->stopping)
    advance();
  else
    child_failed(static_cast<size_t>(child - children_.begin()), down.reason);
}

void supervisor_state::child_failed(size_t index, const caf::error& reason) {
  const auto& spec = children_[index].spec;
  log::warn("supervisor", "child-failed",
            {{"supervisor", name_}, {"child", spec.name}, {"reason", caf::to_string(reason)}});
  if (!ending_ && failures_of(*spec.rule).exceeded_by(*spec.rule, self_->clock().now())) {
    log::error("supervisor", "gives-up",
               {{"supervisor", name_}, {"child", spec.name}, {"restarts", spec.rule->restarts}});
    stop(make_error(ec::internal, name_ + " gave up: " + spec.name + " failed too often"));
    return;
  }
  if (spec.rule->strategy == restart_strategy::one_for_all)
    stop_from_ = 0;
  else if (spec.rule->strategy == restart_strategy::rest_for_one)
    stop_from_ = std::min(stop_from_, index + 1);
  advance();
}

void supervisor_state::stop(caf::error reason) {
  if (ending_)
    return;
  ending_ = true;
  end_reason_ = std::move(reason);
  stop_from_ = 0;
  advance();
}

failure_window& supervisor_state::failures_of(const restart_rule& rule) {
  for (auto& [of, window] : failures_)
    if (of == &rule)
      return window;
  return failures_.emplace_back(&rule, failure_window{}).second;
}

supervisor_actor::behavior_type supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
                                           supervisor_config config) {
  self->set_down_handler([self](const caf::down_msg& down) { self->state.child_down(down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) { self->state.stop(exit.reason); });
  self->state.start(self, std::move(config));
  return {
      [self](tick_a) { self->state.advance(); },
      [self](expire_a, uint64_t index, uint64_t generation) { self->state.grace_over(index, generation); },
  };
}

} // namespace gnomon
