#include "runtime/shell/item_line.hpp"

#include "runtime/base/base64.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/base/strict_json.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json; // lines read as they are written here

constexpr std::array<std::string_view, 9> keys{"id",   "value",       "text",    "content_type", "content_type_base64",
                                               "user", "user_base64", "expires", "siblings"};
constexpr int64_t latest_expiry = 253402300799999; // the end of the year 9999

void add_version(json& to, const item_version& v) {
  to["value"] = base64_encode(v.value);
  if (!v.content_type.empty())
    to["content_type"] = v.content_type;
  if (!v.user.empty())
    to["user"] = v.user;
  if (v.expires != time_point{})
    to["expires"] = v.expires.time_since_epoch().count();
}

std::string text_of(const nlohmann::json& from, const char* key) {
  auto found = from.find(key);
  if (found == from.end())
    return {};
  if (!found->is_string())
    throw bad_line{fmt::format("\"{}\" must be a string", key)};
  return found->get<std::string>();
}

/// The text of `key`, or of its other form, which `json_text` writes for what is not UTF-8.
std::string bytes_of(const nlohmann::json& from, const std::string& key) {
  const auto other = key + "_base64";
  if (!from.contains(other))
    return text_of(from, key.c_str());
  auto bytes = base64_decode(text_of(from, other.c_str()));
  if (!bytes || from.contains(key))
    throw bad_line{fmt::format("\"{}\" {}", other, bytes ? "and \"" + key + "\" exclude each other" : "is not base64")};
  return std::move(*bytes);
}

std::string value_of(const nlohmann::json& from) {
  auto has_value = from.contains("value");
  if (has_value == from.contains("text"))
    throw bad_line{"there must be either \"value\" (base64) or \"text\""};
  if (!has_value)
    return text_of(from, "text");
  auto value = base64_decode(text_of(from, "value"));
  if (!value)
    throw bad_line{"\"value\" is not base64"};
  return std::move(*value);
}

item_version read_version(const nlohmann::json& from) {
  if (!from.is_object())
    throw bad_line{"a JSON object is needed, such as {\"id\":\"news/1\",\"text\":\"hello\"}"};
  for (auto& [key, value] : from.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      throw bad_line{fmt::format("unknown key \"{}\"", key)};
  item_version v;
  v.value = value_of(from);
  v.content_type = bytes_of(from, "content_type");
  if (v.content_type.empty() && from.contains("text"))
    v.content_type = "text/plain; charset=utf-8"; // as `put` has it
  v.user = bytes_of(from, "user");
  if (auto expires = from.find("expires"); expires != from.end()) {
    if (!expires->is_number_integer() || *expires < 0 || *expires > latest_expiry)
      throw bad_line{"\"expires\" must be a whole number of milliseconds since 1970, and before the year 10000"};
    v.expires = time_point{std::chrono::milliseconds{expires->get<int64_t>()}};
  }
  return v;
}

} // namespace

std::string write_line(const item& x) {
  json line;
  line["id"] = x.id;
  for (size_t i = 0; i < x.versions.size(); ++i) {
    json sibling;
    add_version(i == 0 ? line : sibling, x.versions[i]);
    if (i > 0)
      line["siblings"].push_back(std::move(sibling));
  }
  return json_text(line);
}

item read_line(std::string_view text) {
  const auto [line, repeated] = parse_strict_json(text);
  if (line.is_discarded())
    throw bad_line{"this is not JSON"};
  if (repeated)
    throw bad_line{fmt::format("\"{}\" is there twice", *repeated)};
  item result;
  result.versions.push_back(read_version(line));
  result.id = text_of(line, "id");
  if (result.id.empty())
    throw bad_line{"\"id\" is missing or empty"};
  if (auto siblings = line.find("siblings"); siblings != line.end()) {
    if (!siblings->is_array())
      throw bad_line{"\"siblings\" must be a list"};
    for (auto& sibling : *siblings)
      result.versions.push_back(read_version(sibling));
  }
  return result;
}

} // namespace gnomon::shell
