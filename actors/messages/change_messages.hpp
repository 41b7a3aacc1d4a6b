#pragma once

#include "gnomon/watch.hpp"
#include "runtime/base/clock.hpp"
#include "storage/versions.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Messages about changes: between the feeds of two nodes, and between a feed and those who follow it.
namespace gnomon {

/// One step that a node's copy of an item took: from what it had seen `before` to what it has seen `after`.
struct item_step {
  std::string id;
  version_vector before, after; // both empty: steps of this item may be missing here
  std::string etag;             // after it
  timestamp at{};
  bool deleted = false;
  bool expired = false; // versions ended by themselves: `after` equals `before`
  bool is_gap() const {
    return after.empty();
  }
  auto fields() {
    return std::tie(id, before, after, etag, at, deleted, expired);
  }
};

/// Which items somebody follows.
struct followed_items {
  std::vector<std::string> ids, prefixes;
  auto fields() {
    return std::tie(ids, prefixes);
  }
  bool operator==(const followed_items&) const = default;
};

/// A node asks another for steps of the copies there. The answer comes when there are some, or after `wait`. The other
/// node goes on collecting them for five minutes after the last question.
struct pull_steps {
  std::string follower; // node
  followed_items items; // all that are followed there now
  uint64_t feed = 0;    // where the last page came from; 0: there was none
  uint64_t after = 0;   // number of the last step that arrived
  duration wait{};
  auto fields() {
    return std::tie(follower, items, feed, after, wait);
  }
};

struct step_page {
  uint64_t feed = 0; // another one after each start of the feed
  uint64_t last = 0; // ask again with `after` = this
  std::vector<item_step> steps;
  bool gap = false; // steps since `after` are not known any more
  auto fields() {
    return std::tie(feed, last, steps, gap);
  }
};

/// What a node holds of items whose ids begin with `prefix`, or of the one with that id.
struct list_states {
  std::string prefix;
  bool exact = false;
  std::string after; // ids greater than this one
  uint32_t limit = 1000;
  auto fields() {
    return std::tie(prefix, exact, after, limit);
  }
};

struct item_state {
  std::string id;
  version_set versions;
  auto fields() {
    return std::tie(id, versions);
  }
};

struct state_page {
  std::vector<item_state> items; // in order of their ids
  bool more = false;             // ask again with `after` = the last id
  auto fields() {
    return std::tie(items, more);
  }
};

enum class follow_scope : uint8_t { item, prefix, cluster };

/// A client asks for what has changed after a position. The answer comes when something has, or after `wait`.
struct follow_changes {
  follow_scope scope = follow_scope::item;
  std::string name;  // id or prefix; not used for the cluster
  std::string after; // position of the last page; empty: from now on
  duration wait{};
  bool present = false; // without a position: begin with the items as they are
  bool values = false;  // with the value of an item, where it is still the one that was written
  auto fields() {
    return std::tie(scope, name, after, wait, present, values);
  }
};

struct change_page {
  std::vector<change> changes;
  std::string position; // for the next question; unknown to other nodes, and after a restart
  auto fields() {
    return std::tie(changes, position);
  }
};

} // namespace gnomon
