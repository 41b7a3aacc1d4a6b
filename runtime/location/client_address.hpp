#pragma once

#include "runtime/base/ip_address.hpp"

#include <string_view>
#include <vector>

namespace gnomon {

/// The headers in which proxies name who asked them. A header that occurs several times is given as one text, its
/// values joined by ", " in their order (RFC 9110, 5.3). Empty: absent.
struct forwarding_headers {
  std::string_view x_forwarded_for;
  std::string_view forwarded; // RFC 7239
};

/// The address of the client behind `peer`, who opened the connection. Walks from the right, because each proxy appends
/// the one that asked it: as long as the address so far is a trusted proxy, the next entry to the left is who asked it.
/// Anyone can write what stands further left, so the walk ends at the first address that is not trusted. An entry that
/// names no address ("unknown", "_hidden", nonsense) ends it as well; the answer is then the nearest address that is
/// known. A header whose quotes do not match is not believed. Nor are two headers that disagree: a proxy writes one of
/// them, and passes on what the client wrote into the other. Never fails, whatever the headers hold. Pure.
ip_address client_address(const ip_address& peer, const forwarding_headers& headers,
                          const std::vector<ip_prefix>& trusted_proxies);

} // namespace gnomon
