#include "runtime/gateway/json.hpp"

#include <set>
#include <vector>

namespace gnomon::http {

expected<json> parse_strictly(std::string_view text, std::string_view wanted) {
  std::vector<std::set<std::string>> names; // of the objects that are open
  std::string repeated;
  auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start)
      names.emplace_back();
    else if (event == json::parse_event_t::object_end)
      names.pop_back();
    else if (event == json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    return true;
  };
  auto document = json::parse(text, watch, false);
  if (!document.is_object())
    return make_error(ec::invalid_argument, "the body must be a JSON object" + std::string{wanted});
  if (!repeated.empty())
    return make_error(ec::invalid_argument, "the field " + repeated + " is there twice; give it once");
  return document;
}

} // namespace gnomon::http
