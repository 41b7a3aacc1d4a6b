#include "runtime/gateway/message.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace gnomon::http {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

int status_of(ec code) {
  switch (code) {
  case ec::invalid_argument:
    return 400;
  case ec::forbidden_region:
    return 403;
  case ec::not_found:
  case ec::not_here:
    return 404;
  case ec::rejected:
    return 409;
  case ec::gone:
    return 410;
  case ec::precondition_failed:
    return 412;
  case ec::too_large:
    return 413;
  case ec::unavailable:
  case ec::too_old:
  case ec::overloaded:
  case ec::peer_gone:
  case ec::not_enough_acks:
    return 503;
  case ec::timeout:
    return 504;
  case ec::store_failed:
    return 507;
  default:
    return 500;
  }
}

} // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

const std::string* request::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key == name)
      return &value;
  return nullptr;
}

void request::add_field(std::string_view name, std::string_view value) {
  auto key = lower_case(name);
  for (auto& [known, joined] : fields)
    if (known == key) {
      joined.append(", ").append(value);
      return;
    }
  fields.emplace_back(std::move(key), value);
}

const std::string* response::field(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name)
      return &value;
  return nullptr;
}

std::string_view response::content() const {
  return std::string_view{body.view()}.substr(std::min(offset, body.size()), length.value_or(std::string::npos));
}

std::string_view reason_phrase(int status) {
  static constexpr std::pair<int, std::string_view> phrases[] = {{100, "Continue"},
                                                                 {200, "OK"},
                                                                 {201, "Created"},
                                                                 {202, "Accepted"},
                                                                 {204, "No Content"},
                                                                 {206, "Partial Content"},
                                                                 {300, "Multiple Choices"},
                                                                 {304, "Not Modified"},
                                                                 {307, "Temporary Redirect"},
                                                                 {400, "Bad Request"},
                                                                 {401, "Unauthorized"},
                                                                 {403, "Forbidden"},
                                                                 {404, "Not Found"},
                                                                 {405, "Method Not Allowed"},
                                                                 {408, "Request Timeout"},
                                                                 {409, "Conflict"},
                                                                 {410, "Gone"},
                                                                 {412, "Precondition Failed"},
                                                                 {413, "Content Too Large"},
                                                                 {414, "URI Too Long"},
                                                                 {415, "Unsupported Media Type"},
                                                                 {416, "Range Not Satisfiable"},
                                                                 {417, "Expectation Failed"},
                                                                 {431, "Request Header Fields Too Large"},
                                                                 {500, "Internal Server Error"},
                                                                 {501, "Not Implemented"},
                                                                 {503, "Service Unavailable"},
                                                                 {504, "Gateway Timeout"},
                                                                 {505, "HTTP Version Not Supported"},
                                                                 {507, "Insufficient Storage"}};
  for (const auto& [code, phrase] : phrases)
    if (code == status)
      return phrase;
  return "Unknown";
}

response json_response(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}};
  answer.body = blob{std::move(text)};
  return answer;
}

response momentary(std::string_view type, std::string text) {
  response answer;
  answer.headers.emplace_back("Content-Type", type);
  answer.body = blob{std::move(text)};
  return answer;
}

response problem(int status, std::string_view error, std::string_view detail) {
  nlohmann::ordered_json document{{"type", "urn:gnomon:error:" + std::string{error}},
                                  {"title", reason_phrase(status)},
                                  {"status", status},
                                  {"detail", detail}};
  response answer;
  answer.status = status;
  answer.headers.emplace_back("Content-Type", "application/problem+json");
  answer.body = blob{document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
  if (status == 503)
    answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

response problem(const caf::error& err) {
  auto code = code_of(err);
  return problem(status_of(code), name(code), sentence_of(err));
}

std::string head_of(const response& answer, std::string_view date, std::string_view connection) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + ' ';
  head.append(reason_phrase(answer.status)).append("\r\n");
  for (const auto& [field, value] : answer.headers)
    head.append(field).append(": ").append(value).append("\r\n");
  if (!answer.field("Cache-Control"))
    head += "Cache-Control: no-store\r\n";
  auto bodiless = answer.status == 204 || answer.status == 304;
  if (!bodiless && !answer.without_length)
    head += "Content-Length: " + std::to_string(answer.length.value_or(answer.content().size())) + "\r\n";
  head.append("Date: ").append(date).append("\r\n");
  if (!connection.empty())
    head.append("Connection: ").append(connection).append("\r\n");
  return head += "\r\n";
}

} // namespace gnomon::http
