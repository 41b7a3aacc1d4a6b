#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/policy.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/engine.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// What the node is called in its cluster.
inline std::string node_name(int node) {
  return "n" + std::to_string(node);
}

/// The other way round; `outside` for what is no node's name.
inline int node_called(const std::string& name) {
  return name.size() > 1 ? std::stoi(name.substr(1)) : outside;
}

enum class op_kind : uint8_t { read, write, remove };
enum class op_end : uint8_t { open, done, failed, unknown };

/// One request of a client, and what the client was told. Its number is the version's `user`, which makes every version
/// known by the request that made it.
struct operation {
  size_t number = 0;
  op_kind kind = op_kind::read;
  int node = 0;
  std::string id;
  version_vector seen;
  write_condition condition = write_condition::none;
  std::string wanted; // ETag, of a condition
  std::string request_id;
  uint32_t acks = 0;
  bool from_index = false;
  bool strong = false;                  // a read that takes a miss only from every region
  std::string value;                    // of a write
  std::vector<int> had_copies;          // nodes that had the item when it began
  std::vector<std::pair<int, dot>> met; // and the values that they had, for a write that has to meet them
  int served_by = outside;
  timestamp expires{};
  moment begun{0};
  moment ended{0};
  op_end end = op_end::open;
  ec error{};
  std::string sentence;
  version_vector context; // of the answer
  std::string etag;       // of the answer
};

/// For how long a node was not running.
struct absence {
  moment from{-1};
  moment until{-1};
};

/// What went wrong first.
struct violation {
  std::string invariant;
  std::string id;
  std::string sentence;
  moment when{0};
};

/// What is promised, in one place.
struct invariants {
  bool acknowledged_survives = true;
  bool replicas_converge = true;
  bool reaped_stays_away = true;
  bool tombstones_go = true;
  bool factor_is_repaired = true;
  bool residency = true;
  bool nothing_hangs = true;
  bool memory_returns = true;
  bool hints_go = true;
  bool demotion_is_safe = true;
  bool copies_never_go_back = true;
  bool copies_begin_joining = true;
  bool answers_are_fresh = true;
  bool misses_are_known = true;    // "there is no such item" is true
  bool writes_meet_what_is = true; // a delete or a condition that nobody gave a context
  bool conditions_exclude = true;
  bool values_are_whole = true;       // an answer brings the bytes that were written
  uint32_t max_versions = UINT32_MAX; // of one item that one copy has begun
  duration reap_after{20'000};
  moment catalog_age{0};       // without a context, what has begun that lately may be missed
  moment delivery{21'000'000}; // of a write to all holders that nothing keeps it from
  bool index_is_exact = true;  // the expiry index names each record once, where it says
};

/// The record is of a copy: one that is there for good or for a time.
bool is_copy(int node, const record_ptr& record);

/// The record is of a copy that may be relied upon: it is durable or pinned.
bool counts(int node, const record_ptr& record);

/// Watches the disks and the clients of a run, keeps what happened to each item, and says which promise was broken
/// first. Knows of every version which others have rightly replaced it, so that it can say of any state of an item
/// whether it has lost something: a context must not cover a version that is neither there nor replaced by one that the
/// context covers as well.
class history final : public disk_observer {
public:
  history(const engine& on, invariants wanted) : engine_(on), wanted_(wanted) {}

  // what the clients are told
  operation& begin(operation op);
  void end_read(operation& op, const item_versions& got);
  void end_write(operation& op, const write_receipt& got);
  void end_failed(operation& op, ec code, std::string sentence);
  const std::vector<std::unique_ptr<operation>>& operations() const {
    return operations_;
  }

