#include "runtime/base/strict_json.hpp"

#include <set>
#include <vector>

namespace gnomon {

template <class Json>
strict_json<Json> parse_strict_json(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) // the parser would take it for the end, and the rest would be lost
    return {Json(Json::value_t::discarded), std::nullopt};
  std::vector<std::set<std::string>> names; // of the objects that are open
  std::optional<std::string> repeated;
  auto watch = [&](int, typename Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start)
      names.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      names.pop_back();
    else if (event == Json::parse_event_t::key && !names.back().insert(parsed.template get<std::string>()).second)
      repeated = parsed.template get<std::string>();
    return true;
  };
  auto document = Json::parse(text, watch, false);
  return {std::move(document), std::move(repeated)};
}

template strict_json<nlohmann::json> parse_strict_json(std::string_view text);
template strict_json<nlohmann::ordered_json> parse_strict_json(std::string_view text);

} // namespace gnomon
