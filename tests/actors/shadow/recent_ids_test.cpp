#define CAF_SUITE recent_ids
#include "actors/shadow/recent_ids.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(an_id_is_recent_for_a_while) {
  recent_ids gone{100, 3};
  CAF_CHECK(!gone.has("a", 0));
  gone.add("a", 50);
  CAF_CHECK(gone.has("a", 150));
  CAF_CHECK(!gone.has("a", 151));
  CAF_CHECK(!gone.has("b", 60));
}

CAF_TEST(of_too_many_any_id_counts_as_one) {
  recent_ids gone{100, 3};
  for (const auto* id : {"a", "b", "c"})
    gone.add(id, 0);
  CAF_CHECK(!gone.knows_too_many(0));
  gone.add("d", 101); // the others are no longer recent
  CAF_CHECK(!gone.has("x", 101));
  for (const auto* id : {"e", "f", "g"})
    gone.add(id, 102);
  CAF_CHECK(gone.has("x", 202));
  CAF_CHECK(!gone.has("x", 203));
}
