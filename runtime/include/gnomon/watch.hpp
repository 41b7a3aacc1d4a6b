#pragma once

#include "gnomon/abi.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>

/// The typed messages between an app's own actors and the node's.
namespace gnomon::inline GNOMON_ABI {

class client;
struct done;
template <class T>
class later;

/// The asked node's copy of `id` changed.
struct item_changed {
  std::string id;
  std::string context; // as in the Gnomon-Context header
  std::string etag;
  bool deleted = false;
  bool dropped = false; // the local copy is gone; the item may have copies elsewhere
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_changed& x) {
  return f(caf::meta::type_name("item_changed"), x.id, x.context, x.etag, x.deleted, x.dropped);
}

/// An actor that is told about changes of the items it watches.
using item_watcher_actor = caf::typed_actor<caf::reacts_to<item_changed>>;

/// Sends `watcher` an `item_changed` whenever the copy of `id` at the client's node changes, until `unwatch`, until
/// `watcher` ends, or until the last copy of `from` is gone. Returns once the node is connected and the subscription
/// has been sent, before all later requests of `from`. Subscribes again when the node comes back; changes in between
/// are not replayed. `watcher` must live in `from.system()`. Throws `failure`: invalid_argument for a bad id;
/// unavailable or timeout when there is no node.
void watch(client& from, const std::string& id, const item_watcher_actor& watcher);
later<done> watch_later(client& from, const std::string& id, const item_watcher_actor& watcher);
void unwatch(client& from, const std::string& id, const item_watcher_actor& watcher);
later<done> unwatch_later(client& from, const std::string& id, const item_watcher_actor& watcher);

/// Type ids from here on are free for apps: CAF_BEGIN_TYPE_ID_BLOCK(my_app, gnomon::first_app_type_id).
inline constexpr caf::type_id_t first_app_type_id = caf::first_custom_type_id + 500;

} // namespace gnomon::inline GNOMON_ABI

CAF_BEGIN_TYPE_ID_BLOCK(gnomon_public, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(gnomon_public, (gnomon::item_changed))
CAF_ADD_TYPE_ID(gnomon_public, (gnomon::item_watcher_actor))

CAF_END_TYPE_ID_BLOCK(gnomon_public)
