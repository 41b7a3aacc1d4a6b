#define CAF_SUITE openapi
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <set>

using namespace gnomon;
using namespace gnomon::test;

namespace {

using operation = std::pair<std::string, std::string>; // method, path

// HEAD goes with every GET and need not be documented again.
std::set<operation> served() {
  std::set<operation> all;
  for (const auto& row : http::routes)
    for (auto method : {"GET", "PUT", "POST", "DELETE"})
      if (http::allows(row, method))
        all.emplace(http::lower_case(method), row.pattern);
  return all;
}

std::set<operation> documented() {
  std::set<operation> all;
  for (const auto& [path, methods] : openapi()["paths"].items())
    for (const auto& [method, what] : methods.items())
      if (method != "parameters" && method != "head")
        all.emplace(method, path);
  return all;
}

void check_references(const nlohmann::json& part) {
  if (part.is_object() && part.contains("$ref")) {
    auto pointer = part["$ref"].get<std::string>().substr(1);
    CAF_CHECK(openapi().contains(nlohmann::json::json_pointer(pointer)));
  }
  if (part.is_structured())
    for (const auto& inner : part)
      check_references(inner);
}

} // namespace

CAF_TEST(the_document_names_exactly_what_the_server_answers) {
  for (const auto& [method, path] : served())
    if (documented().count({method, path}) == 0)
      CAF_ERROR("not in openapi.json: " << method << " " << path);
  for (const auto& [method, path] : documented())
    if (served().count({method, path}) == 0)
      CAF_ERROR("not served: " << method << " " << path);
  CAF_CHECK_EQUAL(documented().size(), served().size());
}

CAF_TEST(every_reference_in_the_document_leads_somewhere) {
  CAF_CHECK_EQUAL(openapi()["openapi"], "3.1.0");
  check_references(openapi());
}

CAF_TEST(every_operation_has_a_name_of_its_own_for_generators) {
  std::set<std::string> names;
  for (const auto& [path, methods] : openapi()["paths"].items())
    for (const auto& [method, what] : methods.items())
      if (method != "parameters" && !names.insert(what.value("operationId", "")).second)
        CAF_ERROR("missing or not the only one: " << method << " " << path << ": " << what.value("operationId", ""));
  CAF_CHECK_EQUAL(names.count(""), 0u);
  for (const auto& name : names)
    CAF_CHECK_EQUAL(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
}

CAF_TEST(every_operation_says_what_it_answers_when_all_is_well) {
  for (const auto& [method, path] : documented()) {
    const auto& responses = openapi()["paths"][path][method]["responses"];
    CAF_CHECK(responses.contains("200") || responses.contains("201") || responses.contains("202")
              || responses.contains("204"));
  }
}

CAF_TEST(every_operation_names_the_role_that_it_needs) {
  for (const auto& row : http::routes)
    for (const auto& [method, what] : openapi()["paths"][std::string{row.pattern}].items()) {
      if (method == "parameters")
        continue;
      const auto needed = http::role_for(row.where, method == "get" || method == "head" ? "GET" : method);
      const nlohmann::json roles{name(needed)};
      const auto expected =
          needed == role::none ? nlohmann::json::array()
                               : nlohmann::json{{{"token", roles}}, {{"certificate", roles}}, nlohmann::json::object()};
      if (what["security"] != expected)
        CAF_ERROR(method << " " << row.pattern << " needs " << name(needed) << ", not " << what["security"].dump());
    }
}
