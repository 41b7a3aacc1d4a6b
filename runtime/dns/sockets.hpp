#pragma once

#include "runtime/base/host_port.hpp"
#include "runtime/base/ip_address.hpp"

#include <sys/socket.h>

#include <optional>
#include <utility>

namespace gnomon::dns {

/// An open file descriptor, closed with its owner.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor();

  int get() const {
    return number_;
  }

private:
  int number_ = -1;
};

/// A UDP socket at that numeric address, which others of this process may share (SO_REUSEPORT). A receive waits at most
/// 250 ms. Port 0: any. Throws failure(bad_config) for a host that is no address, failure(unavailable) when the kernel
/// refuses.
descriptor open_udp(const host_port& where);

/// A TCP socket that listens there and does not block. Two processes cannot both have one, so it also keeps a second
/// server away from the first one's UDP port.
descriptor open_tcp(const host_port& where);

/// The address in a socket address; nothing for families other than IPv4 and IPv6.
std::optional<ip_address> address_of(const sockaddr& from);

/// Where the socket is bound.
host_port bound_to(const descriptor& socket);

/// Whether the socket receives for all of the machine's addresses, so that each answer must say from which one it goes.
bool is_wildcard(const descriptor& socket);

} // namespace gnomon::dns
