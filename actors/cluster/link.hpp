#pragma once

#include "actors/cluster/parcels.hpp"
#include "actors/node/node_context.hpp"

#include <array>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>

namespace gnomon {

struct link_config {
  std::string peer;       // node at the other end
  membership_actor owner; // told when a session is lost, answers the peer's pings
};

/// What a link keeps. A request becomes a parcel and an entry in `pending`. Its reply, the end of the session or the
/// sweep removes the entry and answers. Without a session every request fails at once.
struct link_state {
  using self_pointer = link_actor::stateful_pointer<link_state>;
  using time_point = parcel::time_point;
  /// Gets the bytes of the reply, or the reason why there is none.
  using reply_handler = std::function<void(expected<std::vector<char>>)>;

  /// An answer that this link owes the peer.
  struct debt {
    uint64_t session;
    traffic urgency;
    uint64_t sequence;
    size_t bytes;       // of the request
    time_point until{}; // the peer stops waiting then
    bool paced = false; // counts as background work
  };

  ~link_state();

  // requests of this node, in the order in which they happen
  /// Waits for `patience` while nothing arrives, and for at most `longest` in total.
  caf::error request(traffic urgency, std::vector<char> bytes, duration patience, duration longest, reply_handler done);
  void flush();
  void take_credit(const credit& granted);
  void complete(parcel reply);
  void sweep();

  // requests of the peer
  void receive(const frame& arrived);
  void serve(parcel asked);
  void answer(const debt& owed, std::vector<char> bytes);
  void serve_background();
  void complain(const caf::error& fault);

  // sessions
  caf::result<node_identity> open(const gate_actor& gate);
  caf::result<hello> accept(const hello& theirs);
  void end_session(const std::string& reason);
  void lose_session(const std::string& reason);
  void lost(const caf::actor_addr& source);
  void peer_ended(const session_over& over);

  self_pointer self = nullptr;
  context_ptr node;
  link_config config;
  outbox out;
  inbox in;

private:
  struct waiting {
    reply_handler done;
    traffic urgency;
    duration patience;
    time_point latest;
  };
  duration for_large(size_t bytes) const;
  hello our_hello() const;
  void enter(const hello& theirs);
  void fail_pending(const std::string& reason);
  void grant();
  void schedule_flush();
  void schedule_sweep();
  time_point now() const;

  uint64_t session_ = 0; // zero: none; set but not `up_`: our hello is under way
  bool up_ = false;
  size_t faults_ = 0; // requests of this session that made no sense
  link_end_actor end_;
  credit owed_; // taken in, and not yet reported to the peer
  uint64_t grant_bytes_ = 0;
  uint32_t grant_frames_ = 0;
  uint64_t next_sequence_ = 1;
  std::unordered_map<uint64_t, waiting> pending_;
  std::set<std::pair<time_point, uint64_t>> deadlines_; // of `pending_`
  std::array<time_point, 3> progress_{};                // by urgency: when a part of a large parcel came or went
  size_t serving_ = 0;                                  // the peer's requests that are not answered yet
  uint64_t serving_bytes_ = 0;
  size_t background_ = 0;                                  // of these, the ones under way that are not for a client
  std::deque<std::pair<debt, std::vector<char>>> put_off_; // background requests that wait until fewer are under way
  bool choosing_ = false;                                  // `serve_background` is choosing which of them to serve
  bool flush_scheduled_ = false;
  bool sweep_scheduled_ = false;
};

/// One end of the connection to a peer.
link_actor::behavior_type link(link_actor::stateful_pointer<link_state> self, context_ptr node, link_config config);

} // namespace gnomon
