#pragma once

#include "actors/node/copy_economy.hpp"
#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// What the copy costs and saves, how long it is kept for that, and how it goes.
class shadow_lifetime : public shadow_part {
public:
  explicit shadow_lifetime(shadow_core& core) : shadow_part(core) {}

  // -- what it is worth
  /// The read index answered reads of this item.
  void note_access(const access_batch& batch);
  void report(answer<copy_report> reply);
  copy_facts facts() const;
  /// The lease under which a copy of this size is kept here, where `terms` leave that open.
  lease settled(lease terms) const;

  // -- how it goes
  /// The expiry index has an entry for this moment. `broken`: why the record cannot be read, if it cannot. An entry
  /// that the record does not know of would wake this shadow for ever.
  void expiry_due(timestamp at, const caf::error& broken);
  void check_expiry();
  /// The node holds more than it may. A copy goes that nobody needs at this moment.
  void make_room();
  bool is_needed() const;
  /// Forgets the copy, confirms that to the other holders, and lets go of the memory.
  void drop();

private:
  bool lives_adaptively() const;
  void review_lifetime();
  std::string why_kept() const;
};

} // namespace gnomon
