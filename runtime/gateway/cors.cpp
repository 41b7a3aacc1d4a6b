#include "runtime/gateway/cors.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr auto asked_by_clients = "Authorization, Content-Type, If-Match, If-None-Match, If-Modified-Since, "
                                  "If-Unmodified-Since, If-Range, Range, Accept, Last-Event-ID, Gnomon-Acks, "
                                  "Gnomon-Context, Gnomon-Expires, Gnomon-Request-Id";
constexpr auto shown_to_clients = "ETag, Location, Retry-After, Allow, Accept-Ranges, Content-Range, WWW-Authenticate, "
                                  "Gnomon-Acks, Gnomon-Context, Gnomon-Copy, Gnomon-Created, Gnomon-Deleted, "
                                  "Gnomon-Expires, Gnomon-Served-By, Gnomon-Siblings, Gnomon-Stale, Gnomon-User, "
                                  "Gnomon-Written";
constexpr auto remembered_for = "600"; // seconds

/// What Access-Control-Allow-Origin says; empty: nothing.
std::string allowed_origin(const request& asked, const std::vector<std::string>& origins) {
  const auto* origin = asked.field("origin");
  auto has = [&](const std::string& text) { return std::find(origins.begin(), origins.end(), text) != origins.end(); };
  if (!origin)
    return {};
  return has("*") ? "*" : has(*origin) ? *origin : std::string{};
}

} // namespace

bool is_origin_rule(const std::string& text) {
  if (text == "*")
    return true;
  const auto scheme = text.find("://");
  if (scheme == std::string::npos || scheme == 0 || scheme + 3 == text.size())
    return false;
  return text.find_first_of("/?# ,\t\r\n", scheme + 3) == std::string::npos;
}

void add_cors(response& answer, const request& asked, const std::vector<std::string>& origins) {
  if (origins.empty())
    return;
  answer.headers.emplace_back("Vary", "Origin");
  const auto origin = allowed_origin(asked, origins);
  if (origin.empty())
    return;
  answer.headers.emplace_back("Access-Control-Allow-Origin", origin);
  answer.headers.emplace_back("Access-Control-Expose-Headers", shown_to_clients);
}

std::optional<response> preflight(const request& asked, endpoint where, const std::vector<std::string>& origins) {
  if (origins.empty() || asked.method != "OPTIONS" || !asked.field("origin")
      || !asked.field("access-control-request-method"))
    return std::nullopt;
  response answer;
  answer.status = 204;
  if (allowed_origin(asked, origins).empty())
    return answer;
  for (const auto& row : routes)
    if (row.where == where)
      answer.headers.emplace_back("Access-Control-Allow-Methods", row.methods);
  answer.headers.emplace_back("Access-Control-Allow-Headers", asked_by_clients);
  answer.headers.emplace_back("Access-Control-Max-Age", remembered_for);
  return answer;
}

} // namespace gnomon::http
