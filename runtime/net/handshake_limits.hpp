#pragma once

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <map>

namespace gnomon {

/// An IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5.2) as what it is; others stay.
boost::asio::ip::address plain_form(const boost::asio::ip::address& who);

/// How many callers may be at their greeting at once, from one place and in all. A place is an IPv4 address, or the /64
/// of an IPv6 one, since whoever has one address there has them all. Not thread-safe.
class handshake_limits {
public:
  using time_point = std::chrono::steady_clock::time_point;
  handshake_limits(size_t all, size_t each) : all_(all), each_(each) {}
  /// False when there are too many; then `leave` must not be called.
  bool enter(const boost::asio::ip::address& from, time_point now);
  /// The same for a proxy, which speaks for many places.
  bool enter_for_many(const boost::asio::ip::address& proxy, time_point now);
  /// It counts until then.
  void leave(const boost::asio::ip::address& from, time_point when);
  size_t under_way() const {
    return count_;
  }

private:
  bool enter(const boost::asio::ip::address& from, time_point now, size_t most);
  void forget(const boost::asio::ip::address& place);

  size_t all_;
  size_t each_;
  size_t count_ = 0;
  std::map<boost::asio::ip::address, size_t> by_place_;
  std::multimap<time_point, boost::asio::ip::address> leaving_;
};

} // namespace gnomon