  // what the disks hold
  void record_changed(int node, const std::string& id, const record_ptr& before, const record_ptr& after) override;
  void rule_stored(int node) override {
    rules_changed_[node] = engine_.now();
    stored_rules_[node] = rules_of(node);
    tell({}, "  " + node_name(node) + " has a new rule");
  }
  /// From time to time: those that a node has read at its start are stored.
  void note_rules(int node) {
    stored_rules_.try_emplace(node, rules_of(node));
  }
  void wrong_store(int node, const std::string& id) override;
  /// A copy is ready for readers there.
  void check_ready(int node, const std::string& id);
  void watch(const std::vector<disk*>& disks) {
    disks_ = disks;
  }
  /// This node's store draws its dots under that incarnation now.
  void incarnation(int node, uint64_t drawn) {
    stored_rules_.erase(node); // it starts
    if (!incarnations_.emplace(drawn, node).second)
      return;
    auto is_new = removed_.erase(node) > 0 || (nodes_.insert(node).second && engine_.now() > moment{0});
    if (is_new)
      strangers_[node] = {node};
  }
  /// From time to time: which nodes have had the time to meet those that are new.
  void note_meetings();
  /// The disk of `node` is about to be lost or put back: what only it has to keep may be lost with it.
  void disk_changes(int node);
  /// It was: promises that only it could keep are void.
  void disk_changed(int node);

  /// What is stored of the item there is about to turn bad: the values, or the record too, which a process that has it
  /// in memory may write anew.
  void item_damaged(int node, const std::string& id, bool record_too);
  /// A copy has lost a value that nobody else has: it stays as it is.
  bool is_unsound(const std::string& id) const;
  bool was_damaged(const std::string& id) const {
    auto i = items_.find(id);
    return i != items_.end() && i->second.ever_damaged;
  }

  /// A snapshot that has the item is being loaded: what was forgotten may be there again.
  void item_loads(const std::string& id);
  /// The node was taken out for good; what only it had goes with it.
  void node_removed(int node);

  /// Line in the story of everything (empty id) or of one item.
  void tell(const std::string& id, std::string line);
  void accuse(const std::string& invariant, const std::string& id, std::string sentence);

  /// The items' data types that are resolved by last writer wins.
  std::function<bool(const std::string& id)> last_writer_wins = [](const std::string&) { return false; };
  /// True when a rule that the node knows keeps what this user wrote of the item away from it.
  std::function<bool(int node, const std::string& id, const std::string& user)> forbidden =
      [](int, const std::string&, const std::string&) { return false; };
  /// The policies that the node has in memory; null while it does not run.
  std::function<std::shared_ptr<const policy_table>(int node)> rules_of = [](int) { return nullptr; };
  /// The latest time of any node's clock.
  std::function<timestamp()> latest = [] { return timestamp{}; };

  /// The earliest time of any node's clock.
  std::function<timestamp()> earliest = [] { return timestamp{}; };
  /// The item is deleted, and by some clock too lately for that to be forgotten: one that went ahead for a while has
  /// left its time behind.
  bool has_to_stay(const item_record& record) const;

  /// As the cluster knows it: see there.
  std::function<moment(int a, int b)> whole_since = [](int, int) { return moment::max(); };
  std::function<moment(int node)> reaches_all_since = [](int) { return moment::max(); };
  std::function<moment(int node, int other)> reaches_since = [](int, int) { return moment::max(); };
  std::function<absence(int node)> last_absence = [](int) { return absence{}; };

  /// When no disk had the deleted item any more; negative while it is there or was never reaped.
  moment reaped(const std::string& id) const;
  /// How many durable copies the rules ask for.
  std::function<size_t(const std::string& id)> min_copies = [](const std::string&) { return size_t{1}; };

  /// After everything has healed: what all must agree on.
  void check_end();
  /// True when nothing is on its way any more that would make the replicas equal.
  bool has_converged() const;

  const std::optional<violation>& broken() const {
    return broken_;
  }
  /// The events of the item, and the faults, up to the violation.
  std::string story(const std::string& id) const;
  size_t lines() const {
    return lines_.size();
  }

private:
  struct version {
    sibling facts;
    size_t op = 0;
    int born_at = 0;
    std::set<dot> replaced_by;
    bool promised = false;
    bool excused = false; // lost with a disk that alone had to keep it
    bool at_risk = false; // it may be, in this moment
    bool buried = false;  // the item was reaped since
    std::string promise;  // how it was given
  };
  struct item {
    std::map<dot, version> versions;
    moment reaped{-1};
    std::map<std::string, moment> invited; // when a holder last took down that this node is joining
    std::map<int, moment> copies;          // when the node that has a copy got it
    moment loaded{-1};                     // from a snapshot, the last time
    bool ever_damaged = false;
    std::set<int> damaged; // nodes whose record has turned bad and was not written anew
  };
  struct line {
    moment when;
    std::string id;
    std::string text;
  };

