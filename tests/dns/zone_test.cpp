#define CAF_SUITE zone
#include "runtime/dns/zone.hpp"

#include "gnomon/error.hpp"
#include "runtime/dns/query.hpp"
#include "tests/dns/world.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::dns;

namespace {

const std::string start = "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\n";

// The sentence with which a zone is refused; empty when it is taken.
std::string refusal(const std::string& text, std::string_view name = "g.example") {
  try {
    read_zone(name, text);
    return {};
  } catch (const gnomon::failure& error) {
    return error.what();
  }
}

bool says(const std::string& text, const std::string& part) {
  const auto sentence = refusal(text);
  if (sentence.find(part) == sentence.npos)
    CAF_MESSAGE("it says: " << sentence);
  return sentence.find(part) != sentence.npos;
}

} // namespace

CAF_TEST(a_zone_holds_the_records_of_its_file_and_the_names_above_them) {
  const auto made = read_zone("G.example.", start + "Mx 30 IN MX 10 Mail\na.b TXT \"x\" \"y\"\na.b TXT z\n");
  CAF_CHECK_EQUAL(to_text(made.name()), "g.example");
  CAF_CHECK_EQUAL(made.negative_ttl(), 5u);
  const auto* mx = made.find(*parse_name("mx.g.example"));
  CAF_REQUIRE(mx != nullptr && mx->size() == 1);
  CAF_CHECK_EQUAL(mx->front().ttl, 30u);
  const auto* above = made.find(*parse_name("b.g.example"));
  CAF_REQUIRE(above != nullptr);
  CAF_CHECK(above->empty());
  CAF_CHECK(made.find(*parse_name("c.g.example")) == nullptr);
  CAF_CHECK_EQUAL(made.find(*parse_name("a.b.g.example"))->front().values.size(), 2u);
}

CAF_TEST(a_zone_survives_a_move) {
  auto first = read_zone("g.example", start);
  const auto second = std::move(first);
  CAF_CHECK_EQUAL(second.soa().type, type::soa);
}

CAF_TEST(what_cannot_be_served_is_refused_with_its_line) {
  CAF_CHECK(says("", "needs one SOA"));
  CAF_CHECK(says("@ 60 SOA ns1 hostmaster 1 2 3 4 5\n", "at least one NS"));
  CAF_CHECK(says(start + "@ SOA ns2 hostmaster 1 2 3 4 5\n", "needs one SOA"));
  CAF_CHECK(says(start + "a.example. A 192.0.2.1\n", "line 4: a.example: the name lies outside"));
  CAF_CHECK(says(start + "* A 192.0.2.1\n", "wildcards"));
  CAF_CHECK(says(start + "sub NS ns1\n", "delegations"));
  CAF_CHECK(says(start + "@ A 192.0.2.1\n", "nearest region"));
  CAF_CHECK(says(start + "@ CNAME a\n", "cannot be an alias"));
  CAF_CHECK(says(start + "a CNAME b\na TXT x\n", "no other records"));
  CAF_CHECK(says(start + gnomon::label_of("x") + " A 192.0.2.1\n", "those of items"));
  CAF_CHECK(says(start + "a DNAME b\n", "not supported"));
  CAF_CHECK(says(start + "a CH TXT b\n", "class IN"));
  CAF_CHECK(says(start + "a A 192.0.2.999\n", "line 4"));
  CAF_CHECK(says(start + "a NOTYPE x\n", "line 4"));
  CAF_CHECK(!refusal(start, "bad..name").empty());
  CAF_CHECK(!refusal(start, ".").empty());
}

CAF_TEST(a_file_that_cannot_be_read_is_named) {
  try {
    read_zone_file("g.example", "/nowhere/zone");
    CAF_FAIL("taken");
  } catch (const gnomon::failure& error) {
    CAF_CHECK(std::string(error.what()).find("/nowhere/zone") != std::string::npos);
  }
}

CAF_TEST(names_read_back_as_they_were_written) {
  for (auto text : {"example", "a.b.example", "_sip._tcp.example", "xn--bcher-kva.example", "."})
    CAF_CHECK_EQUAL(to_text(*parse_name(text)), text);
  CAF_CHECK_EQUAL(to_text(*parse_name("A.Example.")), "a.example");
  for (auto bad : {"", "..", "a..b", ".a", "a b", "a\\.b"})
    CAF_CHECK(!parse_name(bad));
  CAF_CHECK(!parse_name(std::string(64, 'a')));
  CAF_CHECK_EQUAL(to_text(std::string("\x03"
                                      "a.\\"
                                      "\x02\x01"
                                      "b\0",
                                      8)),
                  "a\\.\\\\.\\001b");
}
