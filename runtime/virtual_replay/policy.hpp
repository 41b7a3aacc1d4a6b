#pragma once

#include "runtime/virtual_replay/copies.hpp"

#include <functional>
#include <memory>

namespace gnomon::virtual_replay {

/// Decides which copies there are. It sees the reads one by one, as a node does, and never what comes later.
class policy {
public:
  virtual ~policy() = default;
  /// An item came to be; `world` has its durable copies. It is called just before the item's first read.
  virtual void created(copies& world, uint32_t item, double now, bool measured) {}
  /// A read was answered by `holder`, the reader's own region for a local one. Keeps or makes copies.
  virtual void read(copies& world, const scene_read& read, size_t holder, bool measured) = 0;
  /// The item was written; its copies have got the value.
  virtual void updated(const scene_update& update) {}
  /// A copy was not read for as long as it was to be kept. How much longer to keep it, in seconds; 0: it goes.
  virtual double expired(copies& world, uint32_t item, size_t region, double now) {
    return 0;
  }
  /// How long copies live that are made when the item is, beyond the durable ones.
  virtual double first_copies_s() const {
    return std::numeric_limits<double>::infinity();
  }
  /// Lines about what it learned, for people; may be empty.
  virtual std::string notes() const {
    return {};
  }
};

struct named_policy {
  std::string name;    // as --policy takes it
  std::string summary; // one line
};
/// What `make_policy` knows: origin, ttl-TIME, break-even, no-expiry, everywhere, markov, top-N, adaptive, full.
const std::vector<named_policy>& known_policies();

/// Errors: invalid_argument with a sentence that names what there is.
expected<std::unique_ptr<policy>> make_policy(const std::string& name, const scene& on);

} // namespace gnomon::virtual_replay
