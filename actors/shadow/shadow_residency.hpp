#pragma once

#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// What happens when a rule comes to keep the item away from here. A rule may arrive at any moment, also while a copy
/// or a write is on its way: it is looked at again before versions are taken in (`may_take`), and after each sync.
class shadow_residency : public shadow_part {
public:
  explicit shadow_residency(shadow_core& core) : shadow_part(core) {}

  /// After a sync: a rule may have arrived while it was under way.
  void apply_residency();
  /// A residency rule has come to forbid this copy: it goes as soon as a permitted region holds a durable one, and
  /// until then is only given to regions that may have it.
  void move_away();

private:
  time_point next_move_{}; // when to look again for a region that takes the copy over
};

} // namespace gnomon
