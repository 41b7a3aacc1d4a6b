#pragma once

#include "actors/messages/comparison_messages.hpp"
#include "actors/node/node_context.hpp"

#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// True when the item has more durable copies than policy asks for, and it is for `node` to demote one: for the first
/// in rank, live or not, so that no two nodes that see the same holders demote at once.
bool has_surplus(const item_record& record, const std::string& node, uint32_t min_copies);

/// True when the item has more copies, shadows among them, than its factor, and it is for this node to see to that.
bool exceeds_factor(const item_record& record, const node_context& node);

/// As in `storage/hash_tree.hpp`, with the duty to demote as well.
copy_note note_of(const item_record& record, const node_context& node);

/// Time since the last write of the item, by the writer's clock; negative when that is ahead of `now`.
duration age_of(const item_record& record, timestamp now);

/// One attempt to reap a tombstone, as its steward makes it. First every other holder must say that it has exactly this
/// tombstone on disk and nothing under way: such a holder names no new ones, so when all that any of them names have
/// said so, no copy of what was deleted is left. Then every one of them is told to forget it; the steward forgets it
/// last, so an attempt that breaks off is simply made again. Pure: the shadow sends what `next` says.
class reaping {
public:
  enum class step { ask, wait, forget, give_up };
  struct move {
    step what = step::wait;
    steward_word word = steward_word::confirm; // to ask
    std::vector<std::string> nodes;            // to ask
  };

  /// `strangers`: the other nodes of the cluster, which may hold the item although the record does not name them.
  reaping(version_vector context, const std::vector<std::string>& strangers);

  const version_vector& context() const {
    return context_;
  }
  /// What to do now. `holders`: the other nodes that the record names, after all that was heard.
  move next(const std::vector<std::string>& holders);
  /// The answer to the question that `next` had asked of `node`.
  void heard(const std::string& node, steward_word word, const steward_answer& answer);
  void failed();
  /// The tombstone is no longer what it was. The attempt ends when all questions are answered.
  void give_up();

private:
  version_vector context_;
  std::set<std::string> strangers_, confirmed_, told_;
  std::set<std::string> holding_; // have said so, whatever the record says of them
  size_t open_ = 0;               // questions
  bool broken_ = false;
};

} // namespace gnomon
