#define CAF_SUITE slow_connections
#include "tests/cluster/node_under_test.hpp"
#include "tests/cluster/rough_client.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace gnomon::test;

namespace {

constexpr size_t wanted = 10'000;
constexpr size_t each = 2048; // http.connections_each

size_t still_open(std::vector<rough_client>& clients) {
  for (auto& client : clients)
    if (client.open())
      client.receive(0);
  return static_cast<size_t>(std::count_if(clients.begin(), clients.end(), [](auto& c) { return c.open(); }));
}

} // namespace

CAF_TEST(thousands_of_slow_connections_of_one_address_leave_the_others_alone) {
  const auto count = std::min(wanted, raise_file_limit() - 200);
  if (count < wanted)
    CAF_MESSAGE("this process may open no more than " << count << " connections");
  temporary_directory folder;
  node_under_test node{"a", "r", folder.path()};
  node.set("http.head_timeout=60s").set("http.idle_timeout=60s");
  node.set("placement.conflicts=lww"); // the good client writes without reading before
  CAF_REQUIRE(node.start_and_wait());
  const auto files_before = open_files(node.pid());

  good_client good{node.http_port(), "127.0.0.3"};
  std::vector<rough_client> slow;
  for (size_t i = 0; i < count; ++i) {
    slow.emplace_back(node.http_port(), "127.0.0.2");
    slow.back().send("G");
  }
  for (const auto& byte : {"E", "T", " "}) {
    for (auto& client : slow)
      if (client.open())
        client.send(byte);
    const auto answers = good.answers();
    CAF_CHECK(within(20s, [&] { return good.answers() > answers + 20; }));
  }
  CAF_CHECK(within(20s, [&] { return still_open(slow) <= each; }));
  CAF_CHECK(still_open(slow) >= std::min(count, each) / 2); // those within the bound may stay
  CAF_CHECK(open_files(node.pid()) <= files_before + each + 100);
  good.stop();
  CAF_CHECK_EQUAL(good.faults(), 0u);
  CAF_MESSAGE(good.answers() << " good answers beside " << count << " slow connections");

  slow.clear();
  CAF_CHECK(within(20s, [&] { return open_files(node.pid()) <= files_before + 4; }));
  CAF_CHECK(!node.ended());
}
