#include "runtime/dns/query.hpp"

#include <algorithm>

namespace gnomon::dns {

namespace {

uint16_t u16(bytes_view bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// The position behind the name; 0 when the name is compressed, too long or cut off.
size_t read_name(bytes_view message, query& out) {
  size_t from = header_size;
  size_t to = 0;
  for (;;) {
    if (from >= message.size())
      return 0;
    const size_t length = message[from];
    if (length > max_label_size || to + 1 + length > max_name_size || from + 1 + length > message.size())
      return 0;
    if (length != 0)
      out.labels[out.label_count++] = static_cast<uint8_t>(to);
    out.name[to] = static_cast<uint8_t>(length);
    for (size_t i = 1; i <= length; ++i)
      out.name[to + i] = lower(message[from + i]);
    from += 1 + length;
    to += 1 + length;
    if (length == 0)
      break;
  }
  out.name_size = static_cast<uint8_t>(to);
  return from;
}

size_t read_question(bytes_view message, query& out) {
  const auto at = read_name(message, out);
  if (at == 0 || at + 4 > message.size())
    return 0;
  out.qtype = u16(message, at);
  out.qclass = u16(message, at + 2);
  out.question = message.subspan(header_size, at + 4 - header_size);
  return at + 4;
}

// The position behind the record; 0 when it is no OPT.
size_t read_opt(bytes_view message, size_t at, query& out) {
  constexpr size_t fixed = 11; // root name, type, class, ttl, length
  if (at + fixed > message.size() || message[at] != 0 || u16(message, at + 1) != type::opt)
    return 0;
  const size_t size = u16(message, at + 9);
  if (at + fixed + size > message.size())
    return 0;
  out.opt = opt_record{.payload = u16(message, at + 3),
                       .version = message[at + 6],
                       .dnssec_ok = (message[at + 7] & 0x80) != 0,
                       .options = message.subspan(at + fixed, size)};
  return at + fixed + size;
}

} // namespace

std::string_view query::from_label(size_t first) const {
  const size_t at = first < label_count ? labels[first] : name_size - 1u;
  return {reinterpret_cast<const char*>(name.data()) + at, name_size - at};
}

reading parse_query(bytes_view message, query& out) {
  if (message.size() < header_size || (message[2] & 0x80) != 0)
    return reading::silence;
  out.id = u16(message, 0);
  out.opcode = message[2] >> 3 & 15;
  out.recursion_desired = (message[2] & 1) != 0;
  out.checking_disabled = (message[3] & 0x10) != 0;
  const auto additional = u16(message, 10);
  const auto counted = u16(message, 4) == 1 && u16(message, 6) == 0 && u16(message, 8) == 0 && additional <= 1;
  auto at = counted ? read_question(message, out) : 0;
  if (at != 0 && additional == 1)
    at = read_opt(message, at, out);
  const auto good = at == message.size();
  if (!good) {
    out.question = {};
    out.opt.reset();
  }
  return out.opcode != opcode_query ? reading::no_query : good ? reading::good : reading::malformed;
}

} // namespace gnomon::dns
