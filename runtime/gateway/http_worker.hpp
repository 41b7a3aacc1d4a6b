#pragma once

#include "runtime/gateway/api.hpp"
#include "runtime/gateway/client_places.hpp"
#include "runtime/gateway/http_server.hpp"
#include "runtime/gateway/http_stats.hpp"
#include "runtime/gateway/readers_elsewhere.hpp"
#include "runtime/gateway/request_parser.hpp"
#include "runtime/gateway/token_check.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <unordered_map>

namespace gnomon::http {

class connection;
class worker;

/// What the threads of one server share. Complete before they start; afterwards only what any thread may change does.
struct server_parts {
  context_ptr node;
  http_config config;
  body_budget bodies;
  published<http_security> security;
  std::atomic<size_t> connections{0};
  std::atomic<uint64_t> failed_openings{0}; // connections that did not get through TLS or the proxy's header
  std::optional<client_places> clients;
  std::function<void(uint64_t token, client_message message)> ask;
  std::vector<std::unique_ptr<worker>> workers;
  std::unique_ptr<token_check> tokens; // ends before the workers, whom it tells
};

/// One HTTP thread: its connections, its counters and the accesses it answered from the read index. All members except
/// `context` and `stats` are for that thread alone.
class worker {
public:
  worker(server_parts& parts, size_t number);
  ~worker();

  /// Runs until the context is stopped.
  void run();
  /// Takes over a new connection, or tells its client that there are too many.
  void adopt(boost::asio::ip::tcp::socket socket, client_places::place place, bool turn_away);
  /// The router's reply for the connection `serial`, which may be gone.
  void deliver(uint64_t serial, client_result result);
  /// Has a token checked for the connection `serial`, which hears of it later. False when too many wait.
  bool check_token(uint64_t serial, std::string_view token, const ip_address& from);
  /// Takes over the server's security as it is now.
  void look_at_security();
  const std::shared_ptr<const http_security>& security() const {
    return security_;
  }
  /// Closes idle connections. The others end after the request under way.
  void drain();
  void close_all();
  void forget(uint64_t serial);

  /// As `index_hit`. Counts the access.
  std::shared_ptr<const index_entry> current(std::string_view id, std::string_view user,
                                             const version_vector& seen = {});
  /// The read is of an id that nobody is known to hold, and regions need not be asked. Counts it.
  bool is_absent(const read_item& request);
  /// Hands a request to the router; the reply comes through `deliver`.
  void ask(uint64_t serial, client_message message);

  server_parts& parts() {
    return parts_;
  }
  bool draining() const {
    return draining_;
  }
  /// "Date: ...", what else is the same in all answers from the index, and the empty line that ends a head.
  const std::string& head_end() const {
    return head_end_;
  }
  const std::string& date() const {
    return date_;
  }

  boost::asio::io_context context{1};
  http_stats stats;
  readers_elsewhere elsewhere;

private:
  void sweep();
  void note_date();
  void tell_of_expiry(std::chrono::steady_clock::time_point now);
  void schedule_sweep();
  void count_access(std::string_view id, std::string_view user, timestamp now);
  void hand_over_samples();

  server_parts& parts_;
  size_t number_;
  uint64_t next_serial_ = 0;
  bool draining_ = false;
  bool sweeps_seldom_ = false; // until a connection comes
  std::shared_ptr<const http_security> security_;
  std::chrono::steady_clock::time_point told_of_expiry_{};
  std::string date_, head_end_;
  boost::asio::steady_timer timer_;
  std::unordered_map<uint64_t, std::shared_ptr<connection>> connections_;
  std::unordered_map<std::string, access_sample> samples_; // by id, NUL and user
  std::string sample_key_;                                 // kept for its capacity
  uint32_t anonymous_ = 0;                                 // reads without a user since the last sweep
  uint32_t each_counts_ = 1;                               // for so many of them one sample stands
  std::chrono::steady_clock::time_point handed_over_{};
};

} // namespace gnomon::http
