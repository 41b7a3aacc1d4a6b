#include "runtime/gateway/json.hpp"

#include "runtime/base/strict_json.hpp"

namespace gnomon::http {

expected<nlohmann::json> parse_strictly(std::string_view text, std::string_view wanted) {
  auto body = parse_strict_json(text);
  if (!body.document.is_object())
    return make_error(ec::invalid_argument, "the body must be a JSON object" + std::string{wanted});
  if (body.repeated)
    return make_error(ec::invalid_argument, "the field " + *body.repeated + " is there twice; give it once");
  return std::move(body.document);
}

} // namespace gnomon::http
