#pragma once

#include "actors/node/node_context.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gnomon {

struct membership_config {
  std::vector<std::string> seeds; // host:port; the node's own address among them does no harm
  dialer_actor dialer;
  std::vector<node_identity> known = {}; // the peers of the last run
  std::vector<std::string> met = {};     // addresses of nodes that were met in any run
  duration dial_timeout = 3s;            // one attempt, greeting included
  duration backoff_first = 100ms;
  duration backoff_last = 5s;
  uint32_t max_nodes = 1024; // gossip about more is ignored
};

/// What membership keeps. `peers` has nodes by name. `contacts` has addresses to dial: those of the seeds and of the
/// peers. The node with the smaller name dials a connection. The other one calls only to be called back.
struct membership_state {
  using self_pointer = membership_actor::stateful_pointer<membership_state>;
  using time_point = caf::actor_clock::time_point;

  struct peer {
    node_identity identity;
    link_actor link;
    bool connected = false;
    peer_state state = peer_state::unknown;
    time_point heard{};        // when the last ping that it answered was sent, or when its connection began
    int64_t proven_ms = 0;     // the same by `steady_ms`, which goes on while this process is stopped; for pings only
    int64_t away_since_ms = 0; // since when it is down; 0: it is not
    double rtt_ms = -1;
    ping facts;                       // of its last ping or pong
    bool caught_up = false;           // since the last lapse of freshness
    std::optional<uint64_t> wanted{}; // number that its updates have to reach before it counts as caught up
  };

  struct contact {
    bool seed = false;
    bool own = false; // turned out to be this node itself
    bool met = false; // in an earlier run
    bool tried = false;
    bool reached = false;
    bool dialing = false;
    time_point next{};
    duration backoff{};
  };

  ~membership_state();
  void start(self_pointer me, context_ptr owner, membership_config settings);

  // who may come in
  greeting greet(const node_identity& caller);
  caf::result<hello> admit(const hello& theirs);
  std::string conflict(const node_identity& who) const;
  /// From `who` itself, or from another node.
  enum class told { first_hand, by_others };
  peer* learn(const node_identity& who, told how);

  // reaching out
  void dial_due();
  void dial(const std::string& address);
  void dialed(const std::string& address, const dial_result& result);
  void open_session(const std::string& address, const dial_result& result);
  void dial_failed(const std::string& address, const caf::error& reason);
  void lost(const session_lost& what);
  void link_ended(const caf::actor_addr& link);
  caf::result<uint32_t> join();

  // heartbeat
  void tick();
  ping facts(const std::string& to) const;
  pong answer(const ping& theirs);
  void send_ping(peer& to);
  void ping_all();
  void tell_news(const catalog_row& row);
  void news_due();
  void answered(const std::string& node, const ping& facts, time_point sent, int64_t sent_ms);
  void heard(peer& p, const ping& facts);
  void judge(time_point now);
  void forget_removed();
  void publish();
  void publish_distances(time_point t);

  // freshness
  void notice_lapse();
  void catch_up(peer& p, int64_t sent_ms);
  void renew_freshness();

private:
  peer* find(const std::string& node);
  void connected(peer& p);
  void disconnect(peer& p);
  void refused(const std::string& sentence);
  bool knows_seeds() const;   // each was tried
  size_t unmet_seeds() const; // there is a node at each, but nothing else is known of it
  void answer_joins();
  void later(contact& c);
  time_point now() const;

  self_pointer self_ = nullptr;
  context_ptr node_;
  int64_t looked_at_ms_ = 0; // at its freshness (`steady_ms`)
  membership_config config_;
  std::map<std::string, peer> peers_;
  std::map<std::string, contact> contacts_;
  std::vector<caf::typed_response_promise<uint32_t>> joins_;
  std::string refusal_;
  time_point last_tick_{};
  time_point last_pings_{};
  std::vector<catalog_row> news_; // since then
  bool news_scheduled_ = false;
  time_point distances_due_{};
};

/// Keeps the node in touch with its cluster.
membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self, context_ptr node,
                                           membership_config config);

} // namespace gnomon
