#pragma once

#include "runtime/gateway/message.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <atomic>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gnomon::http {

/// The largest body that is handed on piece by piece and never kept whole.
inline constexpr uint64_t max_streamed_bytes = 16ull << 30;

/// Bytes of request bodies that the connections of a server hold together.
struct body_budget {
  std::atomic<uint64_t> used{0};
  uint64_t limit = 0;
};

/// The part of the budget that one body has taken. The destructor gives it back.
class body_share {
public:
  explicit body_share(body_budget& budget) : budget_(budget) {}
  ~body_share() {
    release();
  }
  body_share(const body_share&) = delete;
  body_share& operator=(const body_share&) = delete;
  bool take(uint64_t bytes);
  void release();

private:
  body_budget& budget_;
  uint64_t taken_ = 0;
};

/// The head of one request as views into the buffer that was parsed: valid until that buffer changes.
struct request_head {
  std::string_view method;
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  unsigned version = 11;
  bool conditional = false; // it has a field that changes the answer to a GET
  bool folded = false;      // a field continues in the next line
  // fields of which there may be one: how many there are, and the last one's value
  unsigned hosts = 0, lengths = 0, codings = 0, types = 0, authorizations = 0;
  std::string_view host, length, coding, authorization;
  bool has_origin = false; // a page in a browser asks
};

/// Why a head is refused.
struct head_fault {
  int status;
  std::string_view error, sentence;
};

/// Checks what Beast accepts although another parser may read it differently, so that the two would disagree about
/// where this request ends, what it is about or to whom it goes (RFC 9112). Nothing when the head is sound. Allocates
/// nothing.
std::optional<head_fault> find_fault(const request_head& head);

/// True when `bytes`, of a head that is not complete yet, can never become valid: a control character, or a line that
/// does not end with CRLF. `before` is the byte in front of them.
bool is_broken(std::string_view bytes, char before);

/// True for "GET / HTTP/2.0". The answer to such a client is about the version; others are told that the request is not
/// understood.
bool names_other_version(std::string_view head);

/// Beast's parser, set to keep views of the head and to collect the body, so that a plain GET costs no allocation.
class request_parser final : public boost::beast::http::basic_parser<true> {
public:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  /// All must outlive the parser; `head` is emptied.
  request_parser(request_head& head, std::string& body, body_share& share, uint64_t max_body_bytes);

  /// Takes more of the request. Returns how much of `bytes` was used; give the rest again.
  size_t read(std::string_view bytes, error_code& ec);

private:
  void on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version,
                       error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override;
  void on_field_impl(boost::beast::http::field which, string_view name, string_view value, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;
  size_t on_body_impl(string_view bytes, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& ec) override;
  size_t on_chunk_body_impl(std::uint64_t left, string_view bytes, error_code& ec) override;
  void on_finish_impl(error_code& ec) override;

  std::string_view bytes_; // that are read now
  request_head& head_;
  std::string& body_;
  body_share& share_;
  bool in_trailer_ = false;
  size_t extension_bytes_ = 0; // of all chunks
};

/// An owned request from the views of a head. `has_body` says whether the head announced one.
request to_request(const request_head& head, bool has_body);

/// Splits a target, in origin or absolute form, into path and query.
std::pair<std::string_view, std::string_view> split_target(std::string_view target);

} // namespace gnomon::http
