#include "runtime/dns/responder.hpp"

#include <algorithm>
#include <chrono>

namespace gnomon::dns {

namespace {

constexpr size_t opt_fixed = 11;
constexpr size_t option_head = 4;
constexpr size_t most_nsid = 64;
constexpr uint16_t high_bit_of_error = 16;

// 128 to 255 are questions for something else than records of a name (RFC 6895, section 3.1).
constexpr bool is_meta_type(uint16_t qtype) {
  return qtype >= 128 && qtype < type::any;
}

const record_set* written_of(const target& what, uint16_t wanted) {
  if (what.written == nullptr)
    return nullptr;
  for (const auto& set : *what.written)
    if (set.type == wanted || set.type == type::cname)
      return &set;
  return nullptr;
}

} // namespace

// One answer while it is made.
struct responder::reply {
  reply(std::span<uint8_t> buffer, const snapshot& moment, counters& tallies)
      : out(buffer, buffer.size()), now(moment), count(tallies) {}

  writer out;
  const snapshot& now;
  counters& count;
  query asked;
  sender from;
  edns_options options;
  bool cookie_valid = false;

  uint16_t code = rcode::noerror;
  bool authoritative = false;
  bool truncated = false;
  std::optional<extended_error> error;
  uint16_t answers = 0;
  uint16_t authorities = 0;

