#pragma once

#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// Tells the node's feed of each change of an item that somebody follows, once it is visible.
class shadow_feed : public shadow_part {
public:
  explicit shadow_feed(shadow_core& core) : shadow_part(core) {}

  /// A client's write that is not visible yet. `before`: the context that it met.
  void note_write(version_vector before);
  /// Tells of each write that became visible, and of what came from other copies. `before`: what was visible; a copy
  /// that is just being made is no change.
  void tell(const item_versions* before);

private:
  std::vector<item_step> written_; // followed writes that are not visible yet
};

} // namespace gnomon
