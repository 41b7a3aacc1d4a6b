#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/gateway/api.hpp"
#include "runtime/gateway/http_stats.hpp"

namespace gnomon::http {

/// The OpenAPI 3.1 document of the API, as built in from `openapi.json`.
std::string_view openapi_document();

/// What an HTTP server knows about itself.
struct server_facts {
  std::vector<const http_stats*> threads;
  size_t connections = 0;
  std::map<std::string, uint64_t> tunnel; // what the tunnel counts
  uint64_t failed_openings = 0;           // of connections
  int64_t certificate_ends = 0;           // in seconds since 1970; 0: HTTP is not encrypted
};

/// Answers a page about the node from what it publishes, without asking an actor.
response answer_own(own_page page, const node_context& node, const server_facts& server);

} // namespace gnomon::http
