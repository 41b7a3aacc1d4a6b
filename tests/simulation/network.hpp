#pragma once

#include "actors/node/node_context.hpp"
#include "tests/simulation/engine.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// One TCP connection between two nodes: keeps order in each direction, delays, stalls while the way is cut, and loses
/// what is under way when it breaks. `end[0]` is the side that dialed.
struct connection {
  struct side {
    int node = outside;
    link_end_actor link; // of the node
    link_end_actor wire; // stands for the other node's link at this node
    moment last_arrival{0};
    std::deque<std::function<void()>> stalled; // on the way to this side
  };
  side end[2];
  gate_actor gate; // stands for the called node's gate
  bool open = true;
};
using connection_ptr = std::shared_ptr<connection>;

/// The wide-area network between the simulated nodes, in the place of tunnel and CAF's middleman: real links, real
/// memberships and real gates talk through it.
class network {
public:
  network(engine& on, uint64_t seed, size_t nodes);

  /// A node's way to others; belongs to the world outside.
  dialer_actor dialer_of(int node);
  /// What answers calls at the node's address; null while it is down.
  void listen(int node, const std::string& address, context_ptr who, gate_actor gate);
  /// The process of the node is gone. `told`: its peers see their connections end, as when a process is killed and not
  /// the machine.
  void vanish(int node, bool told);

  void cut(int from, int to);
  void mend(int from, int to);
  bool is_cut(int from, int to) const {
    return cuts_.count({from, to}) > 0;
  }
  void heal();
  /// Breaks the connections between the two; what is under way is lost.
  void reset(int a, int b);
  /// How many packets arrive only after they were sent again, and by how much the delay of the others varies.
  void weather(uint64_t loss_percent, moment jitter);
  static constexpr uint64_t usual_loss = 1;
  static constexpr moment usual_jitter{4'000};
  /// Since when nothing has kept the two from reaching each other; `moment::max()`: something does.
  moment whole_since(int a, int b) const;

  /// One way, without what chance adds.
  moment latency(int from, int to) const {
    return latency_[static_cast<size_t>(from)][static_cast<size_t>(to)];
  }

private:
  struct host {
    std::string address;
    context_ptr who;
    gate_actor gate;
    dialer_actor dialer;
  };

  void dial(int from, const std::string& address, caf::typed_response_promise<dial_result> promise);
  void greeted(int from, int to, const greeting& answer, caf::typed_response_promise<dial_result> promise);
  void hang_up(int from, const std::string& address);
  void pass_hello(const connection_ptr& over, const hello& theirs, caf::typed_response_promise<hello> promise);
  link_end_actor spawn_wire(const connection_ptr& over, size_t side);
  template <class Message>
  void transmit(const connection_ptr& over, size_t to_side, Message message);
  void carry(const connection_ptr& over, size_t to_side, std::function<void()> deliver);
  void arrive(const connection_ptr& over, size_t to_side, std::function<void()> deliver);
  void close(const connection_ptr& over, size_t by_side, bool other_is_told);
  moment trip(int from, int to);
  int node_at(const std::string& address) const;

  engine& engine_;
  dice dice_;
  std::vector<std::vector<moment>> latency_;
  std::map<int, host> hosts_;
  std::set<std::pair<int, int>> cuts_;
  std::map<std::pair<int, int>, moment> troubled_; // when something last came between the two
  moment rough_{0};                                // when packets were last lost in numbers
  uint64_t loss_percent_ = usual_loss;
  moment jitter_ = usual_jitter;
  std::vector<connection_ptr> connections_;
};

} // namespace gnomon::simulation
