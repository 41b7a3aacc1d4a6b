#define CAF_SUITE responder
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

using lines = std::vector<std::string>;

struct fixture : world {
  fixture() {
    put("item", set_of(eu) | set_of(us) | set_of(ap));
    put("at-us", set_of(us));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(responder_tests, fixture)

CAF_TEST(an_item_is_at_its_nearest_live_holder) {
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a)), lines{"203.0.113.1"});
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a, subnet_option("10.2.3.0/24"))), lines{"203.0.113.2"});
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a, subnet_option("10.1.3.0/24"))), lines{"203.0.113.3"});
  CAF_CHECK_EQUAL(answers(ask(host("at-us"), type::a)), lines{"203.0.113.2"});
  set_live(eu, false);
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a)), lines{"203.0.113.2"});
}

CAF_TEST(the_service_name_is_the_nearest_live_region) {
  CAF_CHECK_EQUAL(answers(ask("g.example", type::a)), lines{"203.0.113.1"});
  CAF_CHECK_EQUAL(answers(ask("g.example", type::a, subnet_option("10.0.0.0/24"))), lines{"203.0.113.2"});
  CAF_CHECK_EQUAL(answers(ask("other.example", type::aaaa)), lines{"2001:db8:2::1"});
}

CAF_TEST(an_address_family_that_the_nearest_lacks_comes_from_the_next) {
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::aaaa, subnet_option("10.2.3.0/24"))), lines{"2001:db8:2::1"});
  const auto none = ask(host("at-us"), type::aaaa);
  CAF_CHECK_EQUAL(code_of(none), rcode::noerror);
  CAF_CHECK(answers(none).empty());
  CAF_CHECK_EQUAL(authorities(none).size(), 1u);
}

CAF_TEST(service_records_name_the_three_nearest_in_order) {
  const lines expected{"1 ap.g.example. port=8080 ipv4hint=203.0.113.3 ipv6hint=2001:db8:2::3 ",
                       "2 us.g.example. port=8080 ipv4hint=203.0.113.2 ",
                       "3 eu.g.example. port=8080 ipv4hint=203.0.113.1 ipv6hint=2001:db8:2::1 "};
  from.tcp = true;
  for (const auto qtype : {type::https, type::svcb}) {
    auto found = answers(ask(host("item"), qtype, subnet_option("10.1.0.0/16")));
    CAF_REQUIRE_EQUAL(found.size(), 3u);
    for (size_t i = 0; i < found.size(); ++i)
      CAF_CHECK_EQUAL(found[i] + (found[i].ends_with(' ') ? "" : " "), expected[i]);
  }
}

CAF_TEST(a_regions_own_name_has_its_addresses_even_when_it_is_down) {
  set_live(eu, false);
  CAF_CHECK_EQUAL(answers(ask("eu.g.example", type::a)), lines{"203.0.113.1"});
  const auto service = ask("eu.g.example", type::https, subnet_option("10.1.0.0/16"));
  CAF_REQUIRE_EQUAL(answers(service).size(), 1u);
  CAF_CHECK(answers(service)[0].starts_with("1 . port=8080"));
  CAF_CHECK_EQUAL(scope_of(service), 0);
}

CAF_TEST(the_questions_case_is_kept) {
  const auto name = host("item", "G.eXaMpLe");
  const auto bytes = answer(bytes_of({.name = name}));
  const auto at = std::search(bytes.begin(), bytes.end(), name.begin() + 33, name.begin() + 34);
  CAF_CHECK(at != bytes.end());
  const auto found = parse(bytes);
  CAF_REQUIRE(found);
  char* text = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_answer(found.get()), 0)));
  CAF_CHECK_EQUAL(std::string(text), name + '.');
  std::free(text);
}

CAF_TEST(names_that_nobody_holds_do_not_exist) {
  for (const auto& name : lines{host("nobody"), "nothing.g.example", "x." + host("item"), "x.eu.g.example"}) {
    const auto found = ask(name, type::a, subnet_option("10.1.2.0/24"));
    CAF_CHECK_EQUAL(code_of(found), rcode::nxdomain);
    CAF_CHECK(ldns_pkt_aa(found.get()));
    CAF_CHECK_EQUAL(authorities(found), lines{"ns1.g.example. hostmaster.g.example. 7 3600 600 604800 30"});
    CAF_CHECK_EQUAL(ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_authority(found.get()), 0)), 10u);
    CAF_CHECK_EQUAL(scope_of(found), 0);
  }
}

CAF_TEST(names_with_other_types_exist) {
  for (const auto& name : lines{host("item"), "eu.g.example", "below.g.example", "mail.g.example", "g.example"}) {
    const auto found = ask(name, 99);
    CAF_CHECK_EQUAL(code_of(found), rcode::noerror);
    CAF_CHECK(answers(found).empty());
    CAF_CHECK_EQUAL(authorities(found).size(), 1u);
  }
}

CAF_TEST(the_zone_file_is_served) {
  CAF_CHECK_EQUAL(answers(ask("g.example", type::soa)),
                  lines{"ns1.g.example. hostmaster.g.example. 7 3600 600 604800 30"});
  CAF_CHECK_EQUAL(answers(ask("g.example", type::ns)), (lines{"ns1.g.example.", "ns2.other.example."}));
  CAF_CHECK_EQUAL(answers(ask("g.example", 15)), lines{"10 mail.g.example."});
  CAF_CHECK_EQUAL(answers(ask("g.example", type::txt)), lines{"\"v=spf1 -all\""});
  CAF_CHECK_EQUAL(answers(ask("mail.g.example", type::aaaa)), lines{"2001:db8:1::2"});
  CAF_CHECK_EQUAL(answers(ask("www.g.example", type::a)), lines{"mail.g.example."});
  CAF_CHECK_EQUAL(answers(ask("sub.g.example", type::ns)), lines{"ap.sub.g.example."});
  CAF_CHECK_EQUAL(ttl_of(ask("g.example", type::soa, subnet_option("10.1.2.0/24"))), 300u);
  CAF_CHECK_EQUAL(scope_of(ask("g.example", type::soa, subnet_option("10.1.2.0/24"))), 0);
}

