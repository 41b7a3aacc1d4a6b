#include "runtime/gateway/uri.hpp"

#include "runtime/base/percent.hpp"

#include <algorithm>

namespace gnomon::http {

expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    auto key = percent_decode(pair.substr(0, pair.find('=')), true);
    if (!key)
      return key.error();
    if (*key != name)
      continue;
    if (found)
      return make_error(ec::invalid_argument,
                        "the query parameter " + std::string{name} + " is there twice; give it once");
    auto equals = pair.find('=');
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!value)
      return value.error();
    found = std::move(*value);
  }
  return found;
}

expected<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name,
                                                     std::string_view older_name) {
  auto found = query_parameter(query, name), older = query_parameter(query, older_name);
  if (!found || !older)
    return !found ? found.error() : older.error();
  if (*found && *older)
    return make_error(ec::invalid_argument, "the query parameters " + std::string{name} + " and "
                                                + std::string{older_name} + " mean the same; give one of them");
  return *found ? std::move(*found) : std::move(*older);
}

expected<bool> flag_parameter(std::string_view query, std::string_view name, bool otherwise) {
  auto text = query_parameter(query, name);
  if (!text)
    return text.error();
  if (!*text)
    return otherwise;
  if (**text != "true" && **text != "false")
    return make_error(ec::invalid_argument, std::string{name} + " must be true or false");
  return **text == "true";
}

} // namespace gnomon::http