  target what;
  ip_prefix client; // whom the answer is for
  bool by_subnet = false;
  uint8_t scope = 0;
};

responder::responder(responder_config config, std::vector<zone> zones, const item_directory& items,
                     const published<region_table>& regions, ranking rank)
    : config_(std::move(config)), zones_(std::move(zones)), items_(items), regions_(regions), rank_(std::move(rank)),
      limit_(config_.rate) {
  config_.udp_bytes = std::clamp<size_t>(config_.udp_bytes, 512, 4096);
  config_.amplification = std::max<size_t>(config_.amplification, 2); // less would not hold the OPT record
  config_.nsid.resize(std::min(config_.nsid.size(), most_nsid));
}

snapshot responder::look() const {
  using namespace std::chrono;
  const auto now = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  const auto now_us = duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
  return snapshot::of(regions_.get(), static_cast<uint32_t>(now), static_cast<uint64_t>(now_us));
}

size_t responder::answer(bytes_view message, const sender& from, const snapshot& now, std::span<uint8_t> out,
                         counters& count) {
  if (out.size() < header_size)
    return 0;
  reply to(out, now, count);
  if (!prepare(to, message, from)) {
    count.ignored.add();
    return 0;
  }
  if (!from.tcp && !to.cookie_valid && held_back(to))
    return 0;
  if (to.code == rcode::noerror && !to.truncated)
    decide(to);
  write_header(to);
  if (to.code == rcode::noerror || to.code == rcode::nxdomain)
    fill(to);
  return finish(to);
}

// Reads the message and sets how much may be said. False: say nothing.
bool responder::prepare(reply& to, bytes_view message, const sender& from) {
  const auto read = parse_query(message, to.asked);
  if (read == reading::silence)
    return false;
  to.from = from;
  auto most = from.tcp ? size_t{65535} : size_t{512};
  if (read != reading::good) {
    to.code = read == reading::no_query ? rcode::notimp : rcode::formerr;
  } else if (to.asked.opt) {
    if (!from.tcp)
      most = std::min<size_t>(config_.udp_bytes, std::max<size_t>(512, to.asked.opt->payload));
    const auto options = read_options(to.asked.opt->options);
    if (to.asked.opt->version != 0)
      to.code = rcode::badvers;
    else if (!options)
      to.code = rcode::formerr;
    else
      to.options = *options;
    to.cookie_valid = to.options.cookie && cookies_.valid(*to.options.cookie, from.address, to.now.now);
  }
  if (!from.tcp && !to.cookie_valid)
    most = std::min(most, message.size() * config_.amplification);
  to.out.set_limit(most);
  return true;
}

// Of clients whose address may be forged only so many are answered.
bool responder::held_back(reply& to) {
  const auto judged = limit_.ask(to.from.address, to.now.now_us);
  if (judged == verdict::send)
    return false;
  to.count.limited.add();
  to.truncated = judged == verdict::truncate && to.code == rcode::noerror;
  return !to.truncated;
}

void responder::refuse(reply& to, uint16_t code, extended_error why) {
  to.code = code;
  to.error = why;
}

// What kind of answer it will be: code, authority, and for whom.
void responder::decide(reply& to) {
  const auto qtype = to.asked.qtype;
  if (to.asked.qclass != class_in)
    return refuse(to, rcode::refused, extended_error::not_supported);
  if (qtype == type::opt)
    return refuse(to, rcode::formerr, extended_error::other);
  if (is_meta_type(qtype))
    return refuse(to, rcode::refused, extended_error::prohibited);
  to.what = find_target(to.asked, zones_, items_, to.now);
  if (to.what.in == nullptr)
    return refuse(to, rcode::refused, extended_error::not_authoritative);
  to.authoritative = true;
  const auto& subnet = to.options.subnet;
  to.by_subnet = subnet && subnet->bits() != 0;
  to.client = to.by_subnet ? subnet->client : ip_prefix{to.from.address, to.from.address.width()};
  if (to.what.exists())
    return;
  if (to.what.unknown_item && !to.now.table->items_known)
    return refuse(to, rcode::servfail, extended_error::not_ready);
  to.code = rcode::nxdomain;
}

// Answers, or the SOA that says for how long there are none. Hints go first when it gets too long, then everything.
void responder::fill(reply& to) {
  const auto begin = to.out.size();
  const auto reserved = optional_size(to);
  const auto whole = to.out.room();
  if (to.truncated || reserved > whole) {
    to.truncated = true;
    return;
  }
  const auto limit = begin + whole;
  to.out.set_limit(limit - reserved);
  for (const auto hints : {true, false}) {
    to.out.rewind(begin);
    to.answers = to.code == rcode::noerror ? fill_answers(to, hints) : uint16_t{0};
    if (!to.out.full())
      break;
  }
  if (to.answers == 0 && !to.out.full() && (to.code == rcode::noerror || to.code == rcode::nxdomain)) {
    record_writer records(to.out, to.asked, to.what);
    to.authorities = records.negative_soa(config_.answers.negative_ttl_seconds);
  }
  if (to.out.full()) {
    to.out.rewind(begin);
    to.answers = to.authorities = 0;
    to.truncated = true;
  }
  to.out.set_limit(limit);
}

uint16_t responder::fill_answers(reply& to, bool hints) {
  record_writer records(to.out, to.asked, to.what);
  if (to.asked.qtype == type::any)
    return records.minimal_any(config_.answers.ttl_max_seconds);
  if (is_regional(to))
    if (const auto count = fill_regional(to, hints); count != 0 || to.code != rcode::noerror)
      return count;
  const auto* written = written_of(to.what, to.asked.qtype);
  return written != nullptr ? records.written(*written) : uint16_t{0};
}

// Whether the answer comes from the regions and not from the zone file.
bool responder::is_regional(const reply& to) const {
  using kind = target::kind;
  const auto of = to.what.what;
  const auto has_addresses = of == kind::service || of == kind::item || of == kind::region;
  switch (to.asked.qtype) {
  case type::a:
  case type::aaaa:
  case type::svcb:
    return has_addresses;
  case type::https:
    return has_addresses && config_.answers.https_records;
  case type::txt:
    return (of == kind::service_why || of == kind::item) && config_.answers.explain;
  default:
    return false;
  }
}

// The regions to be named, and the prefix for which this holds.
std::pair<choice, uint8_t> responder::choose_regions(const reply& to) const {
  if (to.what.what != target::kind::region) {
    const auto nearest = rank_(to.client);
    return {choose(to.what, nearest.order, to.now), nearest.scope};
  }
  choice itself;
  itself.order.add(to.what.at);
  return {itself, 0};
}

uint16_t responder::fill_regional(reply& to, bool hints) {
  const auto [chosen, scope] = choose_regions(to);
  if (chosen.order.count == 0) {
    refuse(to, rcode::servfail, extended_error::not_ready);
    return 0;
  }
  const auto qtype = to.asked.qtype;
  const auto ttl = ttl_of(to.what, chosen, to.now, config_.answers);
  record_writer records(to.out, to.asked, to.what);
  const auto count = qtype == type::txt ? records.explanation(chosen, to.now, to.client, to.by_subnet, ttl)
                     : qtype == type::a || qtype == type::aaaa ? records.addresses(chosen, to.now, qtype, ttl)
                                                               : records.services(chosen, to.now, qtype, ttl, hints);
  to.scope = count != 0 && to.by_subnet ? static_cast<uint8_t>(scope + to.options.subnet->unseen) : 0;
  if (count != 0 && chosen.last_resort)
    to.error = extended_error::stale_answer;
  return count;
}

void responder::write_header(reply& to) {
  to.out.u16(to.asked.id);
  to.out.u32(0);
  to.out.u32(0);
  to.out.u16(0);
  to.out.bytes(to.asked.question);
}

// Room for the OPT record with what must be in it. NSID and extended error go in when there is room left.
size_t responder::optional_size(const reply& to) const {
  if (!to.asked.opt)
    return 0;
  auto size = opt_fixed;
  if (to.options.cookie)
    size += option_head + to.options.cookie->client.size() + sizeof(server_cookie);
  if (to.options.subnet)
    size += option_head + to.options.subnet->sent.size();
  return size;
}

void responder::write_opt(reply& to) {
  auto& out = to.out;
  out.u8(0);
  out.u16(type::opt);
  out.u16(static_cast<uint16_t>(config_.udp_bytes));
  out.u16(static_cast<uint16_t>(to.code / high_bit_of_error << 8)); // extended code, version 0
  out.u16(to.asked.opt->dnssec_ok ? 0x8000 : 0);
  const auto length_at = out.size();
  out.u16(0);
  if (const auto& subnet = to.options.subnet) {
    out.u16(option::client_subnet);
    out.u16(static_cast<uint16_t>(subnet->sent.size()));
    out.bytes(subnet->sent.first(3));
    out.u8(to.truncated ? 0 : to.scope);
    out.bytes(subnet->sent.subspan(4));
  }
  if (const auto& cookie = to.options.cookie) {
    out.u16(option::cookie);
    out.u16(static_cast<uint16_t>(cookie->client.size() + sizeof(server_cookie)));
    out.bytes(cookie->client);
    out.bytes(cookies_.make(cookie->client, to.from.address, to.now.now));
  }
  if (to.error && out.room() >= option_head + 2) {
    out.u16(option::extended_error);
    out.u16(2);
    out.u16(static_cast<uint16_t>(*to.error));
  }
  if (to.options.nsid && !config_.nsid.empty() && out.room() >= option_head + config_.nsid.size()) {
    out.u16(option::nsid);
    out.u16(static_cast<uint16_t>(config_.nsid.size()));
    out.text(config_.nsid);
  }
  out.close_length(length_at);
}

size_t responder::finish(reply& to) {
  const auto& asked = to.asked;
  if (asked.opt)
    write_opt(to);
  if (to.out.full())
    return 0;
  const auto flags = 0x8000 | asked.opcode << 11 | (to.authoritative ? 0x0400 : 0) | (to.truncated ? 0x0200 : 0)
                     | (asked.recursion_desired ? 0x0100 : 0) | (asked.checking_disabled ? 0x0010 : 0) | (to.code & 15);
  to.out.put_u16(2, static_cast<uint16_t>(flags));
  to.out.put_u16(4, asked.question.empty() ? 0 : 1);
  to.out.put_u16(6, to.answers);
  to.out.put_u16(8, to.authorities);
  to.out.put_u16(10, asked.opt ? 1 : 0);

  auto& count = to.count;
  count.answers[std::min<size_t>(to.code, counted_rcodes - 1)].add();
  if (!asked.question.empty())
    count.queries[static_cast<size_t>(counted_as(asked.qtype))].add();
  count.tcp.add(to.from.tcp ? 1 : 0);
  count.subnets.add(to.options.subnet ? 1 : 0);
  count.cookies.add(to.cookie_valid ? 1 : 0);
  count.truncated.add(to.truncated ? 1 : 0);
  count.last_resort.add(to.error == extended_error::stale_answer ? 1 : 0);
  count.malformed.add(to.code == rcode::formerr ? 1 : 0);
  return to.out.size();
}

} // namespace gnomon::dns