CAF_TEST(the_delegation_record_of_a_zone_is_asked_of_the_zone_above) {
  const auto found = ask("sub.g.example", type::ds);
  CAF_CHECK_EQUAL(authorities(found), lines{"ns1.g.example. hostmaster.g.example. 7 3600 600 604800 30"});
}

CAF_TEST(text_records_say_why) {
  set_live(us, false);
  const auto found = answers(ask(host("item"), type::txt, subnet_option("10.1.2.0/24")));
  CAF_CHECK_EQUAL(found, lines{R"("for 10.1.2.0/24 by client subnet" "regions ap,eu")"});
  CAF_CHECK_EQUAL(answers(ask("why.g.example", type::txt)),
                  lines{R"("for 192.0.2.77 by resolver address" "regions eu,ap")"});
  config.answers.explain = false;
  answering.reset();
  CAF_CHECK(answers(ask(host("item"), type::txt)).empty());
}

CAF_TEST(when_all_are_down_the_last_resort_is_named) {
  for (const auto id : {eu, us, ap})
    set_live(id, false);
  auto found = ask("g.example", type::a);
  CAF_CHECK_EQUAL(answers(found), lines{"203.0.113.1"});
  CAF_CHECK_EQUAL(extended_error_of(found), 3);
  regions.update([](region_table& table) { table.regions[ap].last_resort = true; });
  found = ask("g.example", type::a);
  CAF_CHECK_EQUAL(answers(found), lines{"203.0.113.3"});
  CAF_CHECK_EQUAL(ttl_of(found), 1u);
}

CAF_TEST(an_item_is_never_placed_in_a_region_that_does_not_hold_it) {
  set_live(us, false);
  const auto found = ask(host("at-us"), type::a);
  CAF_CHECK_EQUAL(answers(found), lines{"203.0.113.2"});
  CAF_CHECK_EQUAL(extended_error_of(found), 3);
}

CAF_TEST(without_any_region_the_answer_is_an_error) {
  regions.set({});
  const auto found = ask("g.example", type::a);
  CAF_CHECK_EQUAL(code_of(found), rcode::servfail);
  CAF_CHECK_EQUAL(extended_error_of(found), 14);
  CAF_CHECK_EQUAL(code_of(ask(host("item"), type::a)), rcode::servfail);
}

CAF_TEST(a_node_that_does_not_know_all_items_yet_denies_none) {
  regions.update([](region_table& table) { table.items_known = false; });
  const auto found = ask(host("nobody"), type::a);
  CAF_CHECK_EQUAL(code_of(found), rcode::servfail);
  CAF_CHECK_EQUAL(extended_error_of(found), 14);
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a)), lines{"203.0.113.1"});
  CAF_CHECK_EQUAL(code_of(ask("nothing.g.example", type::a)), rcode::nxdomain);
}

CAF_TEST(a_region_without_a_host_name_is_never_named) {
  regions.update([](region_table& table) { table.regions[eu].name = "Eu Central"; });
  CAF_CHECK_EQUAL(answers(ask(host("item"), type::a)), lines{"203.0.113.2"});
}

CAF_TEST(the_ttl_follows_detector_and_lease_within_bounds) {
  CAF_CHECK_EQUAL(ttl_of(ask(host("item"), type::a)), 2u);
  regions.update([](region_table& table) { table.detector_bound = std::chrono::milliseconds(4100); });
  CAF_CHECK_EQUAL(ttl_of(ask(host("item"), type::a)), 5u);
  put("leased", set_of(eu), now + 3);
  CAF_CHECK_EQUAL(ttl_of(ask(host("leased"), type::a)), 3u);
  regions.update([](region_table& table) { table.detector_bound = std::chrono::seconds(50); });
  put("leased", set_of(eu), now + 20);
  CAF_CHECK_EQUAL(ttl_of(ask(host("leased"), type::a)), 20u);
  CAF_CHECK_EQUAL(ttl_of(ask(host("leased"), type::svcb)), 20u);
  put("leased", set_of(eu), now - 100);
  CAF_CHECK_EQUAL(ttl_of(ask(host("leased"), type::a)), 1u);
  regions.update([](region_table& table) { table.detector_bound = std::chrono::hours(1); });
  CAF_CHECK_EQUAL(ttl_of(ask(host("item"), type::a)), 60u);
}

CAF_TEST(an_answer_that_passes_a_nearer_region_over_is_short_lived) {
  regions.update([](region_table& table) { table.detector_bound = std::chrono::seconds(5); });
  put("far", set_of(us));
  CAF_CHECK_EQUAL(ttl_of(ask(host("far"), type::a, subnet_option("10.9.0.0/16"))), 5u);
  CAF_CHECK_EQUAL(ttl_of(ask(host("far"), type::a, subnet_option("10.1.2.0/24"))), 1u);
  CAF_CHECK_EQUAL(ttl_of(ask(host("far"), type::svcb, subnet_option("10.1.2.0/24"))), 1u);
  set_live(ap, false); // then nothing nearer is there
  CAF_CHECK_EQUAL(ttl_of(ask(host("far"), type::a, subnet_option("10.1.2.0/24"))), 5u);
  CAF_CHECK_EQUAL(ttl_of(ask("g.example", type::a, subnet_option("10.1.2.0/24"))), 5u);
}

CAF_TEST_FIXTURE_SCOPE_END()
