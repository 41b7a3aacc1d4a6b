#pragma once

#include "runtime/net/endpoint.hpp"
#include "runtime/net/handshake_limits.hpp"
#include "runtime/net/preamble.hpp"
#include "runtime/net/relay.hpp"
#include "runtime/net/sparse_warnings.hpp"
#include "runtime/net/tunnel.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

/// What stands behind a tunnel's contract: `tunnel.cpp` starts, stops and carries, `tunnel_callers.cpp` lets callers
/// in, `tunnel_calls.cpp` calls, `tunnel_moves.cpp` moves connections that the rules no longer allow as they are.
namespace gnomon {

/// Does `step`. What it throws, as when memory runs out, is logged: the thread goes on for the others. False then.
template <class Step>
bool guarded(std::string_view where, Step step) {
  try {
    step();
    return true;
  } catch (const std::exception& fault) {
    log::error("tunnel", "threw", {{"where", where}, {"what", fault.what()}});
    return false;
  }
}

/// What follows from a `tunnel_security`.
struct tunnel_rules {
  credentials_ptr credentials;
  bool insecure = true;
  plain_networks plain;
  std::vector<ip_prefix> proxies;

  /// Errors: bad_config for a network that is none, and when `listen` may not be listened on.
  static expected<tunnel_rules> from(const tunnel_security& security, const std::string& listen);
  /// Where one may call. Errors: invalid_argument, with a sentence.
  expected<boost::asio::ip::tcp::endpoint> parse(const std::string& address) const;
  bool allow_plain(const boost::asio::ip::address& who) const {
    return insecure && plain.allow(plain_form(who));
  }
  /// Whoever calls from there speaks for others.
  bool are_proxy(const boost::asio::ip::address& who) const;
  /// The connection would be let in now.
  bool allow(const channel& line, const boost::asio::ip::address& who) const;
};

class tunnel::impl : public std::enable_shared_from_this<impl> {
public:
  impl(tunnel_config config, greeter decide);

  caf::error listen();
  void run();
  void stop();
  void dial(std::string address, duration timeout, dial_function done);
  void hang_up(std::string address);
  caf::error secure(const tunnel_security& security);
  std::map<std::string, uint64_t> counts() const;
  const node_identity& self() const {
    return config_.self;
  }

private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using tcp = boost::asio::ip::tcp;
  using peer_address = boost::asio::ip::address;
  using time_point = std::chrono::steady_clock::time_point;

  /// Where the greeter's answer arrives; the timer wakes up who waits for it.
  struct answer_slot {
    explicit answer_slot(boost::asio::io_context& io) : arrived(io) {}
    std::optional<greeting> answer;
    boost::asio::steady_timer arrived;
  };
  /// A relay, and who is at its other end.
  struct carried {
    peer_address who;
    std::string node;                        // or "shell NAME"
    std::string address;                     // where it is called
    uint64_t number = 0;                     // of the connection, the same at both ends
    uint32_t moves = 0;                      // how often it has moved, or has begun to: the same at both ends, too
    bool calling = false, called = false;    // a move has been offered to the other side; by it
    time_point moved_by = {};                // else it is closed
    std::shared_ptr<std::string> shell = {}; // its id in CAF, once it has introduced itself; null: it is a node
    uint64_t program = 0;                    // of a shell: the same over its connects
  };
  using relays = std::map<std::shared_ptr<relay>, carried>;
  /// An address that counts as one of those at their greeting; nothing: it has gone from there.
  using greeting_place = std::shared_ptr<std::optional<peer_address>>;
  /// One connection to another node, and what it said.
  struct attempt {
    channel_ptr line;
    expected<greeting> answer;
    bool no_tls = false;    // it closed the connection where TLS would have begun
    bool connected = false; // in TCP; then no other address is tried
  };

