#pragma once

#include "actors/messages/messages.hpp"
#include "actors/node/settings.hpp"
#include "runtime/base/ids.hpp"

/// How long to wait for messages that move values: a large one needs longer than the timeout of a small request.
namespace gnomon {

/// Bytes of values that `request` moves in either direction, as far as the request says.
template <class Request>
uint64_t bytes_moved(const Request&) {
  return 0;
}

inline uint64_t bytes_moved(const replicate_item& request) {
  return request.copy.versions.bytes();
}

inline uint64_t bytes_moved(const write_item& request) {
  return request.value.size();
}

inline uint64_t bytes_moved(const invite_copy& request) {
  return request.bytes;
}

inline uint64_t bytes_moved(const fetch_value& request) {
  return request.bytes;
}

/// The answer may be long, and only its giver knows how long. The link waits as long as more of it arrives.
template <class Request>
bool may_bring_values(const Request&) {
  return false;
}

inline bool may_bring_values(const fetch_item& request) {
  return !request.without_values;
}

inline bool may_bring_values(const read_item& request) {
  return !request.without_values;
}

/// How long to wait for the part of `request` that is under way, without any progress.
template <class Request>
duration peer_patience(const settings& config, const Request& request) {
  return config.patience(config.peer_timeout, bytes_moved(request));
}

/// How long to wait for all of it. Actors that ask a link wait that long: the link itself knows better when to give up.
template <class Request>
duration longest_patience(const settings& config, const Request& request) {
  if (!may_bring_values(request))
    return peer_patience(config, request);
  return config.patience(config.peer_timeout, config.link_queue_bytes + max_value_bytes);
}

} // namespace gnomon
