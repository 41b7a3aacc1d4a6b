#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/base/ip_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gnomon::http {

/// Sees to readers for whom another region is the nearest one. Geo-DNS or a redirect sends them here, because the
/// nearest copy is here. A read leaves a shadow where its reader is: so their region is invited to take a copy, as if
/// it had served the read itself, and the next reader is sent there. For one thread.
class readers_elsewhere {
public:
  explicit readers_elsewhere(context_ptr node) : node_(std::move(node)) {}

  /// This node has answered a client at that address. Where the answer came from a copy that is here, it sends at most
  /// one invitation for an item and a region in ten seconds. It sends none when `placement.shadow_on_read` is off, or
  /// when a rule keeps the item away from there.
  void note(const item_versions& read, const std::optional<ip_address>& client);

private:
  struct home {
    int64_t known_ms = 0;
    std::string node; // empty: this one
  };
  struct hash {
    size_t operator()(const ip_address& address) const;
  };

  const std::string& home_of(const ip_address& client, int64_t now_ms);
  std::string find_home(const ip_address& client) const;
  bool is_due(const std::string& id, const std::string& node, int64_t now_ms);
  void invite(const item_versions& read, const std::string& node) const;

  context_ptr node_;
  std::unordered_map<ip_address, home, hash> homes_; // of clients, by address
  std::unordered_map<std::string, int64_t> invited_; // when, by node, NUL and id
};

} // namespace gnomon::http
