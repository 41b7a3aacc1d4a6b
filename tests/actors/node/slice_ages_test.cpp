#define CAF_SUITE slice_ages
#include "actors/node/slice_ages.hpp"

#include <caf/test/dsl.hpp>

#include <limits>

using namespace gnomon;

namespace {

constexpr auto for_ever = std::numeric_limits<int64_t>::max();

std::vector<uint64_t> heads(uint64_t all) {
  return std::vector<uint64_t>(shard_count, all);
}

} // namespace

CAF_TEST(a_node_without_peers_knows_its_slices_once_they_are_read) {
  slice_ages ages;
  CAF_CHECK_EQUAL(ages.known_at(3), 0);
  ages.set_peers({}, true);
  CAF_CHECK_EQUAL(ages.known_at(3), 0);
  ages.own_is_read(3);
  CAF_CHECK_EQUAL(ages.known_at(3), for_ever);
  CAF_CHECK_EQUAL(ages.known_at(4), 0);
  ages.set_peers({}, false); // there may be nodes that it has not met
  CAF_CHECK_EQUAL(ages.known_at(3), 0);
}

CAF_TEST(a_slice_is_as_old_as_the_oldest_heartbeat_whose_rows_are_here) {
  slice_ages ages;
  ages.set_peers({"b", "c"}, true);
  ages.own_is_read(0);
  ages.reached("b", 0, 7, 5);
  ages.reached("c", 0, 8, 2);
  CAF_CHECK_EQUAL(ages.known_at(0), 0); // neither has answered
  ages.told("b", 100, 7, heads(5));
  ages.told("c", 200, 8, heads(2));
  CAF_CHECK_EQUAL(ages.known_at(0), 100);
  ages.told("b", 300, 7, heads(6)); // one row is missing here
  CAF_CHECK_EQUAL(ages.known_at(0), 100);
  ages.reached("b", 0, 7, 9);
  CAF_CHECK_EQUAL(ages.known_at(0), 200);
  CAF_CHECK_EQUAL(ages.known_at(1), 0); // nothing was pulled there
}

CAF_TEST(numbers_of_another_generation_say_nothing) {
  slice_ages ages;
  ages.set_peers({"b"}, true);
  ages.own_is_read(0);
  ages.reached("b", 0, 7, 50);
  ages.told("b", 100, 8, heads(3));
  CAF_CHECK_EQUAL(ages.known_at(0), 0);
  ages.told("b", 200, 0, heads(0)); // it reads its store
  ages.reached("b", 0, 0, 0);
  CAF_CHECK_EQUAL(ages.known_at(0), 0);
}

CAF_TEST(a_new_peer_and_a_new_shard_begin_unknown) {
  slice_ages ages;
  ages.set_peers({"b"}, true);
  for (size_t slice : {0, 1}) {
    ages.own_is_read(slice);
    ages.reached("b", slice, 7, 1);
  }
  ages.told("b", 100, 7, heads(1));
  ages.forget(1);
  CAF_CHECK_EQUAL(ages.known_at(0), 100);
  CAF_CHECK_EQUAL(ages.known_at(1), 0);
  ages.own_is_read(1);
  CAF_CHECK_EQUAL(ages.known_at(1), 0);
  ages.set_peers({"b", "c"}, true);
  CAF_CHECK_EQUAL(ages.known_at(0), 0);
  ages.set_peers({"b"}, true); // c was removed
  CAF_CHECK_EQUAL(ages.known_at(0), 100);
}
