#include "runtime/dns/answers.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::dns {

namespace {

constexpr size_t most_services = 3;
constexpr size_t most_addresses = 8;

// SvcParamKeys (RFC 9460, section 14.3.2).
enum : uint16_t { key_port = 3, key_ipv4hint = 4, key_ipv6hint = 6 };

template <class address>
void hint(writer& out, uint16_t key, const std::vector<address>& addresses) {
  if (addresses.empty())
    return;
  const auto count = std::min(addresses.size(), most_addresses);
  out.u16(key);
  out.u16(static_cast<uint16_t>(count * sizeof(address)));
  for (size_t i = 0; i < count; ++i)
    out.bytes(addresses[i]);
}

size_t name_size(std::string_view value) {
  size_t at = 0;
  while (value[at] != 0)
    at += 1 + static_cast<uint8_t>(value[at]);
  return at + 1;
}

std::string names_of(region_set set, const region_order& order, const snapshot& now) {
  std::string text;
  for (const auto id : order)
    if (has(set, id))
      text += fmt::format("{}{}{}", text.empty() ? "" : ",", now.table->regions[id].name,
                          has(now.live, id) ? "" : "(down)");
  return text.empty() ? "none" : text;
}

} // namespace

// The owner is the question's name from that label on.
void record_writer::head(uint16_t qtype, uint32_t ttl, size_t label) {
  const size_t at = header_size + (label < asked_.label_count ? asked_.labels[label] : 0u);
  out_.u16(static_cast<uint16_t>(0xc000 | at));
  out_.u16(qtype);
  out_.u16(class_in);
  out_.u32(ttl);
}

uint16_t record_writer::addresses(const choice& chosen, const snapshot& now, uint16_t qtype, uint32_t ttl) {
  const auto write_all = [&](const auto& addresses) {
    const auto count = std::min(addresses.size(), most_addresses);
    for (size_t i = 0; i < count; ++i) {
      head(qtype, ttl, 0);
      out_.u16(static_cast<uint16_t>(addresses[i].size()));
      out_.bytes(addresses[i]);
    }
    return static_cast<uint16_t>(count);
  };
  for (const auto id : chosen.order) {
    const auto& where = now.table->regions[id];
    const auto count = qtype == type::a ? write_all(where.ipv4) : write_all(where.ipv6);
    if (count != 0)
      return count;
  }
  return 0;
}

uint16_t record_writer::services(const choice& chosen, const snapshot& now, uint16_t qtype, uint32_t ttl, bool hints) {
  uint16_t priority = 0;
  for (const auto id : chosen.order) {
    if (priority == most_services)
      break;
    head(qtype, ttl, 0);
    const auto length_at = out_.size();
    out_.u16(0);
    service(++priority, now.table->regions[id], hints);
    out_.close_length(length_at);
  }
  return priority;
}

// The target must not be compressed (RFC 9460, section 2.2). At a region's own name it is ".", the owner itself.
void record_writer::service(uint16_t priority, const region& where, bool hints) {
  out_.u16(priority);
  if (what_.what == target::kind::region) {
    out_.u8(0);
  } else {
    out_.u8(static_cast<uint8_t>(where.name.size()));
    out_.text(where.name);
    out_.text(what_.in->name());
  }
  out_.u16(key_port);
  out_.u16(2);
  out_.u16(where.http_port);
  if (hints) {
    hint(out_, key_ipv4hint, where.ipv4);
    hint(out_, key_ipv6hint, where.ipv6);
  }
}

void record_writer::text(std::string_view one) {
  constexpr size_t most = 255;
  one = one.substr(0, most);
  out_.u8(static_cast<uint8_t>(one.size()));
  out_.text(one);
}

uint16_t record_writer::explanation(const choice& chosen, const snapshot& now, const ip_prefix& client, bool by_subnet,
                                    uint32_t ttl) {
  head(type::txt, ttl, 0);
  const auto length_at = out_.size();
  out_.u16(0);
  text(fmt::format("for {} by {}", by_subnet ? to_string(client) : to_string(client.address),
                   by_subnet ? "client subnet" : "resolver address"));
  text(fmt::format("regions {}", names_of(now.all, chosen.order, now)));
  if (chosen.last_resort)
    text("none of them is live");
  out_.close_length(length_at);
  return 1;
}

// A name inside the zone ends with a pointer to the zone's name in the question.
void record_writer::name_in_zone(std::string_view name) {
  const std::string_view zone_name = what_.in->name();
  size_t at = 0;
  while (name.size() - at > zone_name.size())
    at += 1 + static_cast<uint8_t>(name[at]);
  if (name.substr(at) != zone_name) {
    out_.text(name);
    return;
  }
  out_.text(name.substr(0, at));
  out_.u16(static_cast<uint16_t>(0xc000 | (header_size + asked_.labels[what_.zone_label])));
}

// Only the types of RFC 1035 may have compressed names (RFC 3597, section 4).
void record_writer::data(uint16_t qtype, std::string_view value) {
  const auto length_at = out_.size();
  out_.u16(0);
  if (qtype == type::ns || qtype == type::cname) {
    name_in_zone(value);
  } else if (qtype == type::soa) {
    const auto mailbox = name_size(value);
    const auto numbers = value.size() - 20;
    name_in_zone(value.substr(0, mailbox));
    name_in_zone(value.substr(mailbox, numbers - mailbox));
    out_.text(value.substr(numbers));
  } else {
    out_.text(value);
  }
  out_.close_length(length_at);
}

uint16_t record_writer::written(const record_set& records) {
  for (const auto& value : records.values) {
    head(records.type, records.ttl, 0);
    data(records.type, value);
  }
  return static_cast<uint16_t>(records.values.size());
}

uint16_t record_writer::minimal_any(uint32_t ttl) {
  constexpr std::string_view processor = "RFC8482";
  head(type::hinfo, ttl, 0);
  out_.u16(static_cast<uint16_t>(processor.size() + 2));
  text(processor);
  text("");
  return 1;
}

uint16_t record_writer::negative_soa(uint32_t most_seconds) {
  const auto& soa = what_.in->soa();
  head(type::soa, std::min(most_seconds, what_.in->negative_ttl()), what_.zone_label);
  data(type::soa, soa.values.front());
  return 1;
}

} // namespace gnomon::dns
