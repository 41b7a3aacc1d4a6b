#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/policy.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// One node's copy of one item, as it will be once everything under way is synced: the record, the values, and what the
/// last changes have to write to the store. Pure: the shadow actor sends the batches and the messages.
class replica {
public:
  replica(std::string id, std::string node);

  /// Loads what the store has. Errors: store_corrupt, naming the item.
  caf::error load(std::string_view record, const std::map<dot, blob>& values);

  /// Ends the holding id, if an earlier incarnation of the store drew it: it may have named versions that this store
  /// has forgotten.
  void begin_incarnation(uint64_t incarnation);

  // -- what is here
  holder_state role() const; // `left` when there is no copy
  bool present() const;      // a copy with its values: durable or shadow
  const item_record& record() const {
    return record_;
  }
  const version_set& versions() const {
    return record_.versions;
  }
  /// What readers see: the distinct versions with their values. `served_by` is this node.
  item_versions snapshot() const;
  /// What other holders get: everything that is known of the versions.
  item_copy copy() const;
  /// True when `other` has the value of every version it names.
  static bool complete(const item_copy& other);
  /// Puts the values that are here into `other`. Returns the first version whose value is still missing, if any.
  const sibling* complete_from_here(item_copy& other) const;
  std::string creator() const; // the user whose policy counts; empty when unknown
  uint64_t bytes() const;
  /// When the collector has to look at this copy next: the end of the lease or of the first version that expires, or
  /// the time to review it. Zero: never.
  timestamp due(duration join_timeout) const;
  /// True when the lease, or the time to get a value, is over. A copy with obligations stays.
  bool lease_over(timestamp now, duration join_timeout) const;
  /// The other holders that have to be asked whether the obligations still exist. Holders with a hint on disk are not
  /// among them: they get what they are owed when they are back.
  std::vector<std::string> to_review() const;
  bool needs_review() const {
    return moving_ || !to_review().empty();
  }
  bool review_due(timestamp now) const {
    return review_ != timestamp{} && review_ <= now;
  }

  // -- changes; each is written with the next `take_changes`
  /// Checks the condition of `request` against the pending state. Errors: precondition_failed, invalid_argument (on
  /// lww).
  caf::error check(const write_item& request, conflict_rule conflicts) const;
  /// The version that an earlier write with the same request id made, if it is here or was replaced recently.
  std::optional<dot> repeated(const write_item& request, timestamp now) const;
  /// How many versions would be here beside the one of `request`, and how many bytes they have.
  std::pair<size_t, uint64_t> left_beside(const write_item& request, conflict_rule conflicts) const;
  /// Applies a client's write. The first write of an absent item makes this node a durable holder.
  dot write(const write_item& request, conflict_rule conflicts, hlc stamp, holding_id fresh_holding, timestamp now);
  /// Merges versions, values and holders from another copy. True when versions changed.
  bool merge(const item_copy& other, conflict_rule conflicts);
  bool merge(const holder_map& holders);
  /// Starts or renews the joining record of this node.
  void join(lease terms);
  /// The clock may have gone back since: then the time for joining begins again. True when it had.
  bool limit_join(timestamp now);
  /// The fetched copy is complete. From now on this node counts as `state`.
  void settle(holder_state state, lease terms);
  /// Another node gets a copy from this one.
  void add_joining(const std::string& node);
  /// The catalog says that `node` holds the item, and the node cannot be asked. It is owed what is written here: it
  /// counts as a shadow in an epoch before all others, until its own word is heard.
  void expect_holder(const std::string& node);
  std::vector<std::string> expected_holders() const;
  /// `node` confirmed that it has no copy. It was asked in `epoch`; a node that has joined again since then stays.
  void mark_left(const std::string& node, uint32_t epoch);
  uint32_t epoch_of(const std::string& node) const;
  void promote();
  void demote(lease terms);
  void renew_lease(duration ttl, lease_reason reason);
  void note_reads(uint64_t count, timestamp last, uint64_t saved_ms);
  /// Readers here wanted the item, and did not get it from this copy.
  void note_demand(uint64_t count, timestamp last);
  void set_pinned(bool pinned);
  /// A rule forbids this copy. The collector looks at it again until it has gone.
  void set_moving(bool moving) {
    dirty_ |= moving_ != moving;
    moving_ = moving;
  }
  /// These holders have to get the current versions from this node. That is on disk with the next change, so a crash
  /// does not forget it.
  void owe(const std::vector<std::string>& nodes);
  /// `node` has the current versions. This alone is not written: a debt that is remembered for too long only costs a
  /// question.
  void settle_debt(const std::string& node) {
    record_.owed.erase(node);
  }
  /// What is owed to `node` is noted on disk as a hint, or no longer.
  void note_hint(const std::string& node, bool on_disk);
  /// The other holders were asked. The expiry index is written again when it has another time.
  void reviewed(duration join_timeout);
  /// The store has lost these values.
  void write_again(const std::vector<dot>& lost);
  void add_cost(uint64_t bytes);
  void touch() {
    dirty_ = true;
  }
  /// Ends versions that expire by themselves. True when any did.
  bool expire_versions(timestamp now);
  /// Forgets the item: the batch erases everything of it. Returns the holders that have to be told.
  holder_map drop();
  /// How often that was done since the shadow woke.
  uint32_t drops() const {
    return drops_;
  }

  /// What has to be written to the store since the last call. Empty when nothing changed. With something to review, the
  /// review is due `join_timeout` later.
  store_batch take_changes(timestamp now, duration join_timeout);

private:
  std::vector<blob> values_of(const version_set& versions) const;
  static std::vector<past_request> requests_of(const version_set& versions);
  void remember(const std::vector<past_request>& requests);
  void forget_requests(timestamp now);
  bool replaces_all(const write_item& request, conflict_rule conflicts) const;
  void drop_replaced_values();
  void erase_values(store_batch& batch);
  void begin_epoch(holder_state state);

  std::string node_;
  item_record record_;
  std::map<dot, blob> values_;
  std::map<dot, bool> stored_;   // values that the store has or is being given
  std::set<std::string> hinted_; // nodes for which a hint is on disk
  timestamp review_{};           // zero: nothing to review
  bool exists_ = false;          // there is a record, joining or more
  uint32_t last_epoch_ = 0;      // of the copy that was here before; others may still get news of its end
  bool dirty_ = false;
  uint32_t drops_ = 0;
  bool moving_ = false;
};

} // namespace gnomon
