#include "runtime/base/base64.hpp"
#include "runtime/base/byte_range.hpp"
#include "runtime/base/etag.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/accept.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::http {

namespace {

/// The forms in which an item is answered. Each has ETags of its own: caches and conditions must not take one for the
/// other.
enum class form { value, parts, json };

bool prefers_json(const request& asked) {
  const auto* accept = asked.field("accept");
  if (!accept)
    return false;
  auto json = welcome_of(*accept, "application/json"), parts = welcome_of(*accept, "multipart/mixed");
  if (json.thousandths != parts.thousandths)
    return json.thousandths > parts.thousandths;
  return json.thousandths > 0 ? json.named : parts.named && !json.named; // the last: only the parts are refused
}

form form_of(const request& asked, const item_versions& item) {
  if (item.versions.siblings.size() == 1)
    return form::value;
  return prefers_json(asked) ? form::json : form::parts;
}

header_list headers_of(const item_versions& item, form as) {
  auto headers = item_headers(item);
  auto& etag = headers.front().second;
  if (as == form::json)
    etag.insert(etag.size() - 1, json_tag_end.substr(0, json_tag_end.size() - 1));
  return headers;
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

timestamp written(const sibling& version) {
  return timestamp{duration{version.stamp.millis}};
}

std::string siblings_as_json(const item_versions& item) {
  auto siblings = json::array();
  for (size_t i = 0; i < item.versions.siblings.size(); ++i) {
    const auto& version = item.versions.siblings[i];
    json entry{{"content_type", version.content_type},
               {"user", version.user},
               {"written", rfc3339(written(version))},
               {"bytes", version.bytes},
               {"deleted", version.deleted}};
    entry["value"] = version.deleted ? json(nullptr) : json(base64_encode(value_of(item, i)));
    siblings.push_back(std::move(entry));
  }
  return dump(with_older_names(
      {{"id", item.id}, {"context", item.versions.context.to_text()}, {"versions", std::move(siblings)}},
      {{"id", "data_id"}, {"versions", "siblings"}}));
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

response answer_siblings(const request& asked, const item_versions& item, form as) {
  auto as_json = as == form::json;
  auto boundary = boundary_for(item);
  response answer;
  answer.status = 300;
  answer.headers.emplace_back("Content-Type", as_json ? "application/json" : "multipart/mixed; boundary=" + boundary);
  append_headers(answer, headers_of(item, as));
  if (asked.method == "HEAD")
    answer.without_length = true;
  else
    answer.body = blob{as_json ? siblings_as_json(item) : siblings_as_parts(item, boundary)};
  return answer;
}

// -- one version ------------------------------------------------------------------------------------------------------

// Other units than bytes are ignored, as RFC 9110 (14.2) allows: the whole value is the answer.
void select_range(const request& asked, const std::string& etag, response& answer) {
  constexpr std::string_view unit = "bytes=";
  const auto* range = asked.field("range");
  const auto* only_if = asked.field("if-range");
  if (!range || !same_ignoring_case(std::string_view{*range}.substr(0, unit.size()), unit) || asked.method != "GET"
      || (only_if && *only_if != etag))
    return;
  auto size = answer.body.size();
  auto part = parse_range(std::string_view{*range}.substr(unit.size()), size);
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

/// To the HTTP of a holder that is nearer to the client; for this request only.
response sent_on(const request& asked, const std::string& holder) {
  response answer;
  answer.status = 307;
  answer.headers.emplace_back("Location", (asked.tls ? "https://" : "http://") + holder + asked.path
                                              + (asked.query.empty() ? "" : "?" + asked.query));
  return answer;
}

} // namespace

response answer_read(const request& asked, const item_versions& item) {
  if (!item.elsewhere.empty())
    return sent_on(asked, item.elsewhere);
  if (item.versions.siblings.empty())
    return problem(404, name(ec::not_found), "there is no item with this id");
  if (item.versions.deleted())
    return with_item_headers(problem(410, name(ec::gone), "the item was deleted"), item);
  auto as = form_of(asked, item);
  auto headers = headers_of(item, as);
  const auto& etag = headers.front().second;
  const auto* match = asked.field("if-match");
  if (match && !names_tag(*match, etag, false))
    return with_item_headers(problem(412, name(ec::precondition_failed), "the item has another ETag now"), item);
  const auto* none = asked.field("if-none-match");
  if (none && names_tag(*none, etag, true)) {
    response answer;
    answer.status = 304;
    answer.headers = std::move(headers);
    return answer;
  }
  return as == form::value ? answer_version(asked, item) : answer_siblings(asked, item, as);
}

} // namespace gnomon::http
