#pragma once

#include "actors/messages/messages.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ids.hpp"

#include <algorithm>
#include <concepts>
#include <string>

/// What no node and no program of ours sends, although its bytes can be read. The rest of a node relies on it: ids are
/// parts of keys, and versions are found by their order.
namespace gnomon {

inline bool is_sound_id(const std::string& id) {
  return !id.empty() && id.size() <= max_id_bytes && id.find('\0') == std::string::npos;
}

inline bool is_sound_copy(const item_copy& copy) {
  const auto& siblings = copy.versions.siblings;
  const auto unsorted = std::adjacent_find(siblings.begin(), siblings.end(),
                                           [](const sibling& a, const sibling& b) { return !(a.id < b.id); });
  return is_sound_id(copy.id) && unsorted == siblings.end() && copy.values.size() <= siblings.size();
}

template <class Request>
bool is_sound(const Request& request) {
  if constexpr (std::same_as<Request, replicate_item> || std::same_as<Request, load_item>)
    return is_sound_copy(request.copy);
  else if constexpr (requires {
                       { request.id } -> std::same_as<const std::string&>;
                     })
    return is_sound_id(request.id);
  else
    return true;
}

/// Nothing when a request that `peer` has sent is sound. Errors: bad_message, with a sentence.
template <class Request>
caf::error fault_of(const Request& request, const std::string& peer) {
  auto sound = is_sound(request);
  if constexpr (std::same_as<Request, ping>)
    sound = request.from.node == peer && request.news.size() <= most_news
            && std::all_of(request.news.begin(), request.news.end(),
                           [](const catalog_row& row) { return is_sound_id(row.id); });
  if (!sound)
    return make_error(ec::bad_message, "node " + peer + " sent a request with ids, versions or a name that cannot be");
  return {};
}

} // namespace gnomon
