#pragma once

#include "actors/messages/protocol.hpp"
#include "gnomon/client.hpp"

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

/// The actor inside a `gnomon::client`. Sends the callers' requests to the router of a node, bounds the time of each,
/// and connects again when the node comes back.
namespace gnomon {

struct session_state;

/// Callers: any thread, through an outbox (`refresh_a` says that it has jobs).
/// Calls: the router; the app's watchers.
using session_actor = caf::typed_actor<caf::reacts_to<refresh_a>, caf::reacts_to<tick_a>>;

/// What callers hand over to the session. Copies of one client share it. Thread-safe.
class session_outbox {
public:
  using job = std::function<void(session_state&)>;
  /// Where jobs go from now on.
  void open(session_actor to);
  /// False when there is no session, or no longer one. `next` is then dropped.
  bool push(job next);
  std::vector<job> take();
  /// The session has ended: drops the jobs that are left.
  void close();
  /// Waits until the session has ended. False when `bound` passes first.
  bool wait_closed(std::chrono::milliseconds bound);

private:
  std::mutex mutex_;
  std::condition_variable closed_;
  std::vector<job> jobs_;
  session_actor session_; // null before `open` and after `close`
};

/// One request of a caller. Ends exactly once: by its answer, by `fail`, or when it is dropped.
class session_call {
public:
  using clock = std::chrono::steady_clock;
  session_call(const client_options& options, bool repeatable)
      : deadline(clock::now() + options.timeout), impatient(clock::now() + options.patience), repeatable(repeatable) {}
  virtual ~session_call() = default;
  virtual void send(session_state& state, uint64_t sequence, const router_actor& router) = 0;
  virtual void fail(const caf::error& reason) = 0;

  const clock::time_point deadline;
  const clock::time_point impatient; // it waits no longer than that for a node that is away
  const bool repeatable;             // it may be sent again when it is unknown whether it was carried out
};

/// The question for what has changed since `options.after`.
follow_changes question_of(const watched& what, const watch_options& options);

/// How a session finds the router of its node. Used by one session only, from its own thread.
class session_transport {
public:
  using answer = std::function<void(expected<router_actor>)>;
  virtual ~session_transport() = default;
  /// Calls `done` from `self` exactly once, now or within a bound. Errors: unavailable, with a sentence.
  virtual void connect(session_actor::pointer self, answer done) = 0;
};

struct session_config {
  client_options options;
  std::shared_ptr<session_outbox> outbox;
  std::shared_ptr<session_transport> transport;
};

struct session_state {
  session_state() = default;
  ~session_state();
  void start(session_actor::pointer actor, session_config given);
  void drain();
  void begin(std::shared_ptr<session_call> call);
  /// `first`: what the node said when it was first asked.
  void watch(const watched& what, const watcher_actor& watcher, const watch_options& options, const change_page& first);
  void unwatch(const watched& what, const watcher_actor& watcher);
  void tick();
  void close();

  /// Removes and returns the call with this number; null when it has ended before.
  std::shared_ptr<session_call> finish(uint64_t sequence);
  /// The router refused the call, or has gone.
  void failed(uint64_t sequence, const caf::error& reason);

  session_actor::pointer self = nullptr;

private:
  using time_point = session_call::clock::time_point;
  /// Somebody who watches something, and how far they have been told.
  struct subscription {
    watched what;
    watcher_actor watcher;
    watch_options options;
    uint64_t question = 0; // the one under way; 0: none
    time_point next{};
  };

  void connect();
  void connected(expected<router_actor> found);
  void lost();
  void send_waiting();
  void ask_for_changes(subscription& of);
  void ask_for_all_changes();
  void tell(uint64_t question, const change_page& page);
  void go_on(uint64_t question);
  void not_told(uint64_t question, const caf::error& reason);
  std::list<subscription>::iterator asking(uint64_t question);
  void give_up_waiting(time_point now);
  void give_up_in_flight(time_point now);
  void forget_watcher(const caf::actor_addr& watcher);
  void arm();

  session_config config_;
  router_actor router_;
  bool connecting_ = false;
  bool armed_ = false;
  caf::error last_error_;
  time_point next_connect_{};
  std::chrono::milliseconds backoff_{0};
  uint64_t next_sequence_ = 0;
  std::map<uint64_t, std::shared_ptr<session_call>> waiting_; // in order of arrival, so of deadlines
  std::map<uint64_t, std::shared_ptr<session_call>> in_flight_;
  std::list<subscription> watched_;
  uint64_t questions_ = 0;
};

session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self, session_config config);

} // namespace gnomon
