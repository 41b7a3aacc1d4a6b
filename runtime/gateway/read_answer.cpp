#include "runtime/base/ids.hpp"
#include "runtime/gateway/byte_range.hpp"
#include "runtime/gateway/dates.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::http {

namespace {

// A list of entity tags; for reads the weak comparison is the right one (RFC 9110, 13.1.2), and ours are all strong.
bool names_tag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    auto one = trimmed(list.substr(0, list.find(',')));
    list.remove_prefix(
        std::min(list.size(), list.find(',') == std::string_view::npos ? list.size() : list.find(',') + 1));
    if (one.starts_with("W/"))
      one.remove_prefix(2);
    if (one == "*" || one == etag)
      return true;
  }
  return false;
}

void append_headers(response& answer, header_list more) {
  for (auto& field : more)
    answer.headers.push_back(std::move(field));
}

const std::string& value_of(const item_versions& item, size_t i) {
  static const std::string none;
  return i < item.values.size() ? item.values[i].view() : none;
}

// -- several siblings -------------------------------------------------------------------------------------------------

std::string base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    auto left = bytes.size() - i;
    auto byte = [&](size_t k) { return k < left ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + k])) : 0; };
    auto group = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += digits[group >> 18];
    text += digits[group >> 12 & 63];
    text += left > 1 ? digits[group >> 6 & 63] : '=';
    text += left > 2 ? digits[group & 63] : '=';
  }
  return text;
}

timestamp written(const sibling& version) {
  return timestamp{duration{version.stamp.millis}};
}

std::string siblings_as_json(const item_versions& item) {
  auto siblings = json::array();
  for (size_t i = 0; i < item.versions.siblings.size(); ++i) {
    const auto& version = item.versions.siblings[i];
    json entry{{"content_type", version.content_type},
               {"user_id", version.user},
               {"written", rfc3339(written(version))},
               {"bytes", version.bytes},
               {"deleted", version.deleted}};
    entry["value"] = version.deleted ? json(nullptr) : json(base64(value_of(item, i)));
    siblings.push_back(std::move(entry));
  }
  return dump({{"data_id", item.id}, {"context", item.versions.context.to_text()}, {"siblings", std::move(siblings)}});
}

// A line that occurs in no value.
std::string boundary_for(const item_versions& item) {
  for (uint64_t attempt = 0;; ++attempt) {
    auto boundary = fmt::format("gnomon-{:016x}", stable_hash(item.versions.etag(), attempt));
    auto occurs = std::any_of(item.values.begin(), item.values.end(),
                              [&](const blob& value) { return value.view().find(boundary) != std::string::npos; });
    if (!occurs)
      return boundary;
  }
}

std::string siblings_as_parts(const item_versions& item, const std::string& boundary) {
  std::string body;
  for (size_t i = 0; i < item.versions.siblings.size(); ++i) {
    const auto& version = item.versions.siblings[i];
    body += "--" + boundary + "\r\nContent-Type: " + field_value(version.content_type, "application/octet-stream");
    body += "\r\nGnomon-Written: " + rfc3339(written(version)) + "\r\n";
    if (version.deleted)
      body += "Gnomon-Deleted: true\r\n";
    body.append("\r\n").append(value_of(item, i)).append("\r\n");
  }
  return body += "--" + boundary + "--\r\n";
}

response answer_siblings(const request& asked, const item_versions& item) {
  const auto* accept = asked.field("accept");
  auto as_json = accept && accept->find("application/json") != std::string::npos;
  auto boundary = boundary_for(item);
  response answer;
  answer.status = 300;
  answer.headers.emplace_back("Content-Type", as_json ? "application/json" : "multipart/mixed; boundary=" + boundary);
  append_headers(answer, item_headers(item));
  if (asked.method == "HEAD")
    answer.without_length = true;
  else
    answer.body = blob{as_json ? siblings_as_json(item) : siblings_as_parts(item, boundary)};
  return answer;
}

// -- one version ------------------------------------------------------------------------------------------------------

void select_range(const request& asked, const std::string& etag, response& answer) {
  const auto* range = asked.field("range");
  const auto* only_if = asked.field("if-range");
  if (!range || asked.method != "GET" || (only_if && *only_if != etag))
    return;
  auto size = answer.body.size();
  auto part = parse_range(*range, size);
  if (part.what == byte_range::kind::whole)
    return;
  if (part.what == byte_range::kind::unsatisfiable) {
    answer = problem(416, "range-not-satisfiable", fmt::format("the value has {} bytes; ask for a range inside", size));
    answer.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return;
  }
  answer.status = 206;
  answer.offset = part.first;
  answer.length = part.count;
  answer.headers.emplace_back("Content-Range",
                              fmt::format("bytes {}-{}/{}", part.first, part.first + part.count - 1, size));
}

response answer_version(const request& asked, const item_versions& item) {
  const auto& version = item.versions.siblings.front();
  response answer;
  answer.headers.emplace_back("Content-Type", field_value(version.content_type, "application/octet-stream"));
  answer.headers.emplace_back("Accept-Ranges", "bytes");
  append_headers(answer, item_headers(item));
  if (asked.method == "HEAD") {
    answer.length = version.bytes;
    return answer;
  }
  if (!item.values.empty())
    answer.body = item.values.front();
  select_range(asked, item.versions.etag(), answer);
  return answer;
}

response with_item_headers(response answer, const item_versions& item) {
  append_headers(answer, item_headers(item));
  return answer;
}

} // namespace

response answer_read(const request& asked, const item_versions& item) {
  if (item.versions.siblings.empty())
    return problem(404, name(ec::not_found), "there is no item with this id");
  if (item.versions.deleted())
    return with_item_headers(problem(410, name(ec::gone), "the item was deleted"), item);
  const auto etag = item.versions.etag();
  const auto* match = asked.field("if-match");
  if (match && !names_tag(*match, etag))
    return with_item_headers(problem(412, name(ec::precondition_failed), "the item has another ETag now"), item);
  const auto* none = asked.field("if-none-match");
  if (none && names_tag(*none, etag)) {
    response answer;
    answer.status = 304;
    answer.headers = item_headers(item);
    return answer;
  }
  return item.versions.siblings.size() > 1 ? answer_siblings(asked, item) : answer_version(asked, item);
}

} // namespace gnomon::http
