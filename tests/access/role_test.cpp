#define CAF_SUITE role
#include "runtime/access/role.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(each_role_includes_those_before) {
  const role all[] = {role::none, role::read, role::write, role::admin};
  for (auto has : all)
    for (auto needed : all)
      CAF_CHECK_EQUAL(grant({"x", has}).has(needed), has >= needed);
  for (auto what : all)
    CAF_CHECK(role_from(name(what)) == what);
  CAF_CHECK(!role_from("root"));
}

CAF_TEST(a_grant_covers_its_data_types_or_all) {
  const grant all{"x", role::read}, some{"x", role::read, {"news", "sports"}};
  CAF_CHECK(all.covers("anything"));
  CAF_CHECK(some.covers("news"));
  CAF_CHECK(!some.covers("new"));
  CAF_CHECK(!some.covers(""));
}

CAF_TEST(the_config_names_clients_with_role_and_types) {
  const auto plain = parse_named_grant("reports = read");
  CAF_REQUIRE(plain);
  CAF_CHECK_EQUAL(plain->name, "reports");
  CAF_CHECK(plain->rights.may == role::read);
  CAF_CHECK(plain->rights.types.empty());
  const auto limited = parse_named_grant(" importer=write  news   sports ");
  CAF_REQUIRE(limited);
  CAF_CHECK_EQUAL(limited->rights.who, "certificate importer");
  CAF_CHECK(limited->rights.types == (std::vector<std::string>{"news", "sports"}));
  for (auto text : {"", "reports", "reports =", "= read", "reports = none", "reports = root", "re ports = read",
                    "reports = read a/b", "reports = read a,b"})
    CAF_CHECK(!parse_named_grant(text));
}