  const operation& op_of(const sibling& s) const {
    return *operations_.at(std::stoul(s.user.substr(1)));
  }
  void born(int node, const std::string& id, const item_record& record, const record_ptr& before, const sibling& s);
  bool replaces_all(const std::string& id, const operation& op) const;
  bool may_replace(const std::string& id, const sibling& by, const dot& d) const;
  /// The first version that the context covers and that is neither there nor replaced.
  const version* lost_from(const std::string& id, const version_set& state, bool by_request) const;
  bool held(const std::string& id, const dot& d, int except = outside) const;
  /// As `held`, where the version's value is not damaged either.
  bool held_whole(const std::string& id, const dot& d, int except = outside) const;
  bool is_readable(const std::string& id, const dot& d) const; // where neither its record nor a value is damaged
  bool replaced_unseen(const std::string& id, const sibling& by, const dot& d) const;
  void promise(const std::string& id, const dot& d, const std::string& how, moment since);
  void check_state(const std::string& id, const version_set& state, const std::string& where, bool by_request);
  void check_item_end(const std::string& id, const item& what);
  void check_promises(const std::string& id, const item& what, const version_set* final_state);
  version_set lasting(version_set versions) const;
  std::optional<std::string> difference(const std::string& id) const;
  void check_copies(const std::string& id);
  void check_index();
  bool is_being_loaded(const std::string& id) const;
  void note_copy(int node, const std::string& id, const record_ptr& before, const record_ptr& after);
  void record_gone(int node, const std::string& id, const record_ptr& before);
  bool note_versions(int node, const std::string& id, const record_ptr& before, const item_record& after);
  void check_growth(int node, const std::string& id, const record_ptr& before, const record_ptr& after);
  void check_beginning(int node, const std::string& id, const item_record& after, bool writes_here);
  void note_what_is(operation& op) const;
  void check_values(const operation& op, const item_versions& got);
  void check_fresh(const operation& op);
  bool may_lack(const operation& op, const version& v) const;
  void check_missing(const operation& op);
  bool may_have_met(int node, int other) const;
  void check_meeting(const operation& op);
  void check_exclusion(const operation& op);
  bool has_ended(const std::string& id, const dot& d) const;
  bool answers_for(const operation& op, const version& v) const {
    return v.op == op.number || (!op.request_id.empty() && v.facts.request_id == op.request_id);
  }
  bool is_repeated(const operation& op) const;
  bool anybody_knows_the_end_of(const std::string& id, const sibling& version) const;
  bool is_forbidden(int node, const std::string& id, const version_set& versions) const;
  bool knows_rules(int node) const;
  void check_residency(int node, const std::string& id, const record_ptr& before, const item_record& after);
  void check_crowd(int node, const std::string& id, const record_ptr& before, const item_record& after);
  void check_reaped(int node, const std::string& id, const item_record& before);
  void check_demotion(int node, const std::string& id, const record_ptr& before, const record_ptr& after);
  bool ends_deleted(const std::string& id, const item& what, const dot& d, std::set<dot>& visited) const;
  std::string describe(const std::string& id, const version_set& versions) const;
  std::string describe(int node, const std::string& id, const record_ptr& record) const;
  std::string name_of(const std::string& id, const dot& d) const;

  const engine& engine_;
  invariants wanted_;
  std::vector<std::unique_ptr<operation>> operations_;
  std::map<std::string, item> items_;
  std::vector<disk*> disks_;
  std::vector<line> lines_;
  std::optional<violation> broken_;
  std::map<uint64_t, int> incarnations_;
  std::map<int, moment> disk_changes_; // the last of each node
  moment last_disk_change_{-1};
  std::map<int, moment> rules_changed_; // at the node
  std::map<int, std::shared_ptr<const policy_table>> stored_rules_;
  std::set<int> removed_; // nodes that have not come back as new ones yet
  std::set<int> nodes_;
  std::map<int, std::set<int>> strangers_; // nodes that joined later, and who has had the time to meet each
};

} // namespace gnomon::simulation
