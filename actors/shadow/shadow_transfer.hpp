#pragma once

#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// How a copy travels from one holder to another. Values that are too long together for one message travel by
/// themselves: what lacks them asks for them one by one.
class shadow_transfer : public shadow_part {
public:
  using after_values = std::function<void(const caf::error&)>;

  explicit shadow_transfer(shadow_core& core) : shadow_part(core) {}

  // -- to other holders
  /// With `join` the requester is durably among the holders before it gets the value; only synced versions are given.
  void give(const fetch_item& request, answer<item_copy> reply);
  void give_value(const fetch_value& request, const answer<version_value>& reply);

  // -- from other holders
  /// Asks `giver` for what `copy` lacks, and this copy has not got either. `then` hears why that failed.
  void fetch_values(std::shared_ptr<item_copy> copy, const std::string& giver, traffic urgency, after_values then);

private:
  bool may_be_behind() const;
};

/// Leaves out the values that do not fit into one message.
item_copy within_a_message(item_copy copy);

} // namespace gnomon
