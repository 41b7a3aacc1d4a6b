#pragma once

#include "runtime/dns/name.hpp"

#include <array>
#include <optional>

namespace gnomon::dns {

/// The types that the responder knows by name (IANA, "Resource Record (RR) TYPEs").
namespace type {
enum : uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  hinfo = 13,
  txt = 16,
  aaaa = 28,
  opt = 41,
  ds = 43,
  svcb = 64,
  https = 65,
  ixfr = 251,
  axfr = 252,
  any = 255,
};
}

/// Response codes; those above 15 need EDNS.
namespace rcode {
enum : uint16_t { noerror = 0, formerr = 1, servfail = 2, nxdomain = 3, notimp = 4, refused = 5, badvers = 16 };
}

constexpr size_t header_size = 12;
constexpr uint16_t class_in = 1;
constexpr uint8_t opcode_query = 0;

/// The OPT record of a query (RFC 6891, section 6.1).
struct opt_record {
  uint16_t payload = 512; // bytes that the client takes over UDP
  uint8_t version = 0;
  bool dnssec_ok = false;
  bytes_view options; // not read yet, see read_options
};

/// What a client asks. The views point into the message.
struct query {
  uint16_t id = 0;
  uint8_t opcode = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;
  bytes_view question;                       // as on the wire: name, type, class; empty when it could not be read
  std::array<uint8_t, max_name_size> name{}; // in lower case
  uint8_t name_size = 0;
  std::array<uint8_t, 128> labels{}; // where each label begins in `name`; the root's is not in the list
  uint8_t label_count = 0;
  uint16_t qtype = 0;
  uint16_t qclass = 0;
  std::optional<opt_record> opt;

  /// The name from label `first` on, as bytes in lower case; `first == label_count` is the root.
  std::string_view from_label(size_t first) const;
};

/// What parse_query found.
enum class reading : uint8_t {
  good,      // one question, and at most one OPT
  silence,   // shorter than a header, or itself a response: answering could start a loop
  no_query,  // another opcode; question and OPT are read when there is nothing else in the message
  malformed, // a query, but not one question with at most one OPT; there is no `question`
};

/// Reads a message that must be one question, no answer, no authority, and in the additional section nothing or one
/// OPT. Nothing may follow, and the question's name must not be compressed. `out` must be a fresh object. Never throws.
reading parse_query(bytes_view message, query& out);

} // namespace gnomon::dns
