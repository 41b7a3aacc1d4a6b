#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/node_context.hpp"
#include "actors/shadow/replica.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// Where a found copy goes: nowhere, or here as a shadow or durable copy.
struct stay {
  bool wanted = false;
  holder_state as = holder_state::shadow;
  lease terms;
};

/// Whom a search asks: only the known holders; also every node, but only while the catalog does not yet know what all
/// peers hold; or the known holders and then every node.
enum class audience : uint8_t { known, all_while_unsure, all };

/// One search for a copy of an item: whom it has asked, what was heard, and who comes next. All readers of the item
/// share it. Pure: the shadow asks whom `next` names, and tells it each answer.
class copy_search {
public:
  enum class step : uint8_t { ask_holder, ask_everyone, wait, give_up };
  using after = std::function<void(const copy_search&)>;

  /// `self`: the name of this node, which is not asked.
  copy_search(uint64_t number, const std::string& self, stay keep, audience whom, traffic urgency);

  /// Someone else wants the item, too.
  void widen(const stay& more, audience further);
  void add_first(std::string holder);
  /// `believed`: holders by the catalog; `known`: by the record. Those that cannot say that their copies are current
  /// come last. `whole`: the catalog knows what all peers hold.
  void take_candidates(const std::vector<std::string>& believed, const std::vector<std::string>& known, bool whole,
                       const cluster_view& view);
  step next();
  /// The holder to ask now, which `next` has chosen.
  std::string take_holder();
  /// The nodes that were not asked yet, nearest first. From now on their answers are open. Nodes become known while
  /// others are asked: the search is over when there are none.
  std::vector<std::string> take_everyone(const cluster_view& view, bool with_unreachable);

  void holder_answered();
  void holder_failed(const std::string& holder, ec reason);
  /// What a node says when it is asked whether it holds the item. True when the search was waiting for it.
  bool node_answered(const std::string& node, ec reason);
  void ask_again(const std::string& holder);
  /// A rule keeps the item away from here; `holder` may give it to readers all the same.
  void keep_away(const std::string& holder);

  /// What comes from a holder that cannot say that it is current waits until nobody has better. The holders that it
  /// names are asked next.
  void set_aside(const item_copy& copy, const std::string& giver, conflict_rule conflicts);
  /// Kept here it would count as current. Only who was asked to keep it does so, once all who are known to hold the
  /// item were heard, or where nothing counts as current.
  bool may_keep_aside(bool node_is_fresh) const;

  bool is_asking() const {
    return asking_ > 0;
  }
  bool has_more_to_ask() const {
    return !next_.empty();
  }
  const std::vector<std::string>& believed() const {
    return believed_;
  }
  const std::set<std::string>& asked() const {
    return asked_;
  }
  const std::set<std::string>& unreachable() const {
    return unreachable_;
  }

  const uint64_t number;
  const traffic urgency;
  stay keep;
  bool joined = false;                         // the joining record is synced, or being synced
  bool settling = false;                       // something is being synced, and the search goes on behind it
  std::string holder;                          // gave the item
  std::string deleted_at;                      // has the item's tombstone
  std::string refused_by;                      // a holder that may not give the item to this region
  std::unique_ptr<replica> aside;              // what holders have that cannot call their copies current
  std::string stale_at;                        // the first of them
  std::set<std::string> inviters;              // they hear the outcome in the answer to their invitation
  version_vector needs;                        // of a write, which must come after everything that its writer saw
  std::map<std::string, version_vector> older; // what holders have that turned out to be behind
  std::vector<after> then;

private:
  audience whom_;
  bool whole_ = false;
  std::vector<std::string> believed_;
  std::deque<std::string> next_; // holders not asked yet, best first
  std::set<std::string> asked_, unreachable_;
  std::set<std::string> questioned_; // as one of all
  size_t asking_ = 0;                // holders that have not answered; the first good answer counts
  size_t open_questions_ = 0;        // to nodes that may hold the item
  bool waits_ = false;               // for their answers
};

} // namespace gnomon
