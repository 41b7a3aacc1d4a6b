#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/settings.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gnomon {

enum class conflict_rule : uint8_t { siblings, lww };

/// What becomes of an HTTP client's read where the item is not: the node fetches it, or sends the client to the nearest
/// holder.
enum class routing_rule : uint8_t { serve, redirect };

/// Whether durable copies stay where they were made, or move to where the item is read and written.
enum class durable_rule : uint8_t { stays, follows };

/// A policy as a client wrote it: only the fields that it sets.
struct policy_rule {
  std::optional<uint32_t> factor;     // 1 to 64
  std::optional<uint32_t> min_copies; // 1 to 64
  std::optional<duration> ttl;        // of shadows; 0 to ten years, zero: no end; or `adaptive_lifetime`
  std::optional<uint32_t> acks;       // 1 to 64 or "all"
  std::optional<conflict_rule> conflicts;
  std::optional<std::vector<std::string>> residency; // regions that may keep the item; empty list: all
  std::optional<bool> learn;
  std::optional<routing_rule> routing;
  std::optional<durable_rule> durable;

  /// Reads `{"factor": 3, "min_copies": 2, "ttl": 3600, "acks": "all", "conflicts": "lww", "residency":
  /// ["eu-central-1"], "learn": false, "routing": "redirect", "durable": "follows"}`; at least one field. Errors:
  /// invalid_argument naming the field: unknown, repeated, wrong type, out of range, min_copies > factor. "ttl" is in
  /// seconds, or "adaptive".
  static expected<policy_rule> from_json(const std::string& text);
  std::string to_json() const;
};

/// The rules that apply to one item: every field has a value.
struct policy {
  uint32_t factor = 3;
  uint32_t min_copies = 2;
  duration ttl{};
  uint32_t acks = 1;
  conflict_rule conflicts = conflict_rule::siblings;
  std::optional<std::vector<std::string>> residency; // nothing: everywhere
  bool learn = true;
  routing_rule routing = routing_rule::serve;
  durable_rule durable = durable_rule::stays;
  bool allows(std::string_view region) const;
  /// Leaves only the regions that `other` allows as well.
  void narrow(const policy& other);
};

/// All policies of a node. They can be merged: for each (scope, name) the entry with the newest stamp wins, deletions
/// included. A copy of the table shares all entries that neither of the two changes afterwards, so setting one policy
/// among many is cheap.
class policy_table {
public:
  /// Field by field: item over creating user over data type over fallback over `defaults`. `min_copies` never exceeds
  /// the factor.
  policy resolve(std::string_view id, std::string_view user, const settings& defaults) const;
  /// The same for an item with these versions: the policy of the creator, in the regions that the policies of all
  /// values' users allow. A tombstone has no value, so the policy of its user does not restrict regions.
  policy resolve_versions(std::string_view id, const version_set& versions, const settings& defaults) const;
  /// The policy in force for an item: as `resolve_versions` says where there are versions, else as `resolve` does.
  /// `user` names somebody else than the creator, as if that user wrote the item.
  effective_policy explain(const get_effective_policy& wanted, const version_set& versions,
                           const settings& defaults) const;
  /// True when `entry` is newer than the one that was there. Texts that `policy_rule::from_json` refuses are kept and
  /// passed on, but set nothing. Merging in any order gives the same table.
  bool merge(const policy_entry& entry);
  /// True when any rule keeps an item away from a region.
  bool restricts() const {
    return restrictions_ > 0;
  }
  const policy_entry* find(policy_scope scope, const std::string& name) const;
  /// The regions that this one rule permits, without the other rules; empty: it does not restrict them.
  std::optional<std::vector<std::string>> residency(policy_scope scope, std::string_view name) const;
  /// In order of scope and name: those in force, and all that are known, those that delete included.
  std::vector<policy_entry> entries_in_force() const;
  std::vector<policy_entry> all_entries() const;

private:
  struct kept_rule {
    policy_entry entry;
    policy_rule rule; // sets nothing when the entry deletes
  };
  static constexpr size_t part_count = 256;
  using part = std::map<std::string, kept_rule, std::less<>>;
  static size_t part_of(std::string_view name);
  /// The rules for an item, most specific first; null where there is none.
  using rule_chain = std::array<const policy_rule*, 4>;
  rule_chain rules_for(std::string_view id, std::string_view user) const;
  const kept_rule* lookup(policy_scope scope, std::string_view name) const;
  const policy_rule* rule(policy_scope scope, std::string_view name) const;

  // By scope, then by a hash of the name; null: empty. Never changed while it is shared.
  std::array<std::array<std::shared_ptr<part>, part_count>, 4> rules_;
  size_t restrictions_ = 0; // rules that name regions
};

} // namespace gnomon
