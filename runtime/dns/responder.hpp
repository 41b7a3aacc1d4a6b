#pragma once

#include "runtime/base/published.hpp"
#include "runtime/dns/answers.hpp"
#include "runtime/dns/cookies.hpp"
#include "runtime/dns/counters.hpp"
#include "runtime/dns/rate_limit.hpp"

#include <utility>

namespace gnomon::dns {

struct responder_config {
  answer_config answers;
  rate_limit_config rate;
  size_t udp_bytes = 1232; // most that an answer over UDP has (DNS flag day 2020); 512 to 4,096
  size_t amplification =
      3;            // without a cookie an answer over UDP has at most so many times the query's bytes; from 2 on
  std::string nsid; // said to who asks for it (RFC 5001), at most 64 bytes
};

/// Who sent a query.
struct sender {
  ip_address address;
  bool tcp = false;
};

/// Answers messages. It has no sockets: what it says follows from the message, the sender and the snapshot.
/// Thread-safe; the directory, the regions and the zones must outlive it.
class responder {
public:
  responder(responder_config config, std::vector<zone> zones, const item_directory& items,
            const published<region_table>& regions, ranking rank);

  /// What answers are made from now. Good for a batch of queries; take a new one for the next.
  snapshot look() const;

  /// Writes the answer into `out`, which should have udp_bytes over UDP and 65,535 over TCP, and returns its size; 0
  /// when nothing is to be sent. Never throws on any message.
  size_t answer(bytes_view message, const sender& from, const snapshot& now, std::span<uint8_t> out, counters& count);

  /// What `out` needs for an answer over UDP.
  size_t udp_bytes() const {
    return config_.udp_bytes;
  }
  cookie_jar& cookies() {
    return cookies_;
  }

private:
  struct reply;
  bool prepare(reply& to, bytes_view message, const sender& from);
  bool held_back(reply& to);
  void decide(reply& to);
  void fill(reply& to);
  uint16_t fill_answers(reply& to, bool hints);
  bool is_regional(const reply& to) const;
  std::pair<choice, uint8_t> choose_regions(const reply& to) const;
  uint16_t fill_regional(reply& to, bool hints);
  void refuse(reply& to, uint16_t code, extended_error why);
  size_t optional_size(const reply& to) const;
  void write_header(reply& to);
  void write_opt(reply& to);
  size_t finish(reply& to);

  responder_config config_;
  std::vector<zone> zones_;
  const item_directory& items_;
  const published<region_table>& regions_;
  ranking rank_;
  rate_limit limit_;
  cookie_jar cookies_;
};

} // namespace gnomon::dns
