#include "runtime/base/expiry.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/base/request_id.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"
#include "runtime/gateway/uri.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr uint32_t max_acks = 64;
constexpr auto expiry_bound = "Gnomon-Expires must lie 1 second to 100 years ahead";
constexpr uint32_t max_page = 10'000;

// -- what both reads and writes say -----------------------------------------------------------------------------------

caf::error take_id(const request& asked, std::string& id) {
  auto decoded = percent_decode(std::string_view{asked.path}.substr(item_path.size()));
  if (!decoded)
    return decoded.error();
  auto checked = checked_id(std::move(*decoded));
  if (!checked)
    return checked.error();
  id = std::move(*checked);
  return {};
}

caf::error take_user(const request& asked, std::string& user) {
  auto named = user_parameter(asked);
  if (!named)
    return named.error();
  user = std::move(*named);
  return {};
}

caf::error take_context(const request& asked, version_vector& seen) {
  const auto* text = asked.field("gnomon-context");
  if (!text)
    return {};
  auto parsed = version_vector::from_text(*text);
  if (!parsed)
    return invalid("Gnomon-Context cannot be read: " + sentence_of(parsed.error()));
  seen = std::move(*parsed);
  return {};
}

// -- writes -----------------------------------------------------------------------------------------------------------

// The tag of the form as JSON stands for the same versions.
std::string plain_tags(std::string list) {
  for (auto at = list.find(json_tag_end); at != std::string::npos; at = list.find(json_tag_end, at))
    list.erase(at, json_tag_end.size() - 1);
  return list;
}

caf::error take_condition(const request& asked, write_item& message) {
  const auto* match = asked.field("if-match");
  const auto* none = asked.field("if-none-match");
  if (match && none)
    return invalid("If-Match and If-None-Match exclude each other; send one of them");
  if (none && (*none != "*" || message.deleted))
    return invalid("If-None-Match on a write may only be *, and only with PUT: write if there is no version yet");
  if (match && *match != "*" && match->find('"') == std::string::npos)
    return invalid("If-Match takes ETags in double quotes, as an earlier answer said them, or *");
  if (none)
    message.condition = write_condition::if_absent;
  if (match) {
    message.condition = write_condition::if_match;
    message.etag = plain_tags(*match);
  }
  return {};
}

caf::error take_request_id(const request& asked, std::string& request_id) {
  const auto* text = asked.field("gnomon-request-id");
  if (!text)
    return {};
  auto checked = checked_request_id(*text);
  if (!checked)
    return invalid("Gnomon-Request-Id cannot be used: " + sentence_of(checked.error()));
  request_id = std::move(*checked);
  return {};
}

caf::error take_acks(const request& asked, uint32_t& acks) {
  const auto* text = asked.field("gnomon-acks");
  if (!text)
    return {};
  if (*text == "all") {
    acks = acks_all;
    return {};
  }
  auto number = parse_number<int64_t>(*text);
  if (!number || *number < 1 || *number > max_acks)
    return invalid("Gnomon-Acks must be a number of copies from 1 to 64, or all");
  acks = static_cast<uint32_t>(*number);
  return {};
}

caf::error take_expiry(const request& asked, timestamp now, timestamp& expires) {
  const auto* text = asked.field("gnomon-expires");
  if (!text)
    return {};
  if (auto seconds = parse_number<int64_t>(*text)) {
    if (*seconds < 1 || *seconds > longest_expiry.count())
      return invalid(expiry_bound);
    expires = now + std::chrono::seconds{*seconds};
    return {};
  }
  auto date = parse_http_date(*text);
  if (!date)
    return invalid("Gnomon-Expires must be seconds from now or a date like Sun, 06 Nov 1994 08:49:37 GMT");
  if (*date <= now)
    return invalid("Gnomon-Expires lies in the past; to remove an item use DELETE");
  if (is_too_far(*date, now))
    return invalid(expiry_bound);
  expires = *date;
  return {};
}

expected<write_item> parse_write(request& asked, timestamp now) {
  write_item message;
  message.deleted = asked.method == "DELETE";
  for (auto fault : {take_id(asked, message.id), take_user(asked, message.user), take_context(asked, message.seen),
                     take_condition(asked, message), take_request_id(asked, message.request_id),
                     take_acks(asked, message.acks), take_expiry(asked, now, message.expires)})
    if (fault)
      return fault;
  if (message.deleted)
    return message;
  const auto* type = asked.field("content-type");
  message.content_type = field_value(type ? *type : "", "application/octet-stream");
  message.value = blob{std::move(asked.body)};
  return message;
}

