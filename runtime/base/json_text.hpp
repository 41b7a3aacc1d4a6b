#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace gnomon {

/// `document` as JSON that says every byte. A text that is not UTF-8 cannot stand there: instead of a member NAME there
/// is NAME_base64, instead of an element of a list an object with the one member base64. Characters that a terminal
/// could obey are written \uNNNN. `indent` as in nlohmann::json::dump.
std::string json_text(const nlohmann::ordered_json& document, int indent = -1);
std::string json_text(const nlohmann::json& document, int indent = -1);

} // namespace gnomon
