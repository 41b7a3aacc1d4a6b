#pragma once

#include "runtime/base/ip_address.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace gnomon::http {

/// How many connections each client has. A client is an IPv4 address, or the /64 of an IPv6 one, since whoever has one
/// address there has them all. Thread-safe; must outlive its places.
class client_places {
public:
  struct giver_back {
    ip_address client;
    void operator()(client_places* all) const {
      all->leave(client);
    }
  };
  /// Counts until it goes.
  using place = std::unique_ptr<client_places, giver_back>;
  struct entry {
    place held; // null: the client is not even to be told that it has too many
    bool full;
  };

  /// `most` for each client, except for those in `proxies`, which speak for many.
  client_places(uint32_t most, std::vector<ip_prefix> proxies) : most_(most), proxies_(std::move(proxies)) {}

  /// `to_tell`: so many more get a place, `full`.
  entry enter(const ip_address& from, uint32_t to_tell);

private:
  void leave(const ip_address& client);

  const uint32_t most_;
  const std::vector<ip_prefix> proxies_;
  std::mutex guard_;
  std::map<ip_address, uint32_t> counts_;
};

} // namespace gnomon::http
