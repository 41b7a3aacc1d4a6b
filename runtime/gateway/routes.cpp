#include "runtime/gateway/routes.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

const route* row_of(endpoint where) {
  for (const auto& row : routes)
    if (row.where == where)
      return &row;
  return nullptr;
}

bool needs_json(endpoint where, std::string_view method) {
  return (method == "PUT" && (where == endpoint::policy || where == endpoint::default_policy))
         || where == endpoint::shadow_create || where == endpoint::reads;
}

// A missing Content-Type passes: RFC 9110 lets the server assume one.
bool is_json(const request& asked) {
  const auto* type = asked.field("content-type");
  return !type || same_ignoring_case(trimmed(std::string_view{*type}.substr(0, type->find(';'))), "application/json");
}

// A body in another coding than "identity" would be taken for what it is not.
bool is_coded(const request& asked) {
  const auto* codings = asked.field("content-encoding");
  for (auto rest = codings ? std::string_view{*codings} : std::string_view{}; !rest.empty();) {
    auto end = std::min(rest.find(','), rest.size());
    auto coding = trimmed(rest.substr(0, end));
    if (!coding.empty() && !same_ignoring_case(coding, "identity"))
      return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::optional<response> refuse_body(const request& asked) {
  if (!asked.has_body)
    return problem(400, "missing-body",
                   "the request has no body; send one, with Content-Length: 0 when it is meant to be empty");
  if (asked.field("content-range"))
    return problem(400, "partial-body", "a body with Content-Range is a part, and only whole ones can be taken");
  if (!is_coded(asked))
    return std::nullopt;
  auto answer = problem(415, "unsupported-coding",
                        "Content-Encoding is not kept, so readers could not undo it: send the body as it is, or name "
                        "the coding in Content-Type, such as application/gzip");
  answer.headers.emplace_back("Accept-Encoding", "identity");
  return answer;
}

} // namespace

std::string_view pattern_of(endpoint where) {
  const auto* row = row_of(where);
  return row ? row->pattern : "unknown";
}

endpoint find_route(std::string_view path) {
  if (path.starts_with("/data/"))
    return endpoint::item;
  if (path.starts_with("/prefetch/user/"))
    return endpoint::user;
  if (path.starts_with("/prefetch/train/"))
    return endpoint::training;
  for (const auto& row : routes)
    if (row.pattern == path)
      return row.where;
  constexpr std::string_view policies = "/policy/";
  if (path.starts_with(policies) && path.find('/', policies.size()) != std::string_view::npos)
    return endpoint::policy;
  if (path.starts_with("/cluster/node/"))
    return endpoint::cluster_node;
  return endpoint::unknown;
}

role role_for(endpoint where, std::string_view method) {
  const auto* row = row_of(where);
  if (!row)
    return role::read;
  return method == "GET" || method == "HEAD" ? row->reading : row->changing;
}

bool allows(const route& row, std::string_view method) {
  auto rest = row.methods;
  while (!rest.empty()) {
    auto one = rest.substr(0, rest.find(", "));
    if (one == method)
      return true;
    rest.remove_prefix(std::min(rest.size(), one.size() + 2));
  }
  return false;
}

std::optional<response> refuse(const request& asked, endpoint where) {
  const auto* row = row_of(where);
  if (!row)
    return problem(404, "unknown-path", "there is nothing at this path; /openapi.json lists what there is");
  if (!allows(*row, asked.method)) {
    auto answer = problem(405, "method-not-allowed",
                          std::string{row->pattern} + " understands " + std::string{row->methods} + " only");
    answer.headers.emplace_back("Allow", row->methods);
    return answer;
  }
  if (asked.method == "PUT" || asked.method == "POST")
    if (auto refusal = refuse_body(asked))
      return refusal;
  if (needs_json(where, asked.method) && !is_json(asked))
    return problem(415, "unsupported-media-type", "the body must be JSON; send it with Content-Type: application/json");
  return std::nullopt;
}

} // namespace gnomon::http
