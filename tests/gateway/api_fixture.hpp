#pragma once

#include "runtime/gateway/api.hpp"
#include "runtime/gateway/own_pages.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

/// Drives the API's handlers without sockets, and holds every status they answer against the OpenAPI document.
namespace gnomon::test {

inline const nlohmann::json& openapi() {
  static const auto document = nlohmann::json::parse(http::openapi_document());
  return document;
}

/// The statuses that the document's introduction declares for every operation.
inline bool declared_for_all(int status) {
  for (auto known : {401, 403, 404, 405, 408, 417, 431, 501, 505})
    if (status == known)
      return true;
  return false;
}

inline bool declared(http::endpoint where, std::string method, int status) {
  if (declared_for_all(status) || where == http::endpoint::unknown)
    return declared_for_all(status);
  const auto& path = openapi()["paths"][std::string{http::pattern_of(where)}];
  auto operation = http::lower_case(method);
  if (operation == "head" && !path.contains("head"))
    operation = "get";
  return path.contains(operation) && path[operation]["responses"].contains(std::to_string(status));
}

inline http::response checked(const http::request& asked, http::response answer) {
  if (!declared(http::find_route(asked.path), asked.method, answer.status))
    throw std::logic_error(asked.method + " " + asked.path + " answers " + std::to_string(answer.status)
                           + ", which openapi.json does not declare");
  return answer;
}

using field_list = std::vector<std::pair<std::string, std::string>>;

inline http::request ask(std::string method, std::string target, field_list fields = {}) {
  http::request asked;
  asked.method = std::move(method);
  auto mark = target.find('?');
  asked.path = target.substr(0, mark);
  asked.query = mark == std::string::npos ? "" : target.substr(mark + 1);
  asked.fields = std::move(fields);
  return asked;
}

inline http::request ask_with_body(std::string method, std::string target, std::string body, field_list fields = {}) {
  auto asked = ask(std::move(method), std::move(target), std::move(fields));
  asked.has_body = true;
  asked.body = std::move(body);
  return asked;
}

inline constexpr timestamp noon{std::chrono::hours{24 * 365 * 50 + 12}};

/// The message a request becomes; throws when it is answered at once.
template <class Message>
Message message_of(http::request asked) {
  auto step = http::prepare(asked, noon);
  if (auto* answer = std::get_if<http::response>(&step))
    throw std::logic_error("refused: " + answer->body.view());
  return std::get<Message>(std::get<http::client_message>(step));
}

/// The answer that a request gets at once; throws when it is passed on.
inline http::response refusal_of(http::request asked) {
  auto step = http::prepare(asked, noon);
  if (auto* answer = std::get_if<http::response>(&step))
    return checked(asked, *answer);
  throw std::logic_error("passed on: " + asked.method + " " + asked.path);
}

inline http::response reply_to(const http::request& asked, http::client_result result) {
  return checked(asked, http::complete(asked, std::move(result)));
}

/// The sentence of a problem document.
inline std::string detail(const http::response& answer) {
  return nlohmann::json::parse(answer.body.view())["detail"];
}

inline bool mentions(const http::response& answer, std::string_view word) {
  return detail(answer).find(word) != std::string::npos;
}

} // namespace gnomon::test
