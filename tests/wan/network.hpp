#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace gnomon::wan {

/// This machine or user cannot have such a network: not root, or no TUN devices. `what()` is a sentence.
struct not_possible : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using round_trips = std::vector<std::vector<std::chrono::microseconds>>;

/// Reads "from,to,round_trip_ms", one pair a line, for all pairs of `names`. Throws std::runtime_error.
round_trips read_round_trips(const std::string& file, const std::vector<std::string>& names);

/// Network namespaces, one a place, joined by a router of our own: each has a TUN device whose packets the router
/// delays by half of the round trip and puts into the other place's device. Pairs of places can be cut and healed at
/// run time. The namespaces end with the object and the processes inside. Thread-safe, but for making and ending it.
class network {
public:
  /// Throws not_possible, std::runtime_error.
  explicit network(const round_trips& between);
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// "10.77.0.1"
  static std::string address(size_t place);
  static constexpr auto addresses = "10.77.0.0/24";
  /// Moves the calling thread into the place. Async-signal-safe: also for a child between fork and exec.
  bool enter(size_t place) const noexcept;

  void cut_one_way(size_t from, size_t to);
  void cut(size_t a, size_t b);
  /// Cuts all pairs with one end in each group.
  void split(const std::vector<size_t>& some, const std::vector<size_t>& others);
  void heal();

  uint64_t packets() const {
    return packets_;
  }
  uint64_t dropped() const {
    return dropped_;
  }

private:
  using clock = std::chrono::steady_clock;
  struct place {
    int name_space = -1;
    int device = -1;
  };
  struct packet {
    clock::time_point due;
    std::string bytes;
  };
  /// What is on its way from one place to another, in order. Its delay never changes.
  struct lane {
    std::chrono::microseconds delay{0};
    std::atomic<bool> cut = false;
    std::deque<packet> packets;
    size_t bytes = 0;
  };

  lane& between(size_t from, size_t to) {
    return *lanes_[from * places_.size() + to];
  }
  void run();
  void take_in(size_t from);
  void deliver(clock::time_point now);
  clock::time_point next_due() const;
  void close();

  std::vector<place> places_;
  std::vector<std::unique_ptr<lane>> lanes_;
  int wake_ = -1;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> packets_ = 0, dropped_ = 0;
  std::thread router_;
};

} // namespace gnomon::wan
