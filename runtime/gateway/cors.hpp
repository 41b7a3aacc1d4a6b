#pragma once

#include "runtime/gateway/routes.hpp"

#include <optional>
#include <string>
#include <vector>

/// What pages in browsers may ask that come from elsewhere (Fetch Standard, section 3.2). `origins` are those of the
/// pages that may; "*": all. Pure.
namespace gnomon::http {

/// True for "*" and for an origin, such as https://app.example or http://localhost:3000.
bool is_origin_rule(const std::string& text);

/// Lets the page that asked see the answer. Says to caches that the answer depends on who asks.
void add_cors(response& answer, const request& asked, const std::vector<std::string>& origins);

/// The answer to the question whether a page may send a request; nothing when this is no such question.
std::optional<response> preflight(const request& asked, endpoint where, const std::vector<std::string>& origins);

} // namespace gnomon::http
