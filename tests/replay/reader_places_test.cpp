#define CAF_SUITE reader_places
#include "runtime/replay/mapping.hpp"

#include "tests/location/database_files.hpp"

#include <caf/test/dsl.hpp>

#include <spdlog/fmt/fmt.h>

using namespace gnomon;
using namespace gnomon::replay;

namespace {

struct fixture {
  fixture() {
    for (auto name : {"ap-northeast-1", "ap-south-1", "eu-central-1", "sa-east-1", "us-east-1"})
      cluster.push_back({name, place_of(name)});
    auto places = reader_places::open({mmdb::write_file(folder / "test.mmdb", mmdb::mixed().bytes())}, cluster, {});
    CAF_REQUIRE(places);
    opened = std::move(*places);
  }
  std::string home(std::string_view client) {
    auto number = opened->region_of(client);
    return number ? cluster[*number].name : "unknown";
  }
  trace log_of(const std::vector<std::string>& clients, reader_places* places) {
    std::string text;
    for (const auto& client : clients)
      text += client + " - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 5\n";
    trace_options how;
    for (const auto& region : cluster)
      how.regions.push_back(region.name);
    how.places = places;
    auto loaded = load_trace(mmdb::write_file(folder / "access.log", text), how);
    CAF_REQUIRE(loaded);
    return std::move(*loaded);
  }
  std::string notes_of(const trace& reads) {
    return fmt::format("{}", fmt::join(trace_notes(reads, *map_regions(reads, cluster), cluster), "\n"));
  }
  test::temporary_directory folder;
  std::vector<cluster_region> cluster;
  std::unique_ptr<reader_places> opened;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(reader_places_tests, fixture)

CAF_TEST(readers_are_in_the_region_nearest_to_their_address) {
  CAF_CHECK_EQUAL(home("192.0.2.1"), "eu-central-1");
  CAF_CHECK_EQUAL(home("198.51.100.1"), "ap-northeast-1");
  CAF_CHECK_EQUAL(home("203.0.113.1"), "eu-central-1");
  CAF_CHECK_EQUAL(home("2001:db8::1"), "sa-east-1");
  for (auto client : {"9.9.9.9", "10.0.0.1", "proxy.example.org", "", "192.0.2.1:80"})
    CAF_CHECK_EQUAL(home(client), "unknown");
}

CAF_TEST(the_page_says_by_which_database_readers_were_placed) {
  const auto both = log_of({"192.0.2.1", "192.0.2.1", "9.9.9.9"}, opened.get());
  CAF_CHECK_EQUAL(both.placed, 2u);
  CAF_CHECK_EQUAL(both.spread, 1u);
  const auto notes = notes_of(both);
  CAF_CHECK(notes.find("2 reads name no region: they are in the region with the shortest") == 0);
  CAF_CHECK(notes.find("known to Test of 2023-11-14 (IPv4 and IPv6, 0.0 MiB)\n1 further reads name no region")
            != std::string::npos);
  CAF_CHECK_EQUAL(notes_of(log_of({"192.0.2.1"}, opened.get())).find("hash"), std::string::npos);
}

CAF_TEST(without_a_database_a_hash_decides_as_before) {
  const auto reads = log_of({"192.0.2.1", "9.9.9.9"}, nullptr);
  CAF_CHECK_EQUAL(reads.placed, 0u);
  CAF_CHECK_EQUAL(reads.spread, 2u);
  CAF_CHECK(notes_of(reads).find("an access log names no regions: readers are spread over the regions by a hash") == 0);
}

CAF_TEST(a_bad_database_is_an_error) {
  CAF_CHECK(!reader_places::open({folder / "none.mmdb"}, cluster, {}));
}

CAF_TEST_FIXTURE_SCOPE_END()
