#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/base/strict_json.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"
#include "runtime/gateway/uri.hpp"

namespace gnomon::http {

namespace {

constexpr std::string_view user_path = "/prefetch/user/";
constexpr uint32_t most_items = 20;

expected<uint32_t> parse_limit(const request& asked) {
  auto text = query_parameter(asked.query, "limit");
  if (!text)
    return text.error();
  if (!*text)
    return most_items;
  auto limit = parse_number<uint32_t>(**text);
  if (!limit || *limit < 1 || *limit > most_items)
    return invalid("limit must be a whole number from 1 to 20");
  return *limit;
}

// -- reads made elsewhere

constexpr size_t most_reports = 1000;
constexpr uint32_t most_of_one_report = 1'000'000;

/// The text of a member under either of its names; nothing when it is absent.
expected<std::optional<std::string>> text_of(const nlohmann::json& from, const char* name, const char* older_name) {
  if (from.contains(name) && from.contains(older_name))
    return invalid(std::string{name} + " and " + older_name + " mean the same; give one of them");
  auto found = from.contains(name) ? from.find(name) : from.find(older_name);
  if (found == from.end())
    return std::optional<std::string>{};
  if (!found->is_string())
    return invalid(std::string{name} + " must be a string");
  return std::optional{found->get<std::string>()};
}

expected<read_report> parse_report(const nlohmann::json& from) {
  if (!from.is_object())
    return invalid("each read must be an object such as {\"id\": \"news/1\", \"user\": \"ann\"}");
  for (const auto& [key, value] : from.items())
    if (key != "id" && key != "data_id" && key != "user" && key != "user_id" && key != "count")
      return invalid("the field " + key + " is not known; there are id, user and count");
  auto id = text_of(from, "id", "data_id"), user = text_of(from, "user", "user_id");
  if (!id || !user)
    return !id ? id.error() : user.error();
  auto checked = checked_id(id->value_or(""));
  if (!checked)
    return invalid("id: " + sentence_of(checked.error()));
  auto named = checked_user(user->value_or(""));
  if (!named)
    return invalid("user: " + sentence_of(named.error()));
  read_report read{std::move(*checked), std::move(*named)};
  auto count = from.find("count");
  if (count == from.end())
    return read;
  if (!count->is_number_unsigned() || *count < 1u || *count > most_of_one_report)
    return invalid("count must be a whole number from 1 to 1000000");
  read.count = count->get<uint32_t>();
  return read;
}

expected<report_reads> parse_reports(const std::string& body) {
  auto [document, repeated] = parse_strict_json(body);
  if (repeated)
    return invalid("the field " + *repeated + " is there twice; give it once");
  if (!document.is_object() && !document.is_array())
    return invalid("the body must be a JSON object such as {\"id\": \"news/1\", \"user\": \"ann\"}, or a list of them");
  if (document.is_array() && (document.empty() || document.size() > most_reports))
    return invalid("the list must have 1 to 1,000 reads");
  report_reads message;
  for (const auto& one : document.is_array() ? document : nlohmann::json::array({document})) {
    auto read = parse_report(one);
    if (!read)
      return read.error();
    message.reads.push_back(std::move(*read));
  }
  return message;
}

} // namespace

next_step prepare_reads(const request& asked) {
  if (asked.body.size() > max_json_bytes)
    return problem(413, "too-large", "the body has more than 1 MiB; send the reads in several requests");
  return step_for(parse_reports(asked.body));
}

next_step prepare_predict(const request& asked) {
  auto user = user_parameter(asked);
  if (!user)
    return refusal(user.error());
  if (user->empty())
    return refusal(invalid("the query parameter user_id (or user) is missing or empty"));
  auto limit = parse_limit(asked);
  if (!limit)
    return refusal(limit.error());
  auto repeats = flag_parameter(asked.query, "repeats", false);
  if (!repeats)
    return refusal(repeats.error());
  return client_message{get_prediction{std::move(*user), *limit, *repeats}};
}

next_step prepare_forget(const request& asked) {
  auto decoded = percent_decode(std::string_view{asked.path}.substr(user_path.size()));
  if (!decoded)
    return refusal(decoded.error());
  auto user = checked_id(std::move(*decoded));
  if (!user)
    return refusal(make_error(code_of(user.error()), "the user's name is not possible: " + sentence_of(user.error())));
  return client_message{forget_user{std::move(*user)}};
}

response answer_predict(const prediction& found) {
  auto items = json::array();
  for (const auto& item : found.items)
    items.push_back({{"data_id", item.id},
                     {"confidence", known(item.confidence)},
                     {"worth_copying", known(item.worth_copying)},
                     {"holders", item.holders},
                     {"regions", item.regions}});
  return json_response(200, dump({{"user_id", found.user},
                                  {"served_by", found.served_by},
                                  {"model", found.model},
                                  {"items", std::move(items)},
                                  {"repeats_left_out", found.repeats_left_out}}));
}

response answer_reads(const reads_receipt& receipt) {
  return json_response(202, dump({{"reads", receipt.reads}}));
}

} // namespace gnomon::http
