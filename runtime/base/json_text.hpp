#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace gnomon {

/// `document` as JSON that keeps every byte. A text that is not UTF-8 cannot be written directly. A member NAME then
/// becomes NAME_base64, and an element of a list becomes an object with the one member base64. Characters that could
/// control a terminal are written as \uNNNN. `indent` as in nlohmann::json::dump.
std::string json_text(const nlohmann::ordered_json& document, int indent = -1);
std::string json_text(const nlohmann::json& document, int indent = -1);

} // namespace gnomon
