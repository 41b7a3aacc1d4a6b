#pragma once

#include "actors/node/node_context.hpp"

namespace gnomon {

/// Walks the expiry index of every store, without reading items, and wakes the shadows whose time may have come.
class collector_state {
public:
  using self_pointer = collector_actor::stateful_pointer<collector_state>;

  collector_state() = default;
  const char* name = "collector";

  void start(self_pointer self, context_ptr node);
  void collect();

private:
  static constexpr uint32_t page = 10'000;

  void look(const store_actor& store);
  void wake(const store_entries& due);
  void look_again();

  self_pointer self_ = nullptr;
  context_ptr node_;
  size_t looking_ = 0; // stores that have not answered yet
};

collector_actor::behavior_type collector(collector_actor::stateful_pointer<collector_state> self, context_ptr node);

} // namespace gnomon
