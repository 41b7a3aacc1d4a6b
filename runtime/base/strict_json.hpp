#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The one reader of whole JSON texts that come from elsewhere. Pure.
namespace gnomon {

/// What a text holds. Of members with one name JSON libraries keep one silently, and not all the same one, so whoever
/// reads the document refuses a text with a name that is `repeated`.
template <class Json>
struct strict_json {
  Json document;                       // discarded: the text is no JSON
  std::optional<std::string> repeated; // a name that one object has twice

  /// True for JSON that all readers understand alike.
  bool good() const {
    return !document.is_discarded() && !repeated;
  }
};

/// `Json` is nlohmann::json, or nlohmann::ordered_json to show the members as they were written. The latter takes
/// quadratic time in their number: not for texts of any size from anybody. Does not throw.
template <class Json = nlohmann::json>
strict_json<Json> parse_strict_json(std::string_view text);

} // namespace gnomon
