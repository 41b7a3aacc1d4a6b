#pragma once

#include "runtime/access/role.hpp"
#include "runtime/gateway/message.hpp"

#include <array>
#include <string_view>

namespace gnomon::http {

enum class endpoint : uint8_t {
  items,    // the list of ids
  item,     // one of them
  policies, // all policies
  effective_policy,
  default_policy,
  policy, // one with a name
  shadow, // of an item in one region
  shadow_create,
  shadow_status,
  route,
  cluster,
  cluster_node, // one of its nodes
  watch,        // changes, as they happen
  train,        // an upload of accesses, and the jobs that came of them
  training,     // one job
  predict,
  reads, // made elsewhere
  user,  // what was learned from one
  live,
  ready,
  metrics,
  openapi,
  unknown,
};

inline constexpr std::string_view item_path = "/data/";
inline constexpr std::string_view train_path = "/prefetch/train";

/// One row of the table of everything that the server answers. Where GET is allowed, HEAD is too.
struct route {
  endpoint where;
  std::string_view pattern;
  std::string_view methods; // separated by ", ", as in an Allow field
  role reading;             // what GET and HEAD need
  role changing;            // what all other methods need
};

inline constexpr std::array<route, 22> routes{{
    {endpoint::items, "/data", "GET, HEAD", role::read, role::read},
    {endpoint::item, "/data/{id}", "GET, HEAD, PUT, DELETE", role::read, role::write},
    {endpoint::policies, "/policy", "GET, HEAD", role::read, role::read},
    {endpoint::effective_policy, "/policy/effective", "GET, HEAD", role::read, role::read},
    {endpoint::default_policy, "/policy/default", "GET, HEAD, PUT, DELETE", role::read, role::admin},
    {endpoint::policy, "/policy/{scope}/{name}", "GET, HEAD, PUT, DELETE", role::read, role::admin},
    {endpoint::shadow, "/shadow", "DELETE", role::write, role::write},
    {endpoint::shadow_create, "/shadow/create", "POST", role::write, role::write},
    {endpoint::shadow_status, "/shadow/status", "GET, HEAD", role::read, role::read},
    {endpoint::route, "/route", "GET, HEAD", role::read, role::read},
    {endpoint::cluster, "/cluster", "GET, HEAD", role::read, role::read},
    {endpoint::cluster_node, "/cluster/node/{name}", "DELETE", role::admin, role::admin},
    {endpoint::watch, "/watch", "GET", role::read, role::read},
    {endpoint::train, "/prefetch/train", "GET, HEAD, POST", role::read, role::admin},
    {endpoint::training, "/prefetch/train/{job}", "GET, HEAD", role::read, role::read},
    {endpoint::predict, "/prefetch/predict", "GET, HEAD", role::read, role::read},
    {endpoint::reads, "/prefetch/read", "POST", role::write, role::write},
    {endpoint::user, "/prefetch/user/{id}", "DELETE", role::admin, role::admin},
    {endpoint::live, "/health/live", "GET, HEAD", role::none, role::none},
    {endpoint::ready, "/health/ready", "GET, HEAD", role::none, role::none},
    {endpoint::metrics, "/metrics", "GET, HEAD", role::read, role::read},
    {endpoint::openapi, "/openapi.json", "GET, HEAD", role::read, role::read},
}};

/// The pattern, or "unknown".
std::string_view pattern_of(endpoint where);

/// The row that a path, still encoded, belongs to. Everything after "/data/" is one id, slashes included.
endpoint find_route(std::string_view path);

/// What somebody has to be permitted for a request there. What is unknown stays so for strangers.
role role_for(endpoint where, std::string_view method);

/// True when the row's methods contain `method`, which is case-sensitive.
bool allows(const route& row, std::string_view method);

/// The refusal that the head alone justifies, before a body is read: unknown paths (404), wrong methods (405 with
/// Allow), bodies that are missing or only a part (400), bodies that are coded, or not JSON where JSON is needed (415).
std::optional<response> refuse(const request& asked, endpoint where);

} // namespace gnomon::http
