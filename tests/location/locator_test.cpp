#define CAF_SUITE locator
#include "runtime/location/locator.hpp"

#include "database_files.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <random>
#include <thread>

using namespace gnomon;
using namespace gnomon::mmdb;

namespace {

struct fixture {
  location_config config(const std::vector<std::string>& networks, bool with_database = true) {
    location_config result;
    for (const auto& text : networks)
      result.networks.push_back(*parse_configured_network(text));
    if (with_database)
      result.databases = {file};
    result.own_region = "home";
    result.own_place = {1, 2};
    return result;
  }
  std::shared_ptr<locator> make(const std::vector<std::string>& networks, bool with_database = true) {
    auto made = locator::make(config(networks, with_database));
    if (!made)
      CAF_FAIL(sentence_of(made.error()));
    return *made;
  }
  test::temporary_directory folder;
  std::string file = write_file(folder / "test.mmdb", mixed().bytes());
};

std::string where(const located& found) {
  return found.region.empty() ? found.at ? found.country.empty() ? "place" : found.country : "unknown" : found.region;
}

std::string where(const locator& finder, std::string_view address) {
  return where(finder.find(*ip_address::parse(address)));
}

std::string explained(const locator& finder, std::string_view address) {
  return finder.explain(finder.find(*ip_address::parse(address)));
}

std::string network(const locator& finder, std::string_view address) {
  return to_string(finder.find(*ip_address::parse(address)).network);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(locator_tests, fixture)

CAF_TEST(the_longest_configured_network_wins_then_local_addresses_then_the_database) {
  const auto finder = make({"10.0.0.0/8 = office", "10.1.0.0/16 = lab", "192.0.2.128/25 = 10, 20", "fd00::/8=ula"});
  CAF_CHECK_EQUAL(where(*finder, "10.1.2.3"), "lab");
  CAF_CHECK_EQUAL(where(*finder, "10.2.2.3"), "office");
  CAF_CHECK_EQUAL(where(*finder, "172.16.0.1"), "home");
  CAF_CHECK_EQUAL(where(*finder, "fd00::1"), "ula");
  CAF_CHECK_EQUAL(where(*finder, "fc00::1"), "home");
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "DE");
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.200"), "place");
  CAF_CHECK_EQUAL(where(*finder, "9.9.9.9"), "unknown");
  CAF_CHECK_EQUAL(explained(*finder, "10.1.2.3"), "10.1.0.0/16 is in a configured network");
  CAF_CHECK_EQUAL(explained(*finder, "203.0.113.1").substr(0, 74),
                  "203.0.113.0/24 is in FR, whose centre stands for it, according to Test of ");
  CAF_CHECK_EQUAL(explained(*finder, "2001:db8::1").substr(0, 29), "2001:db8::/32 is known to Tes");
  CAF_CHECK_EQUAL(explained(*finder, "9.9.9.9").substr(0, 42), "8.0.0.0/7 is unknown to 4 configured netwo");
  CAF_CHECK_EQUAL(finder->describe(), "4 configured networks, Test of 2023-11-14 (IPv4 and IPv6, 0.0 MiB)");
}

CAF_TEST(local_addresses_are_in_the_own_region) {
  const locator nothing;
  for (auto local : {"10.0.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0",
                     "::1", "fe80::1", "fdff::1", "::ffff:10.0.0.1", "::"})
    CAF_CHECK(is_local_address(*ip_address::parse(local)));
  for (auto global : {"11.0.0.1", "172.32.0.0", "192.169.0.0", "100.128.0.0", "9.255.255.255", "2001:db8::1", "::2"})
    CAF_CHECK(!is_local_address(*ip_address::parse(global)));
  CAF_CHECK_EQUAL(where(nothing, "8.8.8.8"), "unknown");
}

CAF_TEST(the_answer_holds_in_the_whole_network_that_it_names) {
  const auto finder = make({"10.1.0.0/16 = lab", "192.0.2.128/25 = 10, 20", "192.0.2.0/28 = near", "8.0.0.0/6 = wide",
                            "2001:db8:1::/48 = lab"});
  CAF_CHECK_EQUAL(network(*finder, "192.0.2.64"), "192.0.2.64/26"); // the database says /24
  CAF_CHECK_EQUAL(network(*finder, "2001:db8::"), "2001:db8::/48");
  CAF_CHECK_EQUAL(network(*finder, "10.0.0.1"), "10.0.0.0/16"); // 8.0.0.0/6 without 10.1.0.0/16
  std::mt19937 random{5};
  const std::vector<std::string> seeds{"192.0.2.0", "10.0.0.0", "9.0.0.0", "172.16.0.0", "198.51.100.0", "100.64.0.0"};
  for (int i = 0; i < 20'000; ++i) {
    auto near = [&](const ip_address& base, int fixed) {
      std::array<uint8_t, 4> bytes{};
      for (size_t k = 0; k < 4; ++k) {
        const auto free = static_cast<uint8_t>(0xff >> std::clamp(fixed - 8 * static_cast<int>(k), 0, 8));
        bytes[k] = static_cast<uint8_t>((base.bytes()[k] & ~free) | (random() & free));
      }
      return ip_address{bytes};
    };
    const auto one = near(*ip_address::parse(seeds[random() % seeds.size()]), static_cast<int>(random() % 33));
    const auto answer = finder->find(one);
    const auto other = near(one, answer.network.bits);
    CAF_REQUIRE(answer.network.contains(one) && answer.network.contains(other));
    CAF_REQUIRE_EQUAL(where(answer), where(finder->find(other)));
    CAF_REQUIRE(answer.network == finder->find(other).network);
  }
}

CAF_TEST(databases_are_asked_in_order_until_one_knows_the_address) {
  writer first{4, 24};
  first.add("192.0.2.0/25", country_only("IT"));
  first.add("203.0.113.64/26", country_only("QQ")); // a country without a centre is no place
  auto both = config({}, false);
  both.databases = {write_file(folder / "first.mmdb", first.bytes("First")), file};
  const auto finder = *locator::make(both);
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "IT");
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.200"), "DE");
  CAF_CHECK_EQUAL(network(*finder, "192.0.2.200"), "192.0.2.128/25"); // the second says /24
  CAF_CHECK_EQUAL(where(*finder, "203.0.113.65"), "FR");
  CAF_CHECK_EQUAL(network(*finder, "203.0.113.65"), "203.0.113.64/26");
  CAF_CHECK_EQUAL(where(*finder, "2001:db8::1"), "BR");
  CAF_CHECK_EQUAL(network(*finder, "2001:db8::1"), "2001:db8::/32");
}

