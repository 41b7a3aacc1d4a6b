#define CAF_SUITE location_database
#include "runtime/location/location_database.hpp"

#include "database_files.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include <spdlog/fmt/fmt.h>

using namespace gnomon;
using namespace gnomon::mmdb;

namespace {

/// "CC latitude longitude city network", to two decimals.
std::string found(const location_database& database, std::string_view address) {
  const auto answer = database.find(*ip_address::parse(address));
  return fmt::format("{} {} {} {}", answer.country.empty() ? "-" : answer.country,
                     answer.at ? fmt::format("{:.2f} {:.2f}", answer.at->latitude, answer.at->longitude) : "-",
                     answer.city.empty() ? "-" : answer.city, to_string(answer.network));
}

struct fixture {
  std::shared_ptr<const location_database> open(const std::string& bytes) {
    auto opened = location_database::open(write_file(folder / "test.mmdb", bytes));
    if (!opened)
      CAF_FAIL(sentence_of(opened.error()));
    return *opened;
  }
  /// The sentence with which a damaged file is refused; empty when it is taken.
  std::string refusal(const std::string& bytes) {
    auto opened = location_database::open(write_file(folder / "bad.mmdb", bytes));
    if (opened)
      return {};
    CAF_CHECK(code_of(opened.error()) == ec::bad_message);
    return sentence_of(opened.error());
  }
  test::temporary_directory folder;
};

/// Opens what may be damaged and, if it opens, looks up addresses in it.
void try_out(const std::string& file, std::mt19937& random) {
  auto opened = location_database::open(file);
  if (!opened) {
    CAF_REQUIRE(sentence_of(opened.error()).find(file) != std::string::npos);
    return;
  }
  for (auto text : {"192.0.2.1", "198.51.100.7", "203.0.113.1", "2001:db8::1", "255.255.255.255", "::"}) {
    const auto answer = (*opened)->find(*ip_address::parse(text));
    CAF_REQUIRE(answer.network.contains(*ip_address::parse(text)));
  }
  for (int i = 0; i < 20; ++i) {
    std::array<uint8_t, 4> bytes{};
    for (auto& b : bytes)
      b = static_cast<uint8_t>(random());
    CAF_REQUIRE((*opened)->find(ip_address{bytes}).network.contains(ip_address{bytes}));
  }
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(location_database_tests, fixture)

CAF_TEST(both_shapes_are_read_in_trees_of_every_width) {
  for (auto record_bits : {24, 28, 32}) {
    const auto database = open(mixed(record_bits).bytes());
    CAF_CHECK_EQUAL(found(*database, "192.0.2.200"), "DE 50.11 8.68 Town 192.0.2.0/24");
    CAF_CHECK_EQUAL(found(*database, "198.51.100.1"), "JP 35.68 139.69 Town 198.51.100.0/25");
    CAF_CHECK_EQUAL(found(*database, "::ffff:198.51.100.1"), "JP 35.68 139.69 Town 198.51.100.0/25");
    CAF_CHECK_EQUAL(found(*database, "2001:db8:1::1"), "BR -23.55 -46.63 Town 2001:db8::/32");
    CAF_CHECK_EQUAL(found(*database, "198.51.100.200"), "- - - 198.51.100.128/25");
    CAF_CHECK_EQUAL(found(*database, "8000::"), "- - - 8000::/1");
  }
}

CAF_TEST(a_country_without_coordinates_has_its_centre) {
  const auto database = open(mixed().bytes());
  CAF_CHECK_EQUAL(found(*database, "203.0.113.9"), "FR 47.91 2.54 - 203.0.113.0/24");
  CAF_CHECK(database->find(*ip_address::parse("203.0.113.9")).at_country);
  CAF_CHECK(!database->find(*ip_address::parse("192.0.2.1")).at_country);
}

CAF_TEST(a_database_of_ipv4_alone_knows_no_ipv6) {
  writer only_v4{4, 24};
  only_v4.add("192.0.2.0/24", nested("DE", 50.11, 8.68));
  const auto database = open(only_v4.bytes("Small"));
  CAF_CHECK_EQUAL(found(*database, "192.0.2.1"), "DE 50.11 8.68 Town 192.0.2.0/24");
  CAF_CHECK_EQUAL(found(*database, "::ffff:192.0.2.1"), "DE 50.11 8.68 Town 192.0.2.0/24");
  CAF_CHECK_EQUAL(found(*database, "2001:db8::1"), "- - - ::/0");
  CAF_CHECK_EQUAL(database->describe(), "Small of 2023-11-14 (IPv4, 0.0 MiB)");
}

CAF_TEST(fields_of_another_type_or_out_of_range_count_as_absent) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  writer odd{4, 24};
  odd.add("1.0.0.0/8", nested("DE", 91, 0));
  odd.add("2.0.0.0/8", nested("de", 1, 2));
  odd.add("3.0.0.0/8", nested("QQ", nan, 0));
  odd.add("4.0.0.0/8", map_value({{"country_code", number_value(6, 7, 4)}, {"latitude", text_value("1")}}));
  odd.add("5.0.0.0/8", map_value({{"country", text_value("NL")}}));
  odd.add("6.0.0.0/8", map_value({{"city", text_value("a\x1b[2Jb")}}));
  odd.add("7.0.0.0/8", text_value("not a map"));
  const auto database = open(odd.bytes());
  CAF_CHECK_EQUAL(found(*database, "1.0.0.1").substr(0, 8), "DE 51.03"); // the centre of Germany
  CAF_CHECK_EQUAL(found(*database, "2.0.0.1"), "- 1.00 2.00 Town 2.0.0.0/8");
  CAF_CHECK_EQUAL(found(*database, "3.0.0.1"), "QQ - Town 3.0.0.0/8");
  CAF_CHECK_EQUAL(found(*database, "4.0.0.1"), "- - - 4.0.0.0/8");
  CAF_CHECK_EQUAL(found(*database, "5.0.0.1").substr(0, 8), "NL 52.08");
  CAF_CHECK_EQUAL(found(*database, "6.0.0.1"), "- - a\\x1B[2Jb 6.0.0.0/8");
  CAF_CHECK_EQUAL(found(*database, "7.0.0.1"), "- - - 7.0.0.0/8");
}

CAF_TEST(what_is_no_database_is_refused_with_a_sentence) {
  CAF_CHECK(code_of(location_database::open(folder / "none.mmdb").error()) == ec::not_found);
  CAF_CHECK(refusal("").find("bad.mmdb is no whole location database") != std::string::npos);
  CAF_CHECK(!refusal("hello").empty());
  CAF_CHECK(!refusal(std::string(1 << 20, '\0')).empty());
  CAF_CHECK(!refusal("\xab\xcd\xefMaxMind.com").empty());
  CAF_CHECK(!location_database::open(folder.path()));
}

CAF_TEST(a_shortened_file_is_refused) {
  const auto whole = mixed().bytes();
  for (size_t kept = 0; kept < whole.size(); kept += kept + 300 < whole.size() ? 7 : 1)
    CAF_REQUIRE(!refusal(whole.substr(0, kept)).empty());
}

CAF_TEST(a_record_or_node_that_points_nowhere_is_refused) {
  auto broken = mixed(32).bytes();
  broken[0] = '\x7f'; // the left record of the first node
  CAF_CHECK(refusal(broken).find("no whole location database") != std::string::npos);
  writer hollow{4, 24};
  hollow.add("1.0.0.0/8", "\xe5" + text_value("city")); // five members, of which one is there
  CAF_CHECK(!refusal(hollow.bytes()).empty());
}

CAF_TEST(no_flipped_byte_ends_the_process) {
  std::mt19937 random{11};
  const auto whole = mixed().bytes();
  for (int round = 0; round < 1500; ++round) {
    auto bytes = whole;
    for (auto flips = 1 + random() % 8; flips > 0; --flips)
      // Most of the file is search tree; half of the flips go into records and description.
      bytes[random() % 2 == 0 ? random() % bytes.size() : bytes.size() - 1 - random() % 600] =
          static_cast<char>(random());
    try_out(write_file(folder / "flipped.mmdb", bytes), random);
  }
}

CAF_TEST(deep_nesting_and_circles_are_refused) {
  auto nested_in = [](std::string_view step, size_t depth) {
    std::string deep;
    for (size_t i = 0; i < depth; ++i)
      deep += step;
    return deep + text_value("end");
  };
  auto with = [](const std::string& value) {
    writer nesting{4, 24};
    nesting.add("1.0.0.0/8", map_value({{"a", value}, {"country_code", text_value("DE")}}));
    return nesting.bytes();
  };
  const std::string map_step = "\xe1\x41x", array_step = std::string{"\x01\x04", 2};
  CAF_CHECK(refusal(with(nested_in(map_step, 20))).empty());
  CAF_CHECK(!refusal(with(nested_in(map_step, 100))).empty());
  CAF_CHECK(!refusal(with(nested_in(map_step, 3'000'000))).empty());
  CAF_CHECK(!refusal(with(nested_in(array_step, 5'000'000))).empty());
  CAF_CHECK(!refusal(mixed().bytes() + "\xab\xcd\xefMaxMind.com" + nested_in(array_step, 60'000)).empty());
  // A pointer to itself, and a tree of pointers whose leaves are more than anyone can count.
  std::mt19937 random{3};
  try_out(write_file(folder / "circle.mmdb", with(std::string{"\x20\x03", 2})), random);
  std::string tree;
  for (unsigned i = 0; i < 60; ++i)
    tree += map_value({{"a", big_endian(0x2000 + 10 * (i + 1), 2)}, {"b", big_endian(0x2000 + 10 * (i + 1), 2)}});
  try_out(write_file(folder / "tree.mmdb", with(tree)), random);
}

CAF_TEST(an_open_database_survives_what_happens_to_its_file) {
  const auto file = write_file(folder / "live.mmdb", mixed().bytes());
  const auto database = *location_database::open(file);
  std::filesystem::resize_file(file, 10);
  CAF_CHECK_EQUAL(found(*database, "192.0.2.200"), "DE 50.11 8.68 Town 192.0.2.0/24");
}

CAF_TEST(the_test_database_of_maxmind_is_read) {
  std::string file;
  for (auto place : {"/../shared/data/", "/../../shared/data/"})
    if (auto candidate = GNOMON_SOURCE + std::string{place} + "GeoIP2-City-Test.mmdb";
        std::filesystem::exists(candidate))
      file = candidate;
  if (file.empty()) {
    CAF_MESSAGE("skipped: there is no GeoIP2-City-Test.mmdb");
    return;
  }
  const auto database = *location_database::open(file);
  CAF_CHECK_EQUAL(found(*database, "81.2.69.160"), "GB 51.51 -0.09 London 81.2.69.160/27");
  CAF_CHECK_EQUAL(found(*database, "2001:218::1").substr(0, 15), "JP 35.69 139.75");
  CAF_CHECK(database->describe().find("GeoIP2-City of 20") == 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
