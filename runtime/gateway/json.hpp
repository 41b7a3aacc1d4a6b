#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/inspect.hpp"
#include "runtime/base/rounded.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gnomon::http {

/// Keeps the order in which fields were added: answers read as they are written here.
using json = nlohmann::ordered_json;

/// Largest body of a request that is not a value. Larger ones are refused.
inline constexpr size_t max_json_bytes = 1u << 20;

/// One line of text; bytes that are not UTF-8 are replaced.
inline std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

/// Answers what a member was called before as well, at the end, so that clients which know that name go on.
struct older_name {
  const char* now;
  const char* before;
};
inline json with_older_names(json object, std::initializer_list<older_name> names) {
  for (const auto& each : names)
    object[each.before] = object[each.now];
  return object;
}

/// The object in a body, read as `parse_strict_json` does. Errors: invalid_argument, with a sentence; `wanted` says
/// what the body should be.
expected<nlohmann::json> parse_strictly(std::string_view text, std::string_view wanted);

/// null where a measurement is not known, which `real` fields say as -1.
inline json known(const real& measured) {
  return std::isfinite(measured.value) && measured.value >= 0 ? json(rounded_figure(measured.value)) : json(nullptr);
}

} // namespace gnomon::http
