#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

/// CAF 0.17.6 trusts every sender: it reads lengths and types as they come, and hands any message to any actor. So what
/// another node sends is read here first. Between nodes there are only the handshakes of CAF's protocol (BASP), its
/// notices about actors that ended, and the messages of links: hello, frame, credit, session_over. Everything else is
/// no node of ours. A shell sends requests to the gate and to the router, and such notices.
namespace gnomon {

/// The largest message of a node: a frame, and what stands around it.
inline constexpr size_t max_basp_bytes = 192u << 10;
/// And of a shell: a value, and what stands around it.
inline constexpr size_t longest_request = 66u << 20;

/// What the connections between this node and one peer have in common, because CAF chooses among them.
struct peer_traffic {
  using time_point = std::chrono::steady_clock::time_point;
  std::string caf_node;      // of its last handshake
  std::set<uint64_t> actors; // of this node, that have written to it
  std::set<uint64_t> gates;  // that were offered to it
  uint64_t session = 0;      // whose frames are credited
  uint64_t window_bytes = 0, window_frames = 0;
  uint64_t bytes = 0, frames = 0; // from it, and not credited yet
  uint64_t answers_due = 64;      // messages that ours still allow: credits, ends of sessions; a shell's notices
  double others_due = 128;        // further messages; grows with time
  time_point counted_at = {};     // up to here it has grown
  time_point refused_until = {};  // after it was cut off
  // Of a shell:
  std::set<uint64_t> routers;                                 // that were offered to it
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> requests; // not answered yet: who asked, its number; bytes
  uint64_t request_bytes = 0;
  void refuse_for_a_while(time_point now) {
    refused_until = now + std::chrono::seconds{10};
  }
};

/// All peers of a node. Not thread-safe.
class basp_peers {
public:
  /// `own` is this node's id as CAF writes it.
  explicit basp_peers(std::string own) : own_(std::move(own)) {}
  /// For as long as somebody keeps it, it is the same.
  std::shared_ptr<peer_traffic> with(const std::string& peer);
  /// True when that id of CAF's belongs to this node or to a peer that is not `except`.
  bool knows(std::string_view caf_node, const peer_traffic& except) const;
  const std::string& own() const {
    return own_;
  }

private:
  std::string own_;
  std::map<std::string, std::shared_ptr<peer_traffic>> peers_;
};

/// Who is at the other end: a node that was called, one that has called, or a shell.
enum class basp_role : uint8_t { called_node, calling_node, shell };

/// Reads the messages of one connection. Not thread-safe.
class basp_guard {
public:
  using time_point = peer_traffic::time_point;
  enum class verdict : uint8_t {
    wait, // the first message is not complete
    pass, // the first `bytes` may go on to CAF
    drop, // may be left out: CAF sends them, and here nobody needs them
    hold, // too many requests are under way: ask again when more was sent
    cut   // no node sends such bytes; `reason` is a sentence
  };
  struct ruling {
    verdict what = verdict::wait;
    size_t bytes = 0;
    std::string reason = {};
  };

  using introduced = std::function<void(const std::string& caf_node)>;
  /// `peer` is its name, as its certificate says. Each program of a shell has a name of its own. `tell` hears the
  /// peer's id in CAF before its first message passes.
  basp_guard(std::shared_ptr<basp_peers> all, std::string peer, basp_role role, introduced tell = {});

  /// What becomes of the message at the front of `arrived`. Never waits for more than `max_basp_bytes`.
  ruling judge(std::string_view arrived, time_point now);
  /// CAF sends these bytes to the peer: any part of its stream, in order.
  void note(std::string_view sent);

private:
  struct header;
  class fields;
  ruling judge_handshake(const header& head, fields payload);
  ruling judge_direct(const header& head, fields payload);
  ruling judge_hello(const header& head, fields payload);
  ruling judge_frame(const header& head, fields payload);
  ruling judge_answer(const header& head, fields payload, bool credit);
  ruling judge_notice(const header& head, fields payload);
  ruling judge_request(const header& head, std::string_view arrived);
  ruling judge_rest(size_t arrived);
  void note_message(std::string_view message);
  void note_answer(const header& head, fields payload);
  void forget_requests();
  size_t longest(const header& head) const;
  bool one_more(time_point now);
  bool called() const {
    return role_ != basp_role::called_node;
  }

  std::shared_ptr<basp_peers> all_;
  std::shared_ptr<peer_traffic> traffic_;
  std::string peer_;
  basp_role role_;
  introduced tell_;
  std::string caf_node_; // as the peer has introduced itself
  unsigned handshakes_ = 0;
  uint64_t rest_of_request_ = 0; // what follows of one that may pass
  std::string sent_;             // the beginning of our message that is under way
  uint64_t to_skip_ = 0;         // what follows of it
};

} // namespace gnomon
