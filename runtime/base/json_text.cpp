#include "runtime/base/json_text.hpp"

#include "runtime/base/base64.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/printable.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {

namespace {

template <class Json>
bool is_broken(const Json& value) {
  return value.is_string() && !is_utf8(value.template get_ref<const std::string&>());
}

template <class Json>
std::string encoded(const Json& value) {
  return base64_encode(value.template get_ref<const std::string&>());
}

template <class Json>
Json faithful(const Json& value) {
  if (is_broken(value))
    return Json{{"base64", encoded(value)}};
  auto result = value;
  if (value.is_array())
    std::transform(value.begin(), value.end(), result.begin(), faithful<Json>);
  if (value.is_object()) {
    result.clear();
    for (const auto& [key, member] : value.items()) {
      const auto name = printable(key);
      if (is_broken(member))
        result[name + "_base64"] = encoded(member);
      else
        result[name] = faithful(member);
    }
  }
  return result;
}

/// JSON text whose dangerous characters, which stand in its texts only, are spelled.
std::string spelled(const std::string& json) {
  std::string result;
  std::string_view rest{json};
  while (!rest.empty()) {
    const auto plain =
        std::find_if(rest.begin(), rest.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x7F; });
    result += rest.substr(0, plain - rest.begin());
    rest.remove_prefix(plain - rest.begin());
    if (rest.empty())
      break;
    const auto character = rest.substr(0, character_length(rest));
    if (commands_terminal(character)) {
      const auto quoted = nlohmann::json(character).dump(-1, ' ', true);
      result += std::string_view{quoted}.substr(1, quoted.size() - 2);
    } else {
      result += character;
    }
    rest.remove_prefix(character.size());
  }
  return result;
}

template <class Json>
std::string text_of(const Json& document, int indent) {
  try {
    return spelled(document.dump(indent));
  } catch (const typename Json::type_error&) { // not UTF-8
    return spelled(faithful(document).dump(indent));
  }
}

} // namespace

std::string json_text(const nlohmann::ordered_json& document, int indent) {
  return text_of(document, indent);
}

std::string json_text(const nlohmann::json& document, int indent) {
  return text_of(document, indent);
}

} // namespace gnomon
