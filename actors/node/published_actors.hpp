#pragma once

#include "actors/messages/actor_messages.hpp"
#include "runtime/base/error.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/message.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace gnomon {

/// The actors that the program around this node has published, by name. Thread-safe.
class published_actors {
public:
  struct entry {
    caf::strong_actor_ptr actor;
    std::set<std::string> types;
    uint64_t number = 0;
  };

  /// From now on until it ends, or until another takes the name. An actor that has ended is not published.
  void add(const std::string& name, entry what);
  void remove(const std::string& name);
  /// Null when there is none.
  std::shared_ptr<const entry> find(const std::string& name) const;

private:
  struct shared {
    mutable std::mutex mutex;
    std::map<std::string, std::shared_ptr<const entry>> entries;
    uint64_t next = 1;
  };
  std::shared_ptr<shared> shared_ = std::make_shared<shared>(); // ending actors report to it
};

/// A message as bytes that another node of the cluster reads. Errors: bad_message for a type that was not registered.
expected<blob> pack_message(caf::actor_system& system, const caf::message& content);
expected<caf::message> unpack_message(caf::actor_system& system, const blob& bytes);

} // namespace gnomon
