// Changes as a stream of server-sent events (WHATWG HTML, section 9.2).
#include "runtime/base/base64.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"
#include "runtime/gateway/uri.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::http {

namespace {

constexpr duration longest_wait{10'000}; // between two signs of life

caf::error set_scope(const request& asked, follow_changes& message) {
  auto id = query_parameter(asked.query, "id", "data_id"), prefix = query_parameter(asked.query, "prefix");
  auto cluster = flag_parameter(asked.query, "cluster", false);
  if (!id || !prefix || !cluster)
    return !id ? id.error() : !prefix ? prefix.error() : cluster.error();
  if (id->has_value() + prefix->has_value() + *cluster != 1)
    return invalid("say what to watch, with exactly one of id=ID, prefix=PREFIX and cluster=true");
  if (*cluster) {
    message.scope = follow_scope::cluster;
  } else if (*prefix) {
    message.scope = follow_scope::prefix;
    message.name = std::move(**prefix);
  } else {
    auto checked = checked_id(std::move(**id));
    if (!checked)
      return checked.error();
    message.name = std::move(*checked);
  }
  return {};
}

std::string json_of(const change& what) {
  json document{{"event", what.kind}};
  auto of_item = !what.etag.empty();
  auto name = what.kind.starts_with("node-") ? "node" : what.kind == "policy" || what.kind == "model" ? "name" : "id";
  if (!what.id.empty())
    document[name] = what.id;
  if (of_item) {
    document["context"] = what.context;
    document["etag"] = what.etag;
    document["missed"] = what.missed;
  }
  document["time"] = rfc3339(timestamp{duration{what.at_ms}});
  if (what.has_value) {
    document["content_type"] = what.content_type;
    document["value"] = base64_encode(what.value);
  }
  return dump(document);
}

} // namespace

next_step prepare_watch(const request& asked) {
  follow_changes message;
  if (auto problem = set_scope(asked, message))
    return refusal(problem);
  auto present = flag_parameter(asked.query, "present", true), values = flag_parameter(asked.query, "values", false);
  auto after = query_parameter(asked.query, "after");
  if (!present || !values || !after)
    return refusal(!present ? present.error() : !values ? values.error() : after.error());
  message.present = *present;
  message.values = *values;
  message.after = after->value_or("");
  if (const auto* last = asked.field("last-event-id")) // of a client that connects again
    message.after = *last;
  message.wait = longest_wait;
  return client_message{std::move(message)};
}

std::string events_of(const change_page& page) {
  if (page.changes.empty())
    return ":\n\n"; // a comment, as a sign of life
  std::string text;
  for (const auto& what : page.changes)
    text += fmt::format("id: {}\nevent: {}\ndata: {}\n", what.position, what.kind, json_of(what));
  return text;
}

} // namespace gnomon::http
