#define CAF_SUITE replay
#include "tests/simulation/simulation.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::simulation;

namespace {

plan short_run(uint64_t seed) {
  plan what;
  what.seed = seed;
  what.operations = 120;
  what.faults = 10;
  what.active = std::chrono::seconds{60};
  what.quiet = std::chrono::seconds{30};
  return what;
}

} // namespace

CAF_TEST(a seed replays to the same event) {
  auto first = simulate(short_run(7));
  auto again = simulate(short_run(7));
  CAF_CHECK_GREATER(first.steps, 1000u);
  CAF_CHECK_EQUAL(first.trace, again.trace);
  CAF_CHECK_EQUAL(first.steps, again.steps);
}

CAF_TEST(another seed is another run) {
  CAF_CHECK_NOT_EQUAL(simulate(short_run(7)).trace, simulate(short_run(8)).trace);
}

CAF_TEST(a failure tells the story of its item) {
  auto what = plan{};
  what.fault = deliberate_fault::skip_sync;
  outcome end;
  for (what.seed = 1; what.seed <= 20 && !end.broken; ++what.seed)
    end = simulate(what);
  CAF_REQUIRE(end.broken);
  CAF_CHECK(!end.broken->invariant.empty());
  CAF_CHECK_NOT_EQUAL(end.story.find("begins at"), std::string::npos);
}
