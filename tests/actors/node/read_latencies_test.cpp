#define CAF_SUITE read_latencies
#include "actors/node/read_latencies.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(the_slowest_of_a_hundred_reads_stands_out) {
  read_latencies reads;
  for (int i = 0; i < 99; ++i)
    reads.note("a", duration{40});
  CAF_CHECK(!reads.p99("a")); // too few
  for (int i = 0; i < 200; ++i)
    reads.note("a", duration{40});
  reads.note("a", duration{3000});
  auto p99 = reads.p99("a");
  CAF_REQUIRE(p99);
  CAF_CHECK(*p99 >= duration{40} && *p99 <= duration{48});
  CAF_CHECK(!reads.p99("b"));
}

CAF_TEST(what_has_become_slower_is_learned) {
  read_latencies reads;
  for (int i = 0; i < 5000; ++i)
    reads.note("a", duration{10});
  for (int i = 0; i < 2000; ++i)
    reads.note("a", duration{100});
  CAF_CHECK(*reads.p99("a") >= duration{100});
}

CAF_TEST(two_in_a_hundred_reads_may_be_hedged) {
  read_latencies reads;
  CAF_CHECK(!reads.may_hedge());
  size_t hedged = 0;
  for (int i = 0; i < 10'000; ++i) {
    reads.note("a", duration{10});
    hedged += reads.may_hedge() ? 1 : 0;
  }
  CAF_CHECK(hedged >= 195 && hedged <= 200);
  for (int i = 0; i < 10'000; ++i)
    reads.note("a", duration{10});
  size_t burst = 0;
  while (reads.may_hedge())
    ++burst;
  CAF_CHECK(burst <= 10);
}
