#pragma once

#include "runtime/base/ip_address.hpp"
#include "runtime/base/proxy_header.hpp"
#include "runtime/gateway/http_worker.hpp"
#include "runtime/tls/transport.hpp"

#include <chrono>
#include <optional>

namespace gnomon::http {

/// One client's connection. Reads requests one after the other, and answers each before it looks at the next. Belongs
/// to one worker and its thread. The worker and the socket operation under way keep it alive.
///
///   opening (the proxy's header, TLS) -> head
///   head -> (checking the token) -> (index hit) -> writing -> head ...
///   head -> body -> waiting for the router -> writing -> head ...
///   head -> body -> waiting -> body -> waiting ... -> writing, when the body is streamed
///   head -> waiting -> writing -> waiting -> writing ... -> closed, when the answer is a stream
///   a fault -> writing -> lingering -> closed
///   opening -> lingering -> closed, when TLS refuses the client
class connection : public std::enable_shared_from_this<connection> {
public:
  using clock = std::chrono::steady_clock;

  connection(worker& owner, uint64_t serial, boost::asio::ip::tcp::socket socket);

  /// For as long as this connection lives.
  void keep(client_places::place place) {
    place_ = std::move(place);
  }
  /// Begins with the proxy's header and TLS, where there are such, then reads. When the server has as many connections
  /// as it may, answers 503 and closes.
  void start(bool turn_away);
  /// The router's reply to the request that waits.
  void resume(client_result result);
  /// What the token of the request is worth.
  void resume(grant_ptr rights);
  /// Closes when idle. Otherwise the answer under way is the last one.
  void drain();
  bool is_late(clock::time_point now) const {
    return now >= deadline_;
  }
  /// The deadline has passed: answers if that is still possible, and closes.
  void time_out();
  void close();

private:
  enum class phase : uint8_t { opening, head, checking, body, waiting, writing, lingering, closed };

  template <class Step>
  void guarded(Step step);
  void give_up(std::string_view reason);

  // the begin, and who asks (http_connection_access.cpp)
  void read_proxy_header();
  void take_proxy_header(const boost::system::error_code& fault, size_t count);
  void encrypt();
  void opened(const boost::system::error_code& fault);
  void fail_to_open(std::string_view reason);
  void refuse_to_open(std::string_view reason);
  void count_failed_opening(std::string_view reason);
  bool identify();
  grant_ptr by_certificate();
  bool is_still_permitted();
  std::optional<response> refuse_asker() const;
  std::string from() const;

  // reading
  void read();
  void on_read(const boost::system::error_code& fault, size_t count);
  void on_writable(const boost::system::error_code& fault);
  void end_in_time();
  void take(client_result result);
  void serve();
  bool find_head();
  bool parse_head();
  bool head_is_sound();
  void answer_head();
  void begin();
  bool expects() const;
  void expect_body();
  void feed();
  bool rest_may_become_valid();
  void make_room();

  // answering
  bool answer_from_index();
  void send_entry(const std::shared_ptr<const index_entry>& entry);
  void dispatch();
  void hand_on();
  void ask(client_message message);
  std::optional<ip_address> client(const request& asked) const;
  bool answer_from_index(const read_item& message);
  void respond(response answer);
  void stream(change_page page);
  void go_on_streaming();
  void fail(int status, std::string_view error, std::string_view detail);
  void flush();
  bool write_now();
  void after_write();
  void linger();

  worker& owner_;
  uint64_t serial_;
  transport line_;
  std::optional<ip_address> peer_;      // behind a proxy that says so, who has connected to that; nothing: it has gone
  std::unique_ptr<proxy_header> proxy_; // while it is read
  credentials_ptr vouched_by_;          // who accepted the client's certificate
  bool turn_away_ = false;
  client_places::place place_;
  phase phase_ = phase::opening;
  clock::time_point deadline_ = clock::time_point::max();

  std::vector<char> in_; // [begin_, end_) was received and not used yet
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t searched_ = 0; // bytes behind begin_ that were looked at and hold no end of a head
  bool reading_ = false;
  bool head_begun_ = false;
  uint64_t lingered_ = 0;
  clock::time_point linger_end_{};

  request_head head_;
  std::string body_;
  body_share share_;
  std::optional<request_parser> parser_;
  clock::time_point body_end_{}; // when the whole body must be there

  grant_ptr who_; // asks; null: nobody who is known
  bool shows_token_ = false;
  request asked_;
  endpoint where_ = endpoint::unknown;
  clock::time_point started_{};
  bool keep_ = true; // go on with this connection after the answer

  std::optional<follow_changes> stream_; // the question that goes on; none: the answer is not a stream
  bool streaming_ = false;               // its head was sent

  std::string out_head_;
  blob out_body_;
  std::string_view out_rest_; // of the body
  size_t out_sent_ = 0;       // of the head
};

/// Does a step of this connection. An exception, for instance when memory runs out, ends only this connection, and its
/// client is told.
template <class Step>
void connection::guarded(Step step) {
  try {
    step();
  } catch (const std::exception& fault) {
    try {
      if (phase_ != phase::closed)
        give_up(fault.what());
    } catch (const std::exception&) {
      close();
    }
  }
}

} // namespace gnomon::http