caf::error take_consistency(const request& asked, bool& strong) {
  auto wanted = query_parameter(asked.query, "consistency");
  if (!wanted)
    return wanted.error();
  if (*wanted && **wanted != "strong")
    return invalid("consistency can only be strong: then 404 means that every region was asked");
  strong = wanted->has_value();
  return {};
}

expected<read_item> parse_read(const request& asked) {
  read_item message;
  for (auto fault : {take_id(asked, message.id), take_user(asked, message.user), take_context(asked, message.seen),
                     take_consistency(asked, message.strong)})
    if (fault)
      return fault;
  message.without_values = asked.method == "HEAD";
  return message;
}

// -- lists ------------------------------------------------------------------------------------------------------------

expected<count_items> parse_count(const request& asked) {
  for (auto name : {"after", "limit"})
    if (auto other = query_parameter(asked.query, name); !other || *other)
      return !other ? other.error() : invalid(std::string{name} + " is for lists; a count takes a prefix only");
  auto prefix = query_parameter(asked.query, "prefix");
  if (!prefix)
    return prefix.error();
  return count_items{prefix->value_or("")};
}

expected<list_items> parse_list(const request& asked) {
  list_items message;
  auto prefix = query_parameter(asked.query, "prefix");
  auto after = query_parameter(asked.query, "after");
  auto limit = query_parameter(asked.query, "limit");
  for (const auto* part : {&prefix, &after, &limit})
    if (!*part)
      return part->error();
  message.prefix = prefix->value_or("");
  message.after = after->value_or("");
  if (message.prefix.size() > max_id_bytes || message.after.size() > max_id_bytes)
    return make_error(ec::too_large, "prefix and after may have at most 1,024 bytes, as ids do");
  if (*limit) {
    auto number = parse_number<int64_t>(**limit);
    if (!number || *number < 1 || *number > max_page)
      return invalid("limit must be a number from 1 to 10000");
    message.limit = static_cast<uint32_t>(*number);
  }
  return message;
}

} // namespace

next_step prepare_read(const request& asked) {
  return step_for(parse_read(asked));
}

next_step prepare_write(request& asked, timestamp now) {
  return step_for(parse_write(asked, now));
}

next_step prepare_list(const request& asked) {
  auto count = flag_parameter(asked.query, "count", false);
  if (!count)
    return refusal(count.error());
  return *count ? step_for(parse_count(asked)) : step_for(parse_list(asked));
}

response answer_write(const request& asked, const write_receipt& receipt) {
  response answer;
  answer.status = receipt.created && asked.method == "PUT" ? 201 : 204;
  answer.headers = {{"ETag", receipt.etag},
                    {"Gnomon-Context", receipt.context.to_text()},
                    {"Gnomon-Served-By", field_value(receipt.served_by)},
                    {"Gnomon-Acks", std::to_string(receipt.acks)}};
  if (receipt.versions > 1)
    answer.headers.emplace_back("Gnomon-Versions", std::to_string(receipt.versions));
  return answer;
}

response answer_list(const request& asked, const item_page& page) {
  auto items = json::array();
  for (const auto& item : page.items)
    items.push_back(with_older_names({{"id", item.id},
                                      {"bytes", item.bytes},
                                      {"content_type", item.content_type},
                                      {"role", name(item.role)},
                                      {"versions", item.versions}},
                                     {{"id", "data_id"}, {"versions", "siblings"}}));
  json next = nullptr;
  if (auto message = parse_list(asked); message && page.more && !page.items.empty())
    next = "/data?prefix=" + percent_encode(message->prefix) + "&after=" + percent_encode(page.items.back().id)
           + "&limit=" + std::to_string(message->limit);
  return json_response(200, dump({{"items", std::move(items)}, {"next", std::move(next)}}));
}

response answer_count(const request& asked, const item_count& count) {
  auto message = parse_count(asked);
  return json_response(200, dump({{"prefix", message ? message->prefix : std::string{}},
                                  {"here", count.here},
                                  {"everywhere", count.everywhere},
                                  {"complete", count.complete}}));
}

} // namespace gnomon::http
