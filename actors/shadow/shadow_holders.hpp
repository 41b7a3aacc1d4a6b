#pragma once

#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// What the holders of an item tell each other: who holds it, and which versions each has. What one of two lacks is
/// then sent or fetched.
class shadow_holders : public shadow_part {
public:
  explicit shadow_holders(shadow_core& core) : shadow_part(core) {}

  // -- what this copy tells
  void tell_holders(const std::vector<std::string>& nodes, const holder_map& news);
  /// `then` runs when the answer was taken in.
  void tell_holder(const std::string& node, const holder_map& news, std::function<void(const holders_ack&)> then = {});
  /// What was fetched from `source` may be news to the other holders, too. They are asked, not sent it: most have it.
  void pass_along(const std::string& source);
  /// A node that holds the item without the record's knowledge: both began it.
  void meet_twin(const std::string& node);
  /// When `node` answers that it holds nothing, it leaves the holders; so does one that was taken out for good.
  void verify(const std::string& node);
  /// The trees of anti-entropy differ at this item.
  void compare_with(const std::string& node);

  // -- what it hears
  void learn_holders(const update_holders& request, answer<holders_ack> reply);
  /// Where `node` stands. It was asked in `epoch`.
  void answered(const std::string& node, uint32_t epoch, const holders_ack& ack);
  /// Merges what `node` knows of the holders. When it is behind on this copy, it is told again.
  void merge_holders(const std::string& node, const holder_map& theirs);
  void mark_left(const std::string& node, uint32_t epoch);
  /// Where this copy stands: on disk, not on its way there.
  holders_ack standing() const;

private:
  void compare(const std::string& node, const version_vector& theirs, bool node_counts);
};

} // namespace gnomon
