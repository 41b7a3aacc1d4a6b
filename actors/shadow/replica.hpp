#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/policy.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// One node's copy of one item as it will be once everything under way is synced: the record, the values, and what has
/// to be written to the store because of the last changes. Pure: the shadow actor sends the batches and the messages.
class replica {
public:
  replica(std::string id, std::string node);

  /// Takes over what the store has. Errors: store_corrupt, naming the item.
  caf::error load(std::string_view record, const std::map<dot, blob>& values);

  /// A holding id that an earlier incarnation of the store drew may have named versions that this store has forgotten:
  /// it is not continued.
  void begin_incarnation(uint64_t incarnation);

  // -- what is here
  // ----------------------------------------------------------------------------------------------------
  holder_state role() const; // `left` when there is no copy
  bool present() const;      // a copy with its values: durable or shadow
  const item_record& record() const {
    return record_;
  }
  const version_set& versions() const {
    return record_.versions;
  }
  /// What readers see: the distinct versions with their values; `served_by` is this node.
  item_versions snapshot() const;
  /// What other holders get: everything that is known of the versions.
  item_copy copy() const;
  /// True when `other` brings the value of every version it names.
  static bool complete(const item_copy& other);
  /// Puts the values that are here into `other`, and answers the first version whose value is still missing, if any.
  const sibling* complete_from_here(item_copy& other) const;
  std::string creator() const; // the user whose policy counts; empty when unknown
  uint64_t bytes() const;
  /// When the collector should look at this copy next: end of the lease, or of the first version that expires by
  /// itself, or time to review; zero: never.
  timestamp due(duration join_timeout) const;
  /// The lease, or the time to get a value, is over. A copy with obligations stays.
  bool lease_over(timestamp now, duration join_timeout) const;
  /// The other holders that have to be asked whether the obligations still stand; those with a hint on disk are brought
  /// what they are owed when they are there.
  std::vector<std::string> to_review() const;
  bool needs_review() const {
    return moving_ || !to_review().empty();
  }
  bool review_due(timestamp now) const {
    return review_ != timestamp{} && review_ <= now;
  }

  // -- changes; each is written with the next `take_changes`
  // -----------------------------------------------------------
  /// Checks the condition of `request` against the pending state. Errors: precondition_failed, invalid_argument (on
  /// lww).
  caf::error check(const write_item& request, conflict_rule conflicts) const;
  /// The version that an earlier write with the same request id made: one that is here, or that was replaced not long
  /// ago.
  std::optional<dot> repeated(const write_item& request, timestamp now) const;
  /// How many versions would be here beside the one of `request`, and their bytes.
  std::pair<size_t, uint64_t> left_beside(const write_item& request, conflict_rule conflicts) const;
  /// Applies a client's write. The first write of an absent item makes this node a durable holder.
  dot write(const write_item& request, conflict_rule conflicts, hlc stamp, holding_id fresh_holding, timestamp now);
  /// Merges versions, values and holders from another copy. True when versions changed.
  bool merge(const item_copy& other, conflict_rule conflicts);
  bool merge(const holder_map& holders);
  /// Starts or renews the joining record of this node.
  void join(lease terms);
  /// The fetched copy is complete: this node now counts as `state`.
  void settle(holder_state state, lease terms);
  /// Another node gets a copy from here.
  void add_joining(const std::string& node);
  /// `node` confirmed that it has no copy. It was asked in `epoch`: one that has joined again since stays.
  void mark_left(const std::string& node, uint32_t epoch);
  uint32_t epoch_of(const std::string& node) const;
  void promote();
  void demote(lease terms);
  void renew_lease(duration ttl, lease_reason reason);
  void note_reads(uint64_t count, timestamp last, uint64_t saved_ms);
  void set_pinned(bool pinned);
  /// A rule forbids this copy: it is to be looked at again until it has gone.
  void set_moving(bool moving) {
    dirty_ |= moving_ != moving;
    moving_ = moving;
  }
  /// These holders are to get the current versions from here. On disk with the next change, so that no crash forgets
  /// it.
  void owe(const std::vector<std::string>& nodes);
  /// `node` has the current versions. Not worth a write of its own: a debt remembered for too long is asked about.
  void settle_debt(const std::string& node) {
    record_.owed.erase(node);
  }
  /// What is owed to `node` is noted on disk apart from the record, or no longer.
  void note_hint(const std::string& node, bool on_disk);
  /// The other holders were asked: the expiry index has to be written anew where it says something else now.
  void reviewed(duration join_timeout);
  /// The store has lost these values.
  void write_again(const std::vector<dot>& lost);
  void add_cost(uint64_t bytes);
  void touch() {
    dirty_ = true;
  }
  /// Ends versions that expire by themselves. True when any did.
  bool expire_versions(timestamp now);
  /// Forgets the item: the batch erases everything of it. Answers the holders that have to be told.
  holder_map drop();

  /// What must reach the store since the last call; empty when nothing changed. With something to review that
  /// is due `join_timeout` later.
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
  uint32_t last_epoch_ = 0;      // of the copy that was here before; others may go on hearing of its end
  bool dirty_ = false;
  bool moving_ = false;
};

} // namespace gnomon
