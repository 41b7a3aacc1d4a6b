#pragma once

#include "tests/simulation/cluster.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// Clients all over the regions: what they ask for is drawn from the seed, what they are told goes into the history.
/// Some keep a session, that is, they pass the context they got last, wherever they ask.
class clients {
public:
  clients(engine& on, uint64_t seed, cluster& of, history& told, std::vector<std::string> ids, duration patience);

  /// One random operation, now.
  void act();
  /// A plain read at that node, whose answer must be the last word.
  void read(const std::string& id, int node);
  /// The node's process goes on after a pause. Clients that waited for it ask at once. Some ask at other nodes, which
  /// may fetch the item from it.
  void node_woke(int node);
  /// Many want the items of that type at once, everywhere.
  void crowd(const std::string& type);
  /// All items are read at that node, again and again for some seconds.
  void ask_often(int node);
  /// All items are written or deleted at that node.
  void keep_busy(int node);
  /// The node's process starts. Clients that waited for it write at once, before it has heard of the other nodes.
  void node_came_back(int node);
  /// The node's process is gone with all that it was asked.
  void node_crashed(int node);
  /// Followers of the items of one type, one at each node, ask for what has changed since they asked last.
  void follow_on();
  /// Each of them knows what there is. After the end, for nodes of `wanted`.
  void check_followers(const std::set<int>& wanted);
  const std::vector<std::string>& ids() const {
    return ids_;
  }
  size_t open() const {
    return open_.size();
  }

private:
  struct session {
    std::map<std::string, version_vector> contexts;
    std::map<std::string, std::string> etags;
  };
  /// Somebody who has every change told, and what there was.
  struct follower {
    std::string position;
    std::map<std::string, version_vector> told;    // since the last gap
    std::map<std::string, version_vector> written; // of these, as single changes
    uint64_t question = 0;                         // the one under way; 0: none
  };
  void told(int node, const change_page& page);
  int any_node() {
    return static_cast<int>(dice_.below(cluster_.size()));
  }
  void soon(std::function<void()> what, uint64_t most);
  void write(const std::string& id, int node);
  void start_read(operation op, session* of);
  void start_write(operation op, session* of);
  bool read_from_index(operation& op, session* of);
  bool read_absence(operation& op, const read_item& request);
  template <class Reply, class Message>
  void ask(operation& op, session* of, Message message);
  void done(operation& op, session* of, const item_versions& got);
  void done(operation& op, session* of, const write_receipt& got);
  void failed(operation& op, const caf::error& reason);
  std::string value_of(const operation& op);

  engine& engine_;
  dice dice_;
  cluster& cluster_;
  history& history_;
  std::vector<std::string> ids_;
  duration patience_;
  std::vector<session> sessions_;
  std::map<size_t, operation*> open_;
  std::vector<follower> followers_;
  uint64_t questions_ = 0;
  std::vector<operation> repeatable_; // with a request id: a client may say it again
};

} // namespace gnomon::simulation
