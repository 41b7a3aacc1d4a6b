#pragma once

#include "actors/shadow/shadow_part.hpp"

#include <deque>
#include <map>
#include <set>

namespace gnomon {

/// Reads the values of the item as the shadow wakes, and what to do when the copy turns out to be damaged: it looks for
/// a sound one. Values that are lost are taken from there. A record that cannot be read makes room for a new copy, and
/// so does one with a value that no node has, once every node has said so. A copy that is the only one stays as it is.
class shadow_damage : public shadow_part {
public:
  explicit shadow_damage(shadow_core& core) : shadow_part(core) {}

  /// `record` is what the store has; empty: it cannot be read. `shadow_state::loaded` hears the outcome.
  void load_values(const std::string& record);
  /// Whether to look for a sound copy again.
  bool may_try_again() const {
    return self()->clock().now() >= next_try_;
  }

private:
  struct damage {
    caf::error problem;
    std::string record = {};          // empty: it cannot be read
    std::map<dot, blob> values = {};  // that are sound
    std::vector<dot> lost = {};       // whose values are not
    std::deque<std::string> ask = {}; // who may have a sound copy
    bool all_heard = true;            // every node so far has said what it has
    item_copy sound = {};             // a copy that lacks only what is lost, without its values
    std::string giver = {};           // who has that; empty: nobody so far
  };

  void take_values(const std::string& record, const std::vector<dot>& dots, const std::set<std::string>& owed,
                   store_values& got);
  void damaged(damage found);
  void ask_for_sound_copy(const std::shared_ptr<damage>& found);
  void note_sound_copy(damage& found, const item_copy& copy, const std::string& node) const;
  bool mend(const damage& found, const item_copy& sound);
  void give_versions_up(const damage& found);
  void clear_for(const item_copy& sound, const std::string& giver);
  void join_anew(const std::string& giver, holder_state as);

  time_point next_try_{};
};

} // namespace gnomon
