#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/percent.hpp"
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

} // namespace

next_step prepare_predict(const request& asked) {
  auto user = item_parameter(asked, "user_id"); // users keep to the bounds of ids
  if (!user)
    return refusal(user.error());
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

response answer_forget() {
  return response{204, {}, {}, 0, std::nullopt, false};
}

} // namespace gnomon::http
