#pragma once

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
};

inline constexpr std::array<route, 22> routes{{
    {endpoint::items, "/data", "GET, HEAD"},
    {endpoint::item, "/data/{id}", "GET, HEAD, PUT, DELETE"},
    {endpoint::policies, "/policy", "GET, HEAD"},
    {endpoint::effective_policy, "/policy/effective", "GET, HEAD"},
    {endpoint::default_policy, "/policy/default", "GET, HEAD, PUT, DELETE"},
    {endpoint::policy, "/policy/{scope}/{name}", "GET, HEAD, PUT, DELETE"},
    {endpoint::shadow, "/shadow", "DELETE"},
    {endpoint::shadow_create, "/shadow/create", "POST"},
    {endpoint::shadow_status, "/shadow/status", "GET, HEAD"},
    {endpoint::route, "/route", "GET, HEAD"},
    {endpoint::cluster, "/cluster", "GET, HEAD"},
    {endpoint::cluster_node, "/cluster/node/{name}", "DELETE"},
    {endpoint::watch, "/watch", "GET"},
    {endpoint::train, "/prefetch/train", "GET, HEAD, POST"},
    {endpoint::training, "/prefetch/train/{job}", "GET, HEAD"},
    {endpoint::predict, "/prefetch/predict", "GET, HEAD"},
    {endpoint::reads, "/prefetch/read", "POST"},
    {endpoint::user, "/prefetch/user/{id}", "DELETE"},
    {endpoint::live, "/health/live", "GET, HEAD"},
    {endpoint::ready, "/health/ready", "GET, HEAD"},
    {endpoint::metrics, "/metrics", "GET, HEAD"},
    {endpoint::openapi, "/openapi.json", "GET, HEAD"},
}};

/// The pattern, or "unknown".
std::string_view pattern_of(endpoint where);

/// The row that a path, still encoded, belongs to. Everything after "/data/" is one id, slashes included.
endpoint find_route(std::string_view path);

/// True when the row's methods contain `method`, which is case-sensitive.
bool allows(const route& row, std::string_view method);

/// The refusal that the head alone justifies, before a body is read: unknown paths (404), wrong methods (405 with
/// Allow), bodies that are missing or only a part (400), bodies that are coded, or not JSON where JSON is needed (415).
std::optional<response> refuse(const request& asked, endpoint where);

} // namespace gnomon::http
