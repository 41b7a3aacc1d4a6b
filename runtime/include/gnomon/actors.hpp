#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/client.hpp"
#include "gnomon/inspect.hpp"
#include "gnomon/node.hpp"
#include "gnomon/watch.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// A node's actors, as other actors of the same process reach them: its router, its region, its predictor, and the
/// shadow of one item. `node` and `client` hand out the handles. They stay valid over restarts of what stands behind
/// them, and while a client looks for its node again.
///
///   self->request(gnomon::router_of(node), 5s, gnomon::api::get{"news/1"})
///       .then([](const gnomon::item& found) { ... },
///             [](const caf::error& problem) { if (gnomon::code_of(problem) == gnomon::ec::not_found) ... });
///
/// Each message does what the function of the same name of `gnomon::client` does, within the client's timeout, and
/// answers what that returns. Errors are `gnomon::ec`, each with a sentence. These messages are a public contract: they
/// stay as they are within a major version, while those between nodes may change.
namespace gnomon::inline GNOMON_ABI {

/// The code of an error, and its sentence. Errors of CAF itself become the nearest of ours: a handle whose node has
/// stopped says unavailable.
ec code_of(const caf::error& problem);
std::string sentence_of(const caf::error& problem);

namespace api {

/// Answers the item. Errors: not_found.
struct get {
  std::string id;
  get_options options = {};
};

struct put {
  std::string id;
  std::string value;
  put_options options = {};
};

struct del {
  std::string id;
  put_options options = {};
};

struct list {
  std::string prefix = {};
  std::string after = {};
  uint32_t limit = 1000;
  bool deleted = false;
};

struct count {
  std::string prefix = {};
};

struct create_shadow {
  std::string id;
  uint32_t factor = 0;         // 0: as the policy says
  std::chrono::seconds ttl{0}; // 0: as the policy says
};

/// Answers `done`.
struct drop_shadow {
  std::string id;
  std::string region;
};

struct status {
  std::string id;
};

/// From the asked node; from `from`; or, when `ip` is given, for a client with that address.
struct route {
  std::string id;
  std::optional<coordinates> from = {};
  std::string ip = {};
};

/// Has the watcher told of each change, and ends that.
struct watch {
  watched what;
  watcher_actor watcher;
  watch_options options = {};
};
struct unwatch {
  watched what;
  watcher_actor watcher;
};

struct cluster {};
struct policies {};

/// Answers a warning, or an empty text. An empty `rule.text` deletes the policy.
struct set_policy {
  policy_setting rule;
};

struct effective_policy {
  std::string id;
  std::string user = {};
};

struct remove_node {
  std::string name;
  bool force = false;
};

struct predict {
  std::string user;
  uint32_t limit = 20;
  bool repeats = false;
};

/// Answers how many reads were passed on.
struct report_reads {
  std::vector<reported_read> reads;
};

/// Answers how many regions knew the user.
struct forget {
  std::string user;
};

struct training {
  uint64_t job = 0;
};
struct trainings {};

/// As `get`, `put`, `del`, `status` and `create_shadow`, for an actor that stands for one item.
struct read {
  get_options options = {};
};
struct write {
  std::string value;
  put_options options = {};
};
struct erase {
  put_options options = {};
};
struct explain {};
struct place {
  uint32_t factor = 0;
  std::chrono::seconds ttl{0};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get& x) {
  return detail::all_of(f, x.id, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, put& x) {
  return detail::all_of(f, x.id, x.value, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, del& x) {
  return detail::all_of(f, x.id, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list& x) {
  return detail::all_of(f, x.prefix, x.after, x.limit, x.deleted);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, count& x) {
  return detail::all_of(f, x.prefix);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, drop_shadow& x) {
  return detail::all_of(f, x.id, x.region);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, create_shadow& x) {
  return detail::all_of(f, x.id, x.factor, x.ttl);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, status& x) {
  return detail::all_of(f, x.id);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, route& x) {
  return detail::all_of(f, x.id, x.from, x.ip);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, watch& x) {
  return detail::all_of(f, x.what, x.watcher, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unwatch& x) {
  return detail::all_of(f, x.what, x.watcher);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cluster&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, policies&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_policy& x) {
  return detail::all_of(f, x.rule);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, effective_policy& x) {
  return detail::all_of(f, x.id, x.user);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remove_node& x) {
  return detail::all_of(f, x.name, x.force);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, predict& x) {
  return detail::all_of(f, x.user, x.limit, x.repeats);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, report_reads& x) {
  return detail::all_of(f, x.reads);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, forget& x) {
  return detail::all_of(f, x.user);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, training& x) {
  return detail::all_of(f, x.job);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, trainings&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, read& x) {
  return detail::all_of(f, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, write& x) {
  return detail::all_of(f, x.value, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, erase& x) {
  return detail::all_of(f, x.options);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, explain&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, place& x) {
  return detail::all_of(f, x.factor, x.ttl);
}

} // namespace api

/// Takes requests for items and finds who answers them.
using router_handle =
    caf::typed_actor<caf::replies_to<api::get>::with<item>, caf::replies_to<api::put>::with<put_receipt>,
                     caf::replies_to<api::del>::with<put_receipt>, caf::replies_to<api::list>::with<item_list>,
                     caf::replies_to<api::create_shadow>::with<shadow_creation>,
                     caf::replies_to<api::status>::with<item_status>,
                     caf::replies_to<api::route>::with<std::vector<route_entry>>,
                     caf::replies_to<api::watch>::with<done>, caf::replies_to<api::unwatch>::with<done>,
                     caf::replies_to<api::count>::with<item_counts>, caf::replies_to<api::drop_shadow>::with<done>>;

/// Knows the cluster and its policies.
using region_handle = caf::typed_actor<caf::replies_to<api::cluster>::with<cluster_status>,
                                       caf::replies_to<api::policies>::with<std::vector<policy_setting>>,
                                       caf::replies_to<api::set_policy>::with<std::string>,
                                       caf::replies_to<api::remove_node>::with<removal>,
                                       caf::replies_to<api::effective_policy>::with<policy_in_force>>;

/// Learns what users read, and says what they will read next.
using predictor_handle =
    caf::typed_actor<caf::replies_to<api::predict>::with<user_prediction>, caf::replies_to<api::forget>::with<uint32_t>,
                     caf::replies_to<api::training>::with<training_report>,
                     caf::replies_to<api::trainings>::with<std::vector<training_report>>,
                     caf::replies_to<api::report_reads>::with<uint64_t>>;

/// Stands for one item.
using shadow_handle =
    caf::typed_actor<caf::replies_to<api::read>::with<item>, caf::replies_to<api::write>::with<put_receipt>,
                     caf::replies_to<api::erase>::with<put_receipt>, caf::replies_to<api::explain>::with<item_status>,
                     caf::replies_to<api::place>::with<shadow_creation>>;

/// The handles of a client's node. They end with the last copy of the client.
router_handle router_of(client& from);
region_handle region_of(client& from);
predictor_handle predictor_of(client& from);
shadow_handle shadow_of(client& from, const std::string& id); // throws `failure`: invalid_argument for a bad id

/// The handles of a node in this process. They end with the node.
inline router_handle router_of(node& from) {
  return router_of(from.own_client());
}
inline region_handle region_of(node& from) {
  return region_of(from.own_client());
}
inline predictor_handle predictor_of(node& from) {
  return predictor_of(from.own_client());
}
inline shadow_handle shadow_of(node& from, const std::string& id) {
  return shadow_of(from.own_client(), id);
}

namespace detail {

struct node_access {
  static void publish(node& at, const std::string& name, caf::strong_actor_ptr actor, std::set<std::string> types);
  static void unpublish(node& at, const std::string& name);
  /// Null: the actor takes other messages than `types`.
  static later<caf::strong_actor_ptr> find(node& at, const std::string& name, std::set<std::string> types);
};

} // namespace detail

/// Lets the programs around all nodes of the cluster `find` an actor of this one, until it ends or `unpublish`. A name
/// that is taken goes to the new actor. Every program registers the types of its messages under the same ids (see
/// `node::prepare`). Errors: invalid_argument for an empty name or a null actor.
template <class Handle>
void publish(node& at, const std::string& name, const Handle& actor) {
  detail::node_access::publish(at, name, caf::actor_cast<caf::strong_actor_ptr>(actor),
                               at.system().message_types(actor));
}
inline void unpublish(node& at, const std::string& name) {
  detail::node_access::unpublish(at, name);
}

/// The actor of that name: first of this node's program, then of the others', the nearest node first. Messages to an
/// actor elsewhere travel over the nodes' links: `overloaded` when too many wait, `timeout` without a reply within
/// `links.peer_timeout`, `too_large` beyond 128 MiB. Its handle ends with `remote_link_unreachable` when its node
/// cannot be reached any more, has started anew, or no longer publishes that actor: then find it again. Errors:
/// not_found; unavailable when not all nodes could be asked; invalid_argument when it takes other messages than
/// `Handle`.
template <class Handle = caf::actor>
later<Handle> find(node& at, const std::string& name) {
  auto to = std::make_shared<detail::pending<Handle>>();
  auto types = at.system().message_types(caf::detail::type_list<Handle>{});
  detail::node_access::find(at, name, std::move(types)).then([to](outcome<caf::strong_actor_ptr> found) {
    to->end(found ? outcome<Handle>{caf::actor_cast<Handle>(std::move(found).get())}
                  : outcome<Handle>{found.problem()});
  });
  return later<Handle>{to};
}

inline constexpr caf::type_id_t first_api_type_id = caf::first_custom_type_id + 400;

} // namespace gnomon::inline GNOMON_ABI

CAF_BEGIN_TYPE_ID_BLOCK(gnomon_api, ::gnomon::first_api_type_id)

CAF_ADD_TYPE_ID(gnomon_api, (gnomon::done))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::item))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::put_receipt))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::item_list))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::shadow_creation))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::item_status))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::policy_setting))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::cluster_status))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::removal))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::user_prediction))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::training_report))
CAF_ADD_TYPE_ID(gnomon_api, (std::vector<gnomon::route_entry>))
CAF_ADD_TYPE_ID(gnomon_api, (std::vector<gnomon::policy_setting>))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::get))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::put))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::del))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::list))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::create_shadow))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::status))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::route))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::watch))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::unwatch))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::cluster))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::policies))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::set_policy))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::remove_node))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::predict))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::forget))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::training))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::read))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::write))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::erase))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::explain))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::place))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::router_handle))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::region_handle))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::predictor_handle))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::shadow_handle))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::item_counts))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::policy_in_force))
CAF_ADD_TYPE_ID(gnomon_api, (std::vector<gnomon::training_report>))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::count))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::drop_shadow))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::effective_policy))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::report_reads))
CAF_ADD_TYPE_ID(gnomon_api, (gnomon::api::trainings))

CAF_END_TYPE_ID_BLOCK(gnomon_api)
