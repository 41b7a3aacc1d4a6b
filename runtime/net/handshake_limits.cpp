#include "runtime/net/handshake_limits.hpp"

#include <algorithm>

namespace gnomon {

using boost::asio::ip::address;

namespace {

address place_of(const address& who) {
  const auto plain = plain_form(who);
  if (plain.is_v4())
    return plain;
  auto bytes = plain.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6{bytes};
}

} // namespace

address plain_form(const address& who) {
  if (who.is_v6() && who.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, who.to_v6());
  return who;
}

bool handshake_limits::enter(const address& from, time_point now) {
  return enter(from, now, each_);
}

bool handshake_limits::enter_for_many(const address& proxy, time_point now) {
  return enter(proxy, now, all_);
}

bool handshake_limits::enter(const address& from, time_point now, size_t most) {
  while (!leaving_.empty() && leaving_.begin()->first <= now)
    forget(leaving_.extract(leaving_.begin()).mapped());
  const auto place = place_of(from);
  if (const auto here = by_place_.find(place); count_ >= all_ || (here != by_place_.end() && here->second >= most))
    return false;
  ++by_place_[place];
  ++count_;
  return true;
}

void handshake_limits::leave(const address& from, time_point when) {
  leaving_.emplace(when, place_of(from));
}

void handshake_limits::forget(const address& place) {
  const auto here = by_place_.find(place);
  --count_;
  if (--here->second == 0)
    by_place_.erase(here);
}

} // namespace gnomon
