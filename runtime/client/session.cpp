#include "runtime/client/session.hpp"

#include <algorithm>

namespace gnomon {

using namespace std::chrono_literals;

namespace {

constexpr auto tick_every = 50ms;
constexpr auto shortest_backoff = 50ms;
constexpr auto longest_backoff = 1000ms;
constexpr auto longest_wait = 10s; // of a question for changes, at the node
constexpr size_t waiting_per_slot = 64;

bool receiver_is_gone(const caf::error& reason) {
  return reason == caf::sec::request_receiver_down || reason.category() == caf::atom("exit");
}

} // namespace

// -- outbox -----------------------------------------------------------------------------------------------------------

void session_outbox::open(session_actor to) {
  std::lock_guard guard{mutex_};
  session_ = std::move(to);
}

bool session_outbox::push(job next) {
  std::lock_guard guard{mutex_};
  if (!session_)
    return false;
  jobs_.push_back(std::move(next));
  if (jobs_.size() == 1)
    caf::anon_send(session_, refresh_a_v);
  return true;
}

std::vector<session_outbox::job> session_outbox::take() {
  std::lock_guard guard{mutex_};
  return std::exchange(jobs_, {});
}

void session_outbox::close() {
  // What is dropped may run callers' code: not under the lock.
  std::vector<job> dropped;
  session_actor session;
  std::lock_guard guard{mutex_};
  dropped.swap(jobs_);
  std::swap(session, session_);
  closed_.notify_all();
}

bool session_outbox::wait_closed(std::chrono::milliseconds bound) {
  std::unique_lock guard{mutex_};
  return closed_.wait_for(guard, bound, [this] { return !session_; });
}

// -- requests ---------------------------------------------------------------------------------------------------------

void session_state::start(session_actor::pointer actor, session_config given) {
  self = actor;
  config_ = std::move(given);
  self->set_down_handler([this](caf::down_msg& msg) {
    if (router_ && msg.source == router_)
      lost();
    else
      forget_watcher(msg.source);
  });
}

void session_state::drain() {
  for (auto& job : config_.outbox->take())
    job(*this);
}

void session_state::begin(std::shared_ptr<session_call> call) {
  if (waiting_.size() >= config_.options.max_in_flight * waiting_per_slot) {
    call->fail(make_error(ec::overloaded, "too many requests wait for their turn; wait for some of them first"));
    return;
  }
  waiting_.emplace(next_sequence_++, std::move(call));
  if (router_)
    send_waiting();
  else
    connect();
  arm();
}

void session_state::send_waiting() {
  while (router_ && !waiting_.empty() && in_flight_.size() < config_.options.max_in_flight) {
    auto [sequence, call] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    in_flight_.emplace(sequence, call);
    call->send(*this, sequence, router_);
  }
}

std::shared_ptr<session_call> session_state::finish(uint64_t sequence) {
  auto entry = in_flight_.extract(sequence);
  send_waiting();
  return entry ? std::move(entry.mapped()) : nullptr;
}

void session_state::failed(uint64_t sequence, const caf::error& reason) {
  auto entry = in_flight_.find(sequence);
  if (entry == in_flight_.end())
    return;
  if (receiver_is_gone(reason) && entry->second->repeatable) {
    waiting_.insert(in_flight_.extract(entry));
    return; // the router's DOWN is on its way
  }
  if (auto call = finish(sequence))
    call->fail(reason);
}

// -- the connection ---------------------------------------------------------------------------------------------------

void session_state::connect() {
  if (connecting_ || session_call::clock::now() < next_connect_)
    return;
  connecting_ = true;
  config_.transport->connect(self, [this](expected<router_actor> found) { connected(std::move(found)); });
}

void session_state::connected(expected<router_actor> found) {
  connecting_ = false;
  auto now = session_call::clock::now();
  if (!found) {
    last_error_ = found.error();
    backoff_ = std::clamp(backoff_ * 2, std::chrono::milliseconds{shortest_backoff},
                          std::chrono::milliseconds{longest_backoff});
    next_connect_ = now + backoff_;
    give_up_waiting(now);
    return;
  }
  backoff_ = 0ms;
  last_error_ = {};
  router_ = std::move(*found);
  self->monitor(router_);
  ask_for_all_changes();
  send_waiting();
}

void session_state::lost() {
  router_ = nullptr;
  last_error_ = make_error(ec::unavailable, "the node went away");
  for (auto& subscription : watched_)
    subscription.question = 0;
  for (auto& [sequence, call] : std::exchange(in_flight_, {})) {
    if (call->repeatable)
      waiting_.emplace(sequence, std::move(call));
    else
      call->fail(make_error(ec::peer_gone,
                            "the node went away with the request under way: it may or may not have been carried out"));
  }
  // A moment for the node to come back; the tick connects.
  next_connect_ = session_call::clock::now() + shortest_backoff;
}

// -- watching ---------------------------------------------------------------------------------------------------------

follow_changes question_of(const watched& what, const watch_options& options) {
  follow_changes question;
  question.scope = static_cast<follow_scope>(what.scope);
  question.name = what.name;
  question.after = options.after;
  question.present = options.present;
  question.values = options.values;
  return question;
}

void session_state::watch(const watched& what, const watcher_actor& watcher, const watch_options& options,
                          const change_page& first) {
  unwatch(what, watcher);
  self->monitor(watcher);
  watched_.push_back({what, watcher, options, ++questions_});
  tell(questions_, first);
  arm();
}

void session_state::unwatch(const watched& what, const watcher_actor& watcher) {
  auto same = [&](const subscription& s) {
    return s.what.scope == what.scope && s.what.name == what.name && s.watcher == watcher;
  };
  if (watched_.remove_if(same) > 0)
    self->demonitor(watcher.address());
}

void session_state::forget_watcher(const caf::actor_addr& watcher) {
  watched_.remove_if([&](const subscription& s) { return s.watcher == watcher; });
}

/// The node answers when there is something to tell. So it need not remember who watches.
void session_state::ask_for_changes(subscription& of) {
  if (!router_ || of.question != 0 || session_call::clock::now() < of.next)
    return;
  auto request = question_of(of.what, of.options);
  request.wait = longest_wait;
  of.question = ++questions_;
  self->request(router_, caf::infinite, std::move(request))
      .then([this, question = of.question](const change_page& page) { tell(question, page); },
            [this, question = of.question](const caf::error& reason) { not_told(question, reason); });
}

void session_state::ask_for_all_changes() {
  for (auto& subscription : watched_)
    ask_for_changes(subscription);
}

std::list<session_state::subscription>::iterator session_state::asking(uint64_t question) {
  return std::find_if(watched_.begin(), watched_.end(), [&](const auto& s) { return s.question == question; });
}

void session_state::tell(uint64_t question, const change_page& page) {
  auto of = asking(question);
  if (of == watched_.end())
    return;
  of->options.after = page.position;
  if (page.changes.empty())
    return go_on(question);
  auto last = page.changes.end() - 1;
  std::for_each(page.changes.begin(), last, [&](const change& news) { self->send(of->watcher, news); });
  // A slow watcher gets no more before it has seen these: what it lags behind is the node's to bound.
  self->request(of->watcher, caf::infinite, *last)
      .then([this, question] { go_on(question); }, [](const caf::error&) {});
}

void session_state::go_on(uint64_t question) {
  auto of = asking(question);
  if (of == watched_.end())
    return;
  of->question = 0;
  ask_for_changes(*of);
}

void session_state::not_told(uint64_t question, const caf::error&) {
  auto of = asking(question);
  if (of == watched_.end())
    return;
  of->question = 0;
  of->next = session_call::clock::now() + longest_backoff;
}

// -- time -------------------------------------------------------------------------------------------------------------

void session_state::arm() {
  if (armed_ || (waiting_.empty() && in_flight_.empty() && watched_.empty()))
    return;
  armed_ = true;
  self->delayed_send(self, tick_every, tick_a_v);
}

void session_state::tick() {
  armed_ = false;
  auto now = session_call::clock::now();
  give_up_in_flight(now);
  give_up_waiting(now);
  if (!router_)
    connect();
  ask_for_all_changes();
  arm();
}

void session_state::give_up_in_flight(time_point now) {
  while (!in_flight_.empty() && in_flight_.begin()->second->deadline <= now)
    if (auto call = finish(in_flight_.begin()->first))
      call->fail(make_error(ec::timeout, "the node did not answer in time; try again, or give the request more time"));
}

void session_state::give_up_waiting(time_point now) {
  // Only a failed attempt to connect tells that the node is not there.
  auto reason = last_error_ ? last_error_ : make_error(ec::timeout, "the request had to wait too long for its turn");
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    auto& call = *i->second;
    auto no_node = !router_ && !connecting_ && last_error_ && call.impatient <= now;
    if (!no_node && call.deadline > now) {
      ++i;
      continue;
    }
    call.fail(reason);
    i = waiting_.erase(i);
  }
}

void session_state::close() {
  watched_.clear();
  self->quit();
}

session_state::~session_state() {
  // Jobs and calls that are dropped here end their callers' waits.
  if (config_.outbox)
    config_.outbox->close();
}

session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self, session_config config) {
  self->state.start(self, std::move(config));
  return {
      [=](refresh_a) { self->state.drain(); },
      [=](tick_a) { self->state.tick(); },
  };
}

} // namespace gnomon
