#include "runtime/dns/counters.hpp"

#include "runtime/dns/query.hpp"

namespace gnomon::dns {

void add_to(counter_sums& sums, const counters& counted) {
  for (size_t i = 0; i < counted_types; ++i)
    sums.queries[i] += counted.queries[i].get();
  for (size_t i = 0; i < counted_rcodes; ++i)
    sums.answers[i] += counted.answers[i].get();
  sums.tcp += counted.tcp.get();
  sums.subnets += counted.subnets.get();
  sums.cookies += counted.cookies.get();
  sums.truncated += counted.truncated.get();
  sums.limited += counted.limited.get();
  sums.malformed += counted.malformed.get();
  sums.ignored += counted.ignored.get();
  sums.last_resort += counted.last_resort.get();
  sums.send_failed += counted.send_failed.get();
}

counted_type counted_as(uint16_t qtype) {
  switch (qtype) {
  case type::a:
    return counted_type::a;
  case type::aaaa:
    return counted_type::aaaa;
  case type::https:
    return counted_type::https;
  case type::svcb:
    return counted_type::svcb;
  case type::txt:
    return counted_type::txt;
  case type::soa:
    return counted_type::soa;
  case type::ns:
    return counted_type::ns;
  case type::any:
    return counted_type::any;
  default:
    return counted_type::other;
  }
}

} // namespace gnomon::dns
