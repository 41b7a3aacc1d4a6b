#pragma once

#include "actors/node/node_context.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

/// What has to be done about one item, as its record at one of its holders shows. Pure.
struct repair_need {
  std::vector<std::string> verify; // holders to ask: removed, or may have lost their copy, or never got it
  std::optional<place_copies> place;
  uint64_t bytes = 0; // of the values that a new copy needs
};

/// The cluster as the repair of one item sees it.
struct repair_scene {
  std::string self;
  std::function<bool(const std::string&)> is_removed;   // for good
  std::function<bool(const std::string&)> is_lost;      // removed, or away so long that its copies do not count
  std::function<bool(const std::string&)> is_doubted;   // came back with another store
  bool outage = false;                                  // a node is lost, or a lost node is back
  bool unreaped = false;                                // the item is a tombstone that should have gone long ago
  std::function<std::vector<std::string>()> candidates; // live, permitted nodes, best first
};

/// One holder only places copies: the first in rendezvous order of those that are not lost. Shadows count, so all nodes
/// that are left share the work. A live shadow becomes durable before a new copy is made. The repair asks for as many
/// copies as `min_copies` needs, and as the item has lost, up to its factor. When a node is back, it also asks for
/// copies that could not be made at first access. A tombstone gets no new copies, but its shadows may become durable.
repair_need needs_repair(const item_record& record, const policy& rules, const repair_scene& scene);

/// How many repairs may be under way after one that went well, or that failed because nodes are slow: one more, up to
/// `most`, or half as many (additive increase, multiplicative decrease: Chiu and Jain 1989). Never 0.
size_t next_window(size_t window, bool good, size_t most);

/// Walks over the store's records, page by page. Has copies made for items that lack some, and has copies moved away
/// that a rule forbids here. When a node was lost or a rule has changed, it walks as fast as the limits and the node's
/// pace allow. Otherwise it walks slowly, to find what went wrong in other ways. Keeps at most a page and the items
/// under way in memory.
class repair_state {
public:
  using self_pointer = repair_actor::stateful_pointer<repair_state>;

  repair_state() = default;
  const char* name = "repair";

  void start(self_pointer self, context_ptr node);
  void tick();
  void rules_changed();

private:
  struct job {
    place_copies wish;
    uint64_t bytes = 0;
  };
  using time_point = caf::actor_clock::time_point;

  bool look_at_peers();
  bool is_lost(const std::string& node) const;
  void begin_walk();
  void read_page();
  void read_on();
  void take_page(const store_entries& page);
  void look_at(const item_record& record);
  void run_jobs();
  void finished(const std::string& id, bool good);
  void end_walk();
  void report_progress();

  self_pointer self_ = nullptr;
  context_ptr node_;
  time_point started_{};
  std::set<std::string> lost_;
  std::map<std::string, uint64_t> incarnations_; // of the peers
  std::set<std::string> doubted_;                // in this walk
  bool urgent_ = false;
  bool returned_ = false; // a lost node is back, so there may be copies beyond the factor
  bool again_ = false;    // this walk left something that has to be looked at again
  uint32_t walks_ = 0;    // how many further walks may follow at once
  size_t store_ = 0;
  std::string after_;
  bool reading_ = false;
  time_point next_page_{};
  std::deque<job> jobs_;
  std::set<std::string> under_way_;
  size_t window_ = 1;  // how many may be under way
  int64_t budget_ = 0; // bytes that may still be moved; refilled by time, and may be overdrawn by one item
  time_point refilled_{};
  time_point reported_{};
};

repair_actor::behavior_type repair(repair_actor::stateful_pointer<repair_state> self, context_ptr node);

} // namespace gnomon
