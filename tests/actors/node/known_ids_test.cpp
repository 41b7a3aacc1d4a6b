#define CAF_SUITE known_ids
#include "actors/node/known_ids.hpp"

#include <caf/test/dsl.hpp>

#include <string>

using namespace gnomon;

namespace {

std::string named(int i) {
  return "news/" + std::to_string(i);
}

} // namespace

CAF_TEST(what_was_added_is_never_missed_and_little_else_is_taken_for_known) {
  known_ids ids;
  constexpr auto most = 40'000;
  for (int i = 0; i < most; ++i)
    ids.add(named(i));
  auto missed = 0, mistaken = 0;
  for (int i = 0; i < most; ++i) {
    missed += ids.may_have(named(i)) ? 0 : 1;
    mistaken += ids.may_have(named(most + i)) ? 1 : 0;
  }
  CAF_CHECK_EQUAL(missed, 0);
  CAF_CHECK_LESS(mistaken, most / 200);
}

CAF_TEST(a_filter_says_when_it_has_to_be_made_anew) {
  known_ids ids;
  const auto slice = shard_of("news/0");
  auto added = 0;
  for (int i = 0; !ids.is_crowded(slice); ++i)
    if (shard_of(named(i)) == slice) {
      ids.add(named(i));
      ++added;
    }
  CAF_CHECK(added > 500);
  auto next = known_ids::begin_anew(2);
  next->add("news/0");
  ids.replace(slice, std::move(next));
  CAF_CHECK(ids.may_have("news/0"));
  CAF_CHECK(!ids.is_crowded(slice));
  auto left = 0;
  for (int i = 1; i < 1000; ++i)
    left += shard_of(named(i)) == slice && ids.may_have(named(i)) ? 1 : 0;
  CAF_CHECK_EQUAL(left, 0);
}
