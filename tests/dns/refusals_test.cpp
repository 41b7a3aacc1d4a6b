#define CAF_SUITE refusals
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

using lines = std::vector<std::string>;

struct fixture : world {
  fixture() {
    put("item", set_of(eu) | set_of(us) | set_of(ap));
  }
  int code_for(const message& options) {
    return code_of(ask(host("item"), type::a, options));
  }
};

message cookie(size_t size) {
  return option_bytes(option::cookie, message(size, 1));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(refusals_tests, fixture)

CAF_TEST(names_outside_the_zones_are_refused) {
  for (auto name : {"example", "xg.example", "example.org", ""}) {
    const auto found = ask(name, type::a);
    CAF_CHECK_EQUAL(code_of(found), rcode::refused);
    CAF_CHECK(!ldns_pkt_aa(found.get()));
    CAF_CHECK_EQUAL(extended_error_of(found), 20);
  }
}

CAF_TEST(transfers_and_other_classes_are_refused) {
  for (const uint16_t qtype : {type::axfr, type::ixfr})
    CAF_CHECK_EQUAL(code_of(ask("g.example", qtype)), rcode::refused);
  for (const uint16_t qclass : {3, 4, 254, 255})
    CAF_CHECK_EQUAL(code_of(ask({.name = "g.example", .qclass = qclass})), rcode::refused);
  CAF_CHECK_EQUAL(code_of(ask("g.example", type::opt)), rcode::formerr);
}

CAF_TEST(other_opcodes_are_not_implemented) {
  for (const auto opcode : {1, 2, 4, 5, 6}) {
    auto bytes = bytes_of({.name = "g.example", .qtype = type::soa});
    bytes[2] = static_cast<uint8_t>(opcode << 3);
    const auto found = parse(answer(bytes));
    CAF_REQUIRE(found);
    CAF_CHECK_EQUAL(code_of(found), rcode::notimp);
    CAF_CHECK_EQUAL(static_cast<int>(ldns_pkt_get_opcode(found.get())), opcode);
    CAF_CHECK(ldns_pkt_edns(found.get()));
    bytes[7] = 1; // a record that does not come
    const auto header = answer(bytes);
    CAF_CHECK_EQUAL(header.size(), header_size);
    CAF_CHECK_EQUAL(header[3] & 15, rcode::notimp);
  }
}

CAF_TEST(any_gets_one_small_record) {
  CAF_CHECK_EQUAL(answers(ask("g.example", type::any)), lines{"\"RFC8482\" \"\""});
  CAF_CHECK_EQUAL(code_of(ask("nothing.g.example", type::any)), rcode::nxdomain);
}

CAF_TEST(later_versions_of_edns_are_refused_with_ours) {
  const auto found = ask({.name = "g.example", .version = 1});
  CAF_CHECK_EQUAL(code_of(found), rcode::badvers);
  CAF_CHECK_EQUAL(ldns_pkt_edns_version(found.get()), 0);
  CAF_CHECK(answers(found).empty());
}

CAF_TEST(bad_subnets_are_malformed) {
  const std::vector<message> bad{
      {},                            // no fields
      {0, 1, 24, 0},                 // no address
      {0, 1, 24, 0, 10, 1},          // too short
      {0, 1, 24, 0, 10, 1, 2, 0},    // too long
      {0, 1, 20, 0, 10, 1, 0x1f},    // bits behind the prefix
      {0, 1, 24, 24, 10, 1, 2},      // a scope in a question
      {0, 1, 33, 0, 10, 1, 2, 3, 0}, // more bits than an address has
      {0, 3, 8, 0, 10},              // no such family
      {1, 1, 8, 0, 10},              // no such family
      {0, 0, 8, 0, 10},              // bits of no family
      // ::ffff:0:0 with bits behind the 90 of the prefix
      {0, 2, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
      {0, 2, 129, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0},
  };
  for (const auto& data : bad)
    CAF_CHECK_EQUAL(code_for(option_bytes(option::client_subnet, data)), rcode::formerr);
  CAF_CHECK_EQUAL(code_for(subnet_option("10.0.0.0/8") + subnet_option("10.0.0.0/8")), rcode::formerr);
  for (const auto& data : std::vector<message>{{0, 0, 0, 0}, {0, 1, 0, 0}, {0, 2, 0, 0}, {0, 1, 20, 0, 10, 1, 0x10}})
    CAF_CHECK_EQUAL(code_for(option_bytes(option::client_subnet, data)), rcode::noerror);
}

CAF_TEST(bad_cookies_and_options_that_are_cut_off_are_malformed) {
  for (const size_t size : {0, 1, 7, 9, 15, 41, 100})
    CAF_CHECK_EQUAL(code_for(cookie(size)), rcode::formerr);
  for (const size_t size : {8, 16, 24, 40})
    CAF_CHECK_EQUAL(code_for(cookie(size)), rcode::noerror);
  CAF_CHECK_EQUAL(code_for({0, 10}), rcode::formerr);
  CAF_CHECK_EQUAL(code_for({0, 99, 0, 5, 1}), rcode::formerr);
  CAF_CHECK_EQUAL(code_for({0, 99, 0, 1, 1}), rcode::noerror);
}

CAF_TEST(a_server_without_a_name_says_none) {
  const message nsid{0, 3, 0, 0};
  CAF_CHECK(!option_of(ask("g.example", type::a, nsid), option::nsid));
  config.nsid = "node-1";
  answering.reset();
  CAF_CHECK(option_of(ask("g.example", type::a, nsid), option::nsid) == (message{'n', 'o', 'd', 'e', '-', '1'}));
  CAF_CHECK(!option_of(ask("g.example", type::a), option::nsid));
}

CAF_TEST(random_messages_get_a_message_that_ldns_can_read_or_silence) {
  std::mt19937 random(21);
  config.nsid = "a-name";
  const std::vector<std::string> names{
      "g.example",        host("item"), "nothing.g.example", "big.g.example", "why.g.example",
      "eu.other.example", "",           "www.g.example"};
  for (int round = 0; round < 100'000; ++round) {
    question asked{.name = names[random() % names.size()],
                   .qtype = static_cast<uint16_t>(random() % 3 == 0 ? random() % 260 : random() % 70),
                   .edns = random() % 3 != 0,
                   .payload = static_cast<uint16_t>(random())};
    for (auto options = random() % 3; options > 0; --options)
      asked.options = asked.options + option_bytes(static_cast<uint16_t>(random() % 16), message(random() % 20, 0));
    auto bytes = bytes_of(asked);
    for (auto times = random() % 3; times > 0; --times)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    bytes.resize(bytes.size() - (random() % 4 == 0 ? random() % bytes.size() : 0));
    from.tcp = random() % 4 == 0;
    const auto answered = answer(bytes);
    if (answered.empty())
      continue;
    if (!parse(answered) || (answered[2] & 0x80) == 0 || answered[0] != bytes[0] || answered[1] != bytes[1])
      CAF_FAIL("a bad answer in round " << round);
    if (!from.tcp && (answered.size() > 3 * bytes.size() || answered.size() > 1232))
      CAF_FAIL(answered.size() << " bytes for " << bytes.size());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
