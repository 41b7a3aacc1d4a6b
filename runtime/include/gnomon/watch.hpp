#pragma once

#include "gnomon/abi.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <string>
#include <utility>

/// Watching: an actor of an app is told of every change of items, and of what happens to the cluster.
namespace gnomon::inline GNOMON_ABI {

class client;
struct done;
template <class T>
class later;

/// One change.
struct change {
  /// Of items: "written", "deleted", "expired" (a version ended by itself), "present" (what there is, at the beginning
  /// or after a gap), "gap". Of the cluster: "node-up", "node-down", "node-fresh" and "node-stale" (it may call its
  /// copies current, or not), "policy" and "model" (these have changed).
  std::string kind;
  /// The item; the node; the policy as SCOPE:NAME; the model's version. Of a gap: the item that it concerns; empty when
  /// any may be concerned.
  std::string id;
  std::string context;    // what the item's versions have seen, as in the Gnomon-Context header
  std::string etag;       // of the item after the change
  uint64_t missed = 0;    // changes of the item that came before this one and are told by it alone
  std::string position;   // pass it as `watch_options::after` to go on behind this change
  int64_t at_ms = 0;      // when it was noticed, in milliseconds since 1970 by the clock of the node that did
  bool has_value = false; // values were asked for, and this one was not replaced yet
  std::string value, content_type;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, change& x) {
  return f(caf::meta::type_name("change"), x.kind, x.id, x.context, x.etag, x.missed, x.position, x.at_ms, x.has_value,
           x.value, x.content_type);
}

/// An actor that is told about changes.
using watcher_actor = caf::typed_actor<caf::reacts_to<change>>;

enum class watch_scope : uint8_t { item, prefix, cluster };

/// What is watched.
struct watched {
  watch_scope scope = watch_scope::item;
  std::string name; // id of the item, or what the ids begin with; empty for the cluster
  bool operator<(const watched& other) const {
    return scope != other.scope ? scope < other.scope : name < other.name;
  }
};

inline watched the_item(std::string id) {
  return {watch_scope::item, std::move(id)};
}
inline watched items_below(std::string prefix) {
  return {watch_scope::prefix, std::move(prefix)};
}
inline watched the_cluster() {
  return {watch_scope::cluster, {}};
}

struct watch_options {
  bool present = true;    // begin with the items as they are
  bool values = false;    // with the value of each item that has exactly one
  std::string after = {}; // the position of the last change that was handled; instead of `present`
};

/// Tells `watcher` of every change that is made at any node, once, in an order that the contexts allow. After a change
/// may have been missed, because nodes were cut off or started anew, it is told of a gap and then of the items as they
/// are; changes that were on their way may be told once more after that. A watcher that is slow is told of a gap as
/// well, once it is ten thousand changes behind. Ends with `unwatch`, when `watcher` ends, or with the last copy of
/// `from`. Returns once the nodes that can be asked collect changes: what is written from then on is told. `watcher`
/// must live in `from.system()`. Throws `failure`: invalid_argument for a bad id or position; overloaded when too much
/// is watched at the node; unavailable or timeout when there is no node.
void watch(client& from, const watched& what, const watcher_actor& watcher, const watch_options& options = {});
later<done> watch_later(client& from, const watched& what, const watcher_actor& watcher,
                        const watch_options& options = {});
void unwatch(client& from, const watched& what, const watcher_actor& watcher);
later<done> unwatch_later(client& from, const watched& what, const watcher_actor& watcher);

/// Type ids from here on are free for apps: CAF_BEGIN_TYPE_ID_BLOCK(my_app, gnomon::first_app_type_id).
inline constexpr caf::type_id_t first_app_type_id = caf::first_custom_type_id + 500;

} // namespace gnomon::inline GNOMON_ABI

CAF_BEGIN_TYPE_ID_BLOCK(gnomon_public, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(gnomon_public, (gnomon::change))
CAF_ADD_TYPE_ID(gnomon_public, (gnomon::watcher_actor))

CAF_END_TYPE_ID_BLOCK(gnomon_public)
