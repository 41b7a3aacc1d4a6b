#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/host_port.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gnomon::replay {

/// One SVCB record (RFC 9460) in service mode.
struct service_record {
  uint16_t priority = 0; // the lowest is preferred
  std::string host;      // the name to connect to, without the last dot
  uint16_t port = 0;
  std::string address; // the first IPv4 hint; empty: none
};

struct dns_answer {
  bool exists = true;                   // false: there is no such name (NXDOMAIN)
  std::vector<service_record> services; // by priority
  std::vector<std::string> addresses;   // of A records
  std::chrono::seconds ttl{0};          // of the records, or of their absence (RFC 2308); the shortest counts
};

/// What is asked: the type of record, and the network for whose clients the answer shall be (RFC 7871).
struct dns_question {
  std::string name;
  bool services = true;       // SVCB; otherwise A
  std::string client_network; // IPv4, such as "10.1.0.0"
  uint8_t client_bits = 16;
};

/// The question as a message. Errors: invalid_argument.
expected<std::vector<uint8_t>> dns_message(const dns_question& question, uint16_t id);

/// Reads the answer to a question. Errors: bad_message (unreadable, not for this question, or truncated), unavailable
/// (an error code other than NXDOMAIN).
expected<dns_answer> read_dns_answer(const uint8_t* bytes, size_t size, uint16_t id, const dns_question& question);

/// Asks one resolver over UDP. A question without an answer is sent again each second, five times in all. Callbacks run
/// in the loop of `io`, never inside `ask`. Destroying the client drops what is under way. Not thread-safe.
class dns_client {
public:
  using callback = std::function<void(const expected<dns_answer>&)>;

  dns_client(boost::asio::io_context& io, const host_port& resolver);
  ~dns_client();
  dns_client(const dns_client&) = delete;
  dns_client& operator=(const dns_client&) = delete;

  /// Errors: timeout, and those of the two functions above.
  void ask(dns_question question, callback answer);

private:
  class core;
  std::shared_ptr<core> core_;
};

} // namespace gnomon::replay
