#pragma once

#include "actors/messages/access_messages.hpp"

#include <caf/node_id.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <optional>

namespace gnomon {

/// Whose the programs are that reach this node from other machines, by their ids in CAF. The tunnel writes it, the
/// router asks. Thread-safe.
class known_shells {
public:
  void add(const caf::node_id& program, asker whose);
  /// Its connection has ended. What it asked may still be on its way to the router, so it stays known for a while.
  void forget(const caf::node_id& program);
  /// Nothing for a program of this machine.
  std::optional<asker> find(const caf::node_id& program) const;

private:
  mutable std::mutex mutex_;
  std::map<caf::node_id, asker> known_;
  std::deque<caf::node_id> ended_;
};

} // namespace gnomon
