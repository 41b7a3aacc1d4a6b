#pragma once

#include "runtime/base/freed_by.hpp"
#include "runtime/dns/edns.hpp"
#include "runtime/dns/query.hpp"

#include <ldns/ldns.h>

#include <memory>
#include <string>
#include <vector>

/// Questions as bytes, and answers as ldns reads them.
namespace gnomon::dns::test {

using message = std::vector<uint8_t>;

inline void append_u16(message& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

/// How a question is asked. The name is text as parse_name takes it, but its case is kept.
struct question {
  std::string name;
  uint16_t qtype = type::a;
  uint16_t qclass = class_in;
  bool edns = true;
  uint16_t payload = 1232;
  uint8_t version = 0;
  message options = {};
};

inline message option_bytes(uint16_t code, const message& data) {
  message bytes;
  append_u16(bytes, code);
  append_u16(bytes, data.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

/// A client subnet option for a network in text.
inline message subnet_option(const std::string& text) {
  const auto prefix = *ip_prefix::parse(text);
  const auto bytes = prefix.address.bytes();
  const auto family = static_cast<uint8_t>(prefix.address.is_v4() ? 1 : 2);
  message data{0, family, static_cast<uint8_t>(prefix.bits), 0};
  data.insert(data.end(), bytes.begin(), bytes.begin() + (prefix.bits + 7) / 8);
  return option_bytes(option::client_subnet, data);
}

inline message operator+(message a, const message& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline message bytes_of(const question& asked) {
  message bytes{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<uint8_t>(asked.edns ? 1 : 0)};
  for (size_t at = 0; at < asked.name.size();) {
    const auto dot = std::min(asked.name.find('.', at), asked.name.size());
    bytes.push_back(static_cast<uint8_t>(dot - at));
    bytes.insert(bytes.end(), asked.name.begin() + static_cast<std::ptrdiff_t>(at),
                 asked.name.begin() + static_cast<std::ptrdiff_t>(dot));
    at = dot + 1;
  }
  bytes.push_back(0);
  append_u16(bytes, asked.qtype);
  append_u16(bytes, asked.qclass);
  if (!asked.edns)
    return bytes;
  bytes.push_back(0);
  append_u16(bytes, type::opt);
  append_u16(bytes, asked.payload);
  append_u16(bytes, asked.version); // extended code 0
  append_u16(bytes, 0);
  append_u16(bytes, asked.options.size());
  return bytes + asked.options;
}

using packet = std::unique_ptr<ldns_pkt, freed_by<ldns_pkt_free>>;

/// What ldns makes of a message; null when it refuses it.
inline packet parse(const message& bytes) {
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, bytes.data(), bytes.size()) != LDNS_STATUS_OK)
    return nullptr;
  return packet(parsed);
}

/// The data of the records of a section, as text: "192.0.2.1", "1 eu.g.example. port=80".
inline std::vector<std::string> records(ldns_rr_list* list) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const auto* record = ldns_rr_list_rr(list, i);
    std::string line;
    for (size_t field = 0; field < ldns_rr_rd_count(record); ++field) {
      char* text = ldns_rdf2str(ldns_rr_rdf(record, field));
      line += (line.empty() ? "" : " ") + std::string(text != nullptr ? text : "?");
      std::free(text);
    }
    lines.push_back(line);
  }
  return lines;
}

inline std::vector<std::string> answers(const packet& from) {
  return records(ldns_pkt_answer(from.get()));
}
inline std::vector<std::string> authorities(const packet& from) {
  return records(ldns_pkt_authority(from.get()));
}

/// The data of the first EDNS option with this code; nothing when there is none.
inline std::optional<message> option_of(const packet& from, uint16_t code) {
  const auto* options = ldns_pkt_edns_data(from.get());
  if (options == nullptr)
    return std::nullopt;
  const auto* data = ldns_rdf_data(options);
  for (size_t at = 0; at + 4 <= ldns_rdf_size(options);) {
    const size_t size = static_cast<size_t>(data[at + 2]) << 8 | data[at + 3];
    if ((data[at] << 8 | data[at + 1]) == code)
      return message(data + at + 4, data + at + 4 + size);
    at += 4 + size;
  }
  return std::nullopt;
}

} // namespace gnomon::dns::test
