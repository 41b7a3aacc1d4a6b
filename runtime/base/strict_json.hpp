#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The one reader of whole JSON texts from other programs. Pure.
namespace gnomon {

/// The content of a text. When an object has two members of one name, JSON libraries silently keep one of them, and not
/// all keep the same one. So readers of the document have to refuse a text with a `repeated` name.
template <class Json>
struct strict_json {
  Json document;                       // discarded: the text is no JSON
  std::optional<std::string> repeated; // a name that one object has twice

  /// True for JSON that all readers understand in the same way.
  bool good() const {
    return !document.is_discarded() && !repeated;
  }
};

/// `Json` is nlohmann::json, or nlohmann::ordered_json to show the members as they were written. The latter takes
/// quadratic time in their number, so do not use it for large texts from strangers. Does not throw.
template <class Json = nlohmann::json>
strict_json<Json> parse_strict_json(std::string_view text);

} // namespace gnomon
