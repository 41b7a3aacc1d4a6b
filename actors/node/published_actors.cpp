#include "actors/node/published_actors.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace gnomon {

void published_actors::add(const std::string& name, entry what) {
  auto actor = what.actor;
  std::shared_ptr<const entry> before; // goes without the lock: an actor that ends with it asks for that
  uint64_t number = 0;
  {
    std::lock_guard lock{shared_->mutex};
    number = what.number = shared_->next++;
    before = std::exchange(shared_->entries[name], std::make_shared<const entry>(std::move(what)));
  }
  // Called at once when the actor has ended already.
  caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor([to = std::weak_ptr{shared_}, name, number] {
    auto registry = to.lock();
    if (!registry)
      return;
    std::lock_guard lock{registry->mutex}; // the caller keeps the actor
    if (auto i = registry->entries.find(name); i != registry->entries.end() && i->second->number == number)
      registry->entries.erase(i);
  });
}

void published_actors::remove(const std::string& name) {
  std::map<std::string, std::shared_ptr<const entry>>::node_type before; // as above
  std::lock_guard lock{shared_->mutex};
  before = shared_->entries.extract(name);
}

std::shared_ptr<const published_actors::entry> published_actors::find(const std::string& name) const {
  std::lock_guard lock{shared_->mutex};
  auto i = shared_->entries.find(name);
  return i == shared_->entries.end() ? nullptr : i->second;
}

expected<blob> pack_message(caf::actor_system& system, const caf::message& content) {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  if (sink(content))
    return make_error(ec::bad_message, "a message to another node has a type that was not registered: see "
                                       "`node::prepare`");
  return blob{std::string(bytes.begin(), bytes.end())};
}

expected<caf::message> unpack_message(caf::actor_system& system, const blob& bytes) {
  caf::message content;
  caf::binary_deserializer source{system, bytes.view().data(), bytes.size()};
  if (source(content) || source.remaining() > 0)
    return make_error(ec::bad_message, "a message from another node cannot be read: do both programs register the same "
                                       "message types?");
  return content;
}

} // namespace gnomon
