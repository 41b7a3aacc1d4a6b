#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// Walks the expiry index of every store, without reading items, and wakes the shadows whose time may have come. While
/// the node holds more than it may, shadows make room: those first whose leases end first, since lifetimes follow from
/// what copies are worth.
class collector_state {
public:
  using self_pointer = collector_actor::stateful_pointer<collector_state>;

  collector_state() = default;
  const char* name = "collector";

  void start(self_pointer self, context_ptr node);
  void collect();
  void make_room();

private:
  static constexpr uint32_t page = 10'000;
  static constexpr uint32_t room_page = 64;
  static constexpr double low_water = 0.95; // of the bound: so much is held when enough have made room

  void look(const store_actor& store);
  void wake(const store_entries& due);
  void look_again();
  void make_room_in(size_t store);

  self_pointer self_ = nullptr;
  context_ptr node_;
  size_t looking_ = 0;             // stores that have not answered yet
  bool making_room_ = false;       // from the bound down to the low water
  std::vector<std::string> walks_; // by store: the key of the expiry index that is next to make room
};

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self, context_ptr node);

} // namespace gnomon