  // callers
  void go_on_accepting();
  awaitable<void> accept_all(std::shared_ptr<impl> alive);
  void accept(tcp::socket caller, const peer_address& from);
  awaitable<void> receive(std::shared_ptr<impl> alive, channel_ptr caller, greeting_place from);
  awaitable<caf::error> hear_proxy(channel& caller, greeting_place from);
  awaitable<caf::error> greet(channel_ptr caller, peer_address from);
  awaitable<caf::error> admit(channel& caller, peer_address from);
  awaitable<greeting> ask_greeter(node_identity who);
  awaitable<void> let_in(channel_ptr line, greeting answer, caller by, peer_address from);
  awaitable<caf::error> refuse(channel_ptr line, std::string sentence, reception verdict = reception::refused);
  awaitable<caf::error> take_over(channel_ptr line, caller by, peer_address from);
  greeting answer_shell(const node_identity& who);
  void leave(const greeting_place& from, bool failed);
  bool arrive(const peer_address& from);

  // calls
  awaitable<expected<std::vector<tcp::endpoint>>> find(std::string address);
  awaitable<void> call(std::shared_ptr<impl> alive, std::string address, duration timeout, dial_function done);
  awaitable<attempt> reach(tcp::endpoint to, caller me, time_point deadline);
  awaitable<attempt> try_once(tcp::endpoint to, caller me, credentials_ptr with, time_point deadline);
  awaitable<expected<greeting>> introduce(channel& line, tcp::endpoint to, caller me, credentials_ptr with);
  int open_inner_end(channel_ptr line, carried facts);
  void move(const std::shared_ptr<relay>& which);
  awaitable<void> move_over(std::shared_ptr<impl> alive, std::shared_ptr<relay> which);
  awaitable<attempt> offer_move(carried facts);

  // both
  /// Has the tunnel's thread run `step`. False when that ends: a step that nobody runs would keep this alive for good.
  template <class Step>
  bool on_thread(Step step) {
    std::lock_guard lock{posting_};
    if (!stopped_)
      boost::asio::post(io_, std::move(step));
    return !stopped_;
  }
  awaitable<expected<std::string>> read_envelope(channel& line);
  /// `dialed` is the address that this node called; empty: the other one called.
  void begin_relay(channel_ptr near, channel_ptr far, carried facts, std::string dialed);
  void end_relay(const std::shared_ptr<relay>& which, const std::string& dialed, const std::string& cut);
  std::unique_ptr<basp_guard> guard_for(const carried& facts, bool called_us);
  void recount();
  static void tune(channel& line);
  /// Closes `line`, and says so in `expired`, unless the timer that comes back dies first.
  std::unique_ptr<boost::asio::steady_timer> close_at(time_point deadline, channel_ptr line,
                                                      std::shared_ptr<bool> expired);
  void close_all();
  void review();
  void review_later();
  void turn_out(const std::shared_ptr<relay>& shell);
  void tell_of_rules();
  void tell_of_expiry();

  tunnel_config config_;
  tunnel_rules rules_; // on the tunnel's thread, once it runs
  greeter decide_;
  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer next_review_;
  std::set<channel_ptr> handshakes_; // accepted and dialed ones that are not relayed yet
  relays relays_;
  std::map<std::string, std::weak_ptr<relay>> dialed_; // by address
  std::set<std::shared_ptr<answer_slot>> questions_;
  handshake_limits limits_;
  std::shared_ptr<basp_peers> peers_; // null: nobody reads what comes in
  sparse_warnings warnings_{"tunnel"};
  time_point told_of_expiry_{};
  uint32_t accepted_ = 0, shells_ = 0;                                  // and relayed; of these, shells
  bool stopping_ = false;                                               // on the tunnel's thread
  std::mutex posting_;                                                  // of the next one
  bool stopped_ = false;                                                // for everyone else
  std::atomic<uint64_t> secure_{0}, plain_{0}, failed_{0}, refused_{0}; // connections now, and since the start
  std::atomic<uint64_t> cut_off_{0}, shells_now_{0};                    // since the start; connections now
  std::atomic<uint64_t> certificate_ends_{0}, authority_ends_{0};       // seconds since 1970
  std::thread thread_;
  std::promise<void> finished_;
};

} // namespace gnomon
