#pragma once

#include "actors/messages/comparison_messages.hpp"
#include "actors/node/node_context.hpp"

#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// True when the item has more durable copies than the policy asks for, and `node` has to demote one. That is the first
/// in rank, live or not, so two nodes that see the same holders never demote at once.
bool has_surplus(const item_record& record, const std::string& node, uint32_t min_copies);

/// True when the item has more copies than its factor, shadows among them, and this node has to remove some. Only
/// copies count that are whole and at nodes that can be reached.
bool exceeds_factor(const item_record& record, const node_context& node);

/// As in `storage/hash_tree.hpp`, and with the duty to demote.
copy_note note_of(const item_record& record, const node_context& node);

/// Time since the last write of the item, by the writer's clock. Negative when that clock is ahead of `now`.
duration age_of(const item_record& record, timestamp now);

/// One attempt of the steward to reap a tombstone. First every other holder must confirm that it has exactly this
/// tombstone on disk and nothing under way. Such a holder names no new ones. So when all holders that any of them names
/// have confirmed, no copy of the deleted versions is left. Then the steward orders each of them to forget the
/// tombstone, and forgets it last itself. An attempt that breaks off is made again. Pure: the shadow sends what `next`
/// says.
class reaping {
public:
  enum class step { ask, wait, forget, give_up };
  struct move {
    step what = step::wait;
    steward_word word = steward_word::confirm; // to ask
    std::vector<std::string> nodes;            // to ask
  };

  /// `strangers`: the other nodes of the cluster. They may hold the item although the record does not name them.
  reaping(version_vector context, const std::vector<std::string>& strangers);

  const version_vector& context() const {
    return context_;
  }
  /// What to do now. `holders`: the other nodes that the record names, after all answers so far.
  move next(const std::vector<std::string>& holders);
  /// The answer of `node` to the question of `next`.
  void heard(const std::string& node, steward_word word, const steward_answer& answer);
  void failed();
  /// The tombstone has changed. The attempt ends when all questions are answered.
  void give_up();

private:
  version_vector context_;
  std::set<std::string> strangers_, confirmed_, told_;
  std::set<std::string> holding_; // have confirmed, whatever the record says of them
  size_t open_ = 0;               // questions
  bool broken_ = false;
};

} // namespace gnomon
