#include "runtime/base/freed_by.hpp"
#include "runtime/replay/dns_client.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <arpa/inet.h>

namespace gnomon::replay {

namespace {

constexpr auto svcb = static_cast<ldns_rr_type>(64);
constexpr uint16_t client_subnet = 8; // RFC 7871
constexpr uint16_t key_port = 3;      // RFC 9460, section 14.3.2
constexpr uint16_t key_ipv4hint = 4;
constexpr uint16_t udp_bytes = 1232;

using owned_packet = std::unique_ptr<ldns_pkt, freed_by<ldns_pkt_free>>;
using owned_name = std::unique_ptr<ldns_rdf, freed_by<ldns_rdf_deep_free>>;
using owned_text = std::unique_ptr<char, freed_by<std::free>>;

uint16_t number_at(const uint8_t* data) {
  return static_cast<uint16_t>(data[0] << 8 | data[1]);
}

ldns_rr_type type_of(const dns_question& question) {
  return question.services ? svcb : LDNS_RR_TYPE_A;
}

std::optional<std::vector<uint8_t>> subnet_option(const dns_question& question) {
  std::array<uint8_t, 4> address{};
  if (inet_pton(AF_INET, question.client_network.c_str(), address.data()) != 1 || question.client_bits > 32)
    return std::nullopt;
  auto bytes = static_cast<uint8_t>((question.client_bits + 7) / 8);
  std::vector<uint8_t> option{0, client_subnet, 0, static_cast<uint8_t>(4 + bytes), 0, 1, question.client_bits, 0};
  option.insert(option.end(), address.begin(), address.begin() + bytes);
  return option;
}

std::string text_of(const ldns_rdf* name) {
  owned_text text{ldns_rdf2str(name)};
  std::string result = text ? text.get() : "";
  if (result.ends_with('.'))
    result.pop_back();
  return result;
}

/// Port and address from the parameters of a service record.
void read_parameters(const uint8_t* data, size_t size, service_record& into) {
  for (size_t at = 0; at + 4 <= size;) {
    auto key = number_at(data + at);
    size_t length = number_at(data + at + 2);
    at += 4;
    if (length > size - at)
      return;
    if (key == key_port && length == 2)
      into.port = number_at(data + at);
    std::array<char, INET_ADDRSTRLEN> text{};
    if (key == key_ipv4hint && length >= 4 && inet_ntop(AF_INET, data + at, text.data(), text.size()) != nullptr)
      into.address = text.data();
    at += length;
  }
}

/// Nothing for an alias (priority 0) and for a record that is not whole.
std::optional<service_record> read_service(const ldns_rr& record, const std::string& owner) {
  if (ldns_rr_rd_count(&record) < 2)
    return std::nullopt;
  service_record service;
  service.priority = ldns_rdf2native_int16(ldns_rr_rdf(&record, 0));
  service.host = text_of(ldns_rr_rdf(&record, 1));
  if (service.host.empty()) // "." is the owner itself
    service.host = owner;
  if (ldns_rr_rd_count(&record) > 2) {
    const auto* parameters = ldns_rr_rdf(&record, 2);
    read_parameters(ldns_rdf_data(parameters), ldns_rdf_size(parameters), service);
  }
  return service.priority == 0 ? std::nullopt : std::optional{service};
}

/// For how long nothing is known to be there: the SOA's own TTL, but at most its minimum.
uint32_t ttl_of_nothing(const ldns_pkt& packet) {
  const auto* authority = ldns_pkt_authority(&packet);
  for (size_t i = 0; i < ldns_rr_list_rr_count(authority); ++i)
    if (const auto* soa = ldns_rr_list_rr(authority, i);
        ldns_rr_get_type(soa) == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(soa) == 7)
      return std::min(ldns_rr_ttl(soa), ldns_rdf2native_int32(ldns_rr_rdf(soa, 6)));
  return 0;
}

bool is_for(const ldns_pkt& packet, const dns_question& question) {
  const auto* asked = ldns_pkt_question(&packet);
  if (ldns_rr_list_rr_count(asked) != 1 || ldns_rr_get_type(ldns_rr_list_rr(asked, 0)) != type_of(question))
    return false;
  owned_name name{ldns_dname_new_frm_str(question.name.c_str())};
  return name && ldns_dname_compare(ldns_rr_owner(ldns_rr_list_rr(asked, 0)), name.get()) == 0;
}

void read_records(const ldns_pkt& packet, const dns_question& question, dns_answer& into) {
  std::optional<uint32_t> ttl;
  const auto* records = ldns_pkt_answer(&packet);
  for (size_t i = 0; i < ldns_rr_list_rr_count(records); ++i) {
    const auto* record = ldns_rr_list_rr(records, i);
    if (ldns_rr_get_type(record) != type_of(question))
      continue;
    ttl = std::min(ttl.value_or(UINT32_MAX), ldns_rr_ttl(record));
    if (!question.services)
      into.addresses.push_back(text_of(ldns_rr_rdf(record, 0)));
    else if (auto service = read_service(*record, question.name))
      into.services.push_back(std::move(*service));
  }
  std::stable_sort(into.services.begin(), into.services.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  into.ttl = std::chrono::seconds{ttl ? *ttl : ttl_of_nothing(packet)};
}

} // namespace

expected<std::vector<uint8_t>> dns_message(const dns_question& question, uint16_t id) {
  owned_name name{ldns_dname_new_frm_str(question.name.c_str())};
  auto option = subnet_option(question);
  if (!name || !option)
    return make_error(ec::invalid_argument, "cannot ask for " + question.name + " for " + question.client_network);
  owned_packet packet{ldns_pkt_query_new(name.release(), type_of(question), LDNS_RR_CLASS_IN, LDNS_RD)};
  uint8_t* wire = nullptr;
  size_t size = 0;
  if (packet) {
    ldns_pkt_set_id(packet.get(), id);
    ldns_pkt_set_edns_udp_size(packet.get(), udp_bytes);
    ldns_pkt_set_edns_data(packet.get(), ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NONE, option->size(), option->data()));
  }
  if (!packet || ldns_pkt2wire(&wire, packet.get(), &size) != LDNS_STATUS_OK)
    return make_error(ec::invalid_argument, "cannot make a question for " + question.name);
  std::vector<uint8_t> bytes(wire, wire + size);
  std::free(wire);
  return bytes;
}

expected<dns_answer> read_dns_answer(const uint8_t* bytes, size_t size, uint16_t id, const dns_question& question) {
  ldns_pkt* parsed = nullptr;
  auto status = ldns_wire2pkt(&parsed, bytes, size);
  owned_packet packet{status == LDNS_STATUS_OK ? parsed : nullptr};
  if (!packet || ldns_pkt_id(packet.get()) != id || !ldns_pkt_qr(packet.get()) || !is_for(*packet, question))
    return make_error(ec::bad_message, "what came back is no answer to the question for " + question.name);
  if (ldns_pkt_tc(packet.get()))
    return make_error(ec::bad_message, "the answer for " + question.name + " is truncated");
  auto code = ldns_pkt_get_rcode(packet.get());
  if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN) {
    owned_text text{ldns_pkt_rcode2str(code)};
    return make_error(ec::unavailable,
                      "the resolver answers " + std::string{text ? text.get() : "an error"} + " for " + question.name);
  }
  dns_answer answer;
  answer.exists = code == LDNS_RCODE_NOERROR;
  read_records(*packet, question, answer);
  return answer;
}

} // namespace gnomon::replay
