#include "runtime/base/ids.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"
#include "runtime/gateway/uri.hpp"

#include <algorithm>

namespace gnomon::http {

namespace {

constexpr int64_t max_factor = 64;
constexpr double max_ttl_seconds = 100.0 * 366 * 24 * 3600;

json date_or_null(timestamp when) {
  return when == timestamp{} || when == timestamp::max() ? json(nullptr) : json(rfc3339(when));
}

// -- POST /shadow/create ----------------------------------------------------------------------------------------------

/// The field under either of its names.
nlohmann::json::const_iterator find_field(const nlohmann::json& document, const char* name, const char* older_name) {
  auto found = document.find(name);
  return found == document.end() ? document.find(older_name) : found;
}

caf::error take_id(const nlohmann::json& document, std::string& id) {
  auto field = find_field(document, "id", "data_id");
  if (field == document.end() || !field->is_string())
    return invalid("data_id must be given as a string");
  auto checked = checked_id(field->get<std::string>());
  if (!checked)
    return invalid("data_id: " + sentence_of(checked.error()));
  id = std::move(*checked);
  return {};
}

caf::error take_factor(const nlohmann::json& document, uint32_t& factor) {
  auto field = find_field(document, "factor", "shadowing_factor");
  if (field == document.end())
    return {};
  auto fits = field->is_number_integer() && *field >= 1 && *field <= max_factor;
  if (!fits)
    return invalid("shadowing_factor must be a whole number from 1 to 64");
  factor = field->get<uint32_t>();
  return {};
}

caf::error take_ttl(const nlohmann::json& document, duration& ttl) {
  auto field = document.find("ttl");
  if (field == document.end())
    return {};
  if (*field == "adaptive")
    return invalid("ttl \"adaptive\" is not offered by this version; give a number of seconds");
  auto fits = field->is_number() && *field >= 0.001 && *field <= max_ttl_seconds;
  if (!fits)
    return invalid("ttl must be a number of seconds, more than 0 and at most 100 years");
  ttl = duration{static_cast<int64_t>(field->get<double>() * 1000)};
  return {};
}

caf::error refuse_unknown_fields(const nlohmann::json& document) {
  static constexpr std::string_view fields[] = {"id", "data_id", "factor", "shadowing_factor", "ttl"};
  for (const auto& [key, value] : document.items())
    if (std::find(std::begin(fields), std::end(fields), key) == std::end(fields))
      return invalid("the field " + key + " is not known; there are data_id, shadowing_factor and ttl");
  if (document.contains("id") && document.contains("data_id"))
    return invalid("id and data_id mean the same; give one of them");
  if (document.contains("factor") && document.contains("shadowing_factor"))
    return invalid("factor and shadowing_factor mean the same; give one of them");
  return {};
}

expected<create_shadow> parse_create(const request& asked) {
  auto document = parse_strictly(asked.body, " with data_id, shadowing_factor and ttl");
  if (!document)
    return document.error();
  create_shadow message;
  for (auto fault : {refuse_unknown_fields(*document), take_id(*document, message.id),
                     take_factor(*document, message.factor), take_ttl(*document, message.ttl)})
    if (fault)
      return fault;
  return message;
}

// -- GET /route -------------------------------------------------------------------------------------------------------

expected<std::optional<double>> degrees(const request& asked, std::string_view name, double bound) {
  auto text = query_parameter(asked.query, name);
  if (!text)
    return text.error();
  if (!*text)
    return std::optional<double>{};
  auto value = parse_number<double>(**text);
  if (!value || !(std::abs(*value) <= bound))
    return invalid(std::string{name} + " must be a number of degrees from -" + std::to_string(static_cast<int>(bound))
                   + " to " + std::to_string(static_cast<int>(bound)));
  return value;
}

expected<get_route> parse_route(const request& asked) {
  auto id = id_parameter(asked);
  if (!id)
    return id.error();
  auto address = query_parameter(asked.query, "ip");
  if (!address)
    return address.error();
  if (*address && !ip_address::parse(**address))
    return invalid("ip must be an address such as 192.0.2.1 or 2001:db8::1");
  auto latitude = degrees(asked, "lat", 90);
  if (!latitude)
    return latitude.error();
  auto longitude = degrees(asked, "lon", 180);
  if (!longitude)
    return longitude.error();
  if (latitude->has_value() != longitude->has_value())
    return invalid("lat and lon belong together; give both or none");
  if (*address && latitude->has_value())
    return invalid("ip, and lat with lon, exclude each other; give one of them");
  get_route message;
  message.ip = address->value_or("");
  message.id = std::move(*id);
  message.has_place = latitude->has_value();
  message.latitude = latitude->value_or(0);
  message.longitude = longitude->value_or(0);
  return message;
}

} // namespace

next_step prepare_shadow_create(const request& asked) {
  if (asked.body.size() > max_json_bytes)
    return problem(413, "too-large", "the body has more than 1 MiB; a shadow needs a few fields only");
  return step_for(parse_create(asked));
}

response answer_shadow_create(const shadow_plan& plan) {
  auto regions = json::array(), copies = json::array();
  for (const auto& copy : plan.copies) {
    regions.push_back(copy.region);
    copies.push_back(with_older_names(
        {{"node", copy.node}, {"region", copy.region}, {"role", name(copy.role)}, {"present", copy.present}},
        {{"role", "state"}}));
  }
  json document{{"data_id", plan.id}, {"shadowing_factor", plan.factor}, {"regions", regions}, {"copies", copies}};
  document["shortfall"] = plan.shortfall.empty() ? json(nullptr) : json(plan.shortfall);
  return json_response(202, dump(document));
}

next_step prepare_shadow_drop(const request& asked) {
  auto id = id_parameter(asked);
  if (!id)
    return refusal(id.error());
  auto region = query_parameter(asked.query, "region");
  if (!region)
    return refusal(region.error());
  if (!*region)
    return refusal(invalid("the query parameter region is missing: it says which copy to drop"));
  return client_message{drop_shadow{std::move(*id), std::move(**region)}};
}

next_step prepare_shadow_status(const request& asked) {
  auto id = id_parameter(asked);
  if (!id)
    return refusal(id.error());
  return client_message{get_shadow_status{std::move(*id)}};
}

response answer_shadow_status(const shadow_report& report) {
  auto copies = json::array();
  for (const auto& copy : report.copies)
    copies.push_back(with_older_names({{"node", copy.node},
                                       {"region", copy.region},
                                       {"role", name(copy.role)},
                                       {"reason", name(copy.reason)},
                                       {"confidence", known(copy.confidence)},
                                       {"etag", copy.etag},
                                       {"context", copy.context.to_text()},
                                       {"created", date_or_null(copy.created)},
                                       {"expires", date_or_null(copy.expires)},
                                       {"bytes", copy.bytes},
                                       {"reads", copy.reads},
                                       {"demand", known(copy.demand)},
                                       {"cost_bytes", copy.cost_bytes},
                                       {"saved_ms", copy.saved_ms},
                                       {"spent_usd", rounded_usd(copy.spent_usd)},
                                       {"saved_usd", rounded_usd(copy.saved_usd)},
                                       {"why", copy.why},
                                       {"pinned", copy.pinned},
                                       {"reachable", copy.reachable},
                                       {"deleted", copy.deleted}},
                                      {{"etag", "version"}}));
  return json_response(200, dump({{"data_id", report.id},
                                  {"shadowing_factor", report.factor},
                                  {"min_copies", report.min_copies},
                                  {"steward", report.steward},
                                  {"deleted", report.deleted},
                                  {"copies", std::move(copies)}}));
}

next_step prepare_route(const request& asked) {
  return step_for(parse_route(asked));
}

response answer_route(const request& asked, const route_list& found) {
  auto choices = json::array();
  for (const auto& choice : found.choices)
    choices.push_back({{"node", choice.node},
                       {"region", choice.region},
                       {"holds", choice.holds},
                       {"live", choice.live},
                       {"rtt_ms", known(choice.rtt_ms)},
                       {"distance_km", known(choice.distance_km)},
                       {"expected_ms", known(choice.expected_ms)},
                       {"reason", choice.reason}});
  auto id = id_parameter(asked);
  return json_response(
      200, dump(with_older_names(
               {{"id", id ? *id : std::string{}}, {"client", found.client}, {"regions", std::move(choices)}},
               {{"id", "data_id"}})));
}

// -- the cluster ------------------------------------------------------------------------------------------------------

namespace {

expected<remove_node> parse_removal(const request& asked) {
  auto name = percent_decode(std::string_view{asked.path}.substr(std::string_view{"/cluster/node/"}.size()));
  if (!name)
    return name.error();
  if (name->empty())
    return make_error(ec::invalid_argument, "the path names no node; use /cluster/node/{name}");
  auto force = query_parameter(asked.query, "force");
  if (!force)
    return force.error();
  if (*force && **force != "true" && **force != "false")
    return make_error(ec::invalid_argument, "the query parameter force must be true or false");
  return remove_node{std::move(*name), *force && **force == "true"};
}

} // namespace

next_step prepare_removal(const request& asked) {
  return step_for(parse_removal(asked));
}

response answer_removal(const node_removal& removal) {
  return json_response(
      200,
      dump({{"node", removal.node}, {"incarnation", std::to_string(removal.incarnation)}, {"items", removal.items}}));
}

response answer_cluster(const cluster_report& report) {
  auto nodes = json::array();
  for (const auto& node : report.nodes)
    nodes.push_back(with_older_names({{"node", node.node},
                                      {"region", node.region},
                                      {"address", node.address},
                                      {"incarnation", std::to_string(node.incarnation)},
                                      {"latitude", node.latitude.value},
                                      {"longitude", node.longitude.value},
                                      {"state", name(node.state)},
                                      {"rtt_ms", known(node.rtt_ms)},
                                      {"items", node.items},
                                      {"shadows", node.shadows},
                                      {"bytes", node.bytes},
                                      {"tombstones", node.tombstones},
                                      {"silent_ms", known(static_cast<double>(node.silent_ms))},
                                      {"fresh", node.fresh},
                                      {"caught_up", node.caught_up}},
                                     {{"shadows", "leases"}}));
  const auto& repair = report.repair;
  auto removed = json::array();
  for (const auto& gone : report.removed)
    removed.push_back({{"node", gone.node}, {"incarnation", std::to_string(gone.incarnation)}});
  return momentary("application/json", dump({{"self", report.self},
                                             {"nodes", std::move(nodes)},
                                             {"catching_up_ms", report.catching_up_ms},
                                             {"repair",
                                              {{"active", repair.active},
                                               {"checked", repair.checked},
                                               {"repaired", repair.repaired},
                                               {"failed", repair.failed},
                                               {"under_way", repair.under_way}}},
                                             {"removed", std::move(removed)}}));
}

} // namespace gnomon::http