CAF_TEST(without_a_database_only_networks_are_known) {
  const auto finder = make({"192.0.2.0/24 = lab"}, false);
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "lab");
  CAF_CHECK_EQUAL(where(*finder, "203.0.113.1"), "unknown");
  CAF_CHECK_EQUAL(explained(*finder, "203.0.113.1").find(" is unknown to 1 configured network, no loc"), 11);
  CAF_CHECK_EQUAL(finder->describe(), "1 configured network, no location database");
  CAF_CHECK_EQUAL(locator{}.describe(), "no location database");
}

CAF_TEST(a_reload_takes_a_new_file_and_keeps_the_old_one_when_the_new_one_is_bad) {
  const auto finder = make({});
  write_file(file, "broken");
  const auto problem = finder->reload();
  CAF_REQUIRE(problem);
  CAF_CHECK(sentence_of(problem).find("is no whole location database") != std::string::npos);
  CAF_CHECK(sentence_of(problem).find("; what was in use before stays: Test of 2023-11-14") != std::string::npos);
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "DE");
  writer moved{6, 24};
  moved.add("192.0.2.0/24", country_only("IT"));
  write_file(file, moved.bytes());
  CAF_CHECK(!finder->reload());
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "IT");
  CAF_CHECK(!finder->reload(config({"192.0.2.0/24 = lab"}, false)));
  CAF_CHECK_EQUAL(where(*finder, "192.0.2.1"), "lab");
}

CAF_TEST(readers_see_the_old_or_the_new_database_while_it_changes) {
  const auto finder = make({});
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!done)
        if (auto country = where(*finder, "192.0.2.1"); country != "DE" && country != "IT")
          ++wrong;
    });
  writer moved{6, 24};
  moved.add("192.0.2.0/24", country_only("IT"));
  for (int i = 0; i < 50; ++i) {
    write_file(file, i % 2 == 0 ? moved.bytes() : mixed().bytes());
    CAF_CHECK(!finder->reload());
  }
  done = true;
  for (auto& reader : readers)
    reader.join();
  CAF_CHECK_EQUAL(wrong.load(), 0);
}

CAF_TEST(a_bad_config_is_refused_with_a_sentence) {
  auto twice = locator::make(config({"10.0.0.0/8 = a", "10.0.0.0/8 = b"}));
  CAF_REQUIRE(!twice);
  CAF_CHECK_EQUAL(sentence_of(twice.error()), "the network 10.0.0.0/8 is given two places; name it once");
  auto missing = config({});
  missing.databases = {folder / "none.mmdb"};
  CAF_CHECK(code_of(locator::make(missing).error()) == ec::not_found);
  for (auto bad : {"", "=", "10.0.0.0/8", "10.0.0.0/8 =", "10.0.0.0/8 = a b", "10.0.0.0/8 = 91, 0", "10.0.0.0/8 = 1,",
                   "10.0.0.0/8 = nan, 0", "10.0.0.0/8 = 1, 2, 3", "10.0.0.1/8 = a", "x = a"})
    CAF_CHECK(!parse_configured_network(bad));
}

CAF_TEST_FIXTURE_SCOPE_END()
