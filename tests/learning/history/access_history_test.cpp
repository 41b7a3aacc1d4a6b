#define CAF_SUITE access_history
#include "learning/history/access_history.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon::learning;

CAF_TEST(accesses_come_back_in_order_of_time_with_their_names) {
  access_history history{100};
  history.add("ann", "a", "eu", 30);
  history.add("", "b", "us", 20);
  history.add("bob", "a", "eu", 10);
  auto all = history.all(), of_users = history.of_users();
  CAF_REQUIRE_EQUAL(all.accesses.size(), 3u);
  CAF_CHECK_EQUAL(all.accesses[0].time, 10u);
  CAF_CHECK_EQUAL(all.item_names[all.accesses[1].item], "b");
  CAF_CHECK_NOT_EQUAL(all.accesses[1].region, all.accesses[0].region);
  CAF_REQUIRE_EQUAL(of_users.accesses.size(), 2u);
  CAF_CHECK_EQUAL(of_users.accesses[1].time, 30u);
}

CAF_TEST(beyond_the_limit_the_oldest_go_and_their_names_with_them) {
  access_history history{100};
  for (uint32_t k = 0; k < 250; ++k)
    history.add("user" + std::to_string(k), "item" + std::to_string(k), "eu", 1000 + k);
  CAF_CHECK_EQUAL(history.added(), 250u);
  CAF_CHECK(history.size() > 70);
  CAF_CHECK(history.size() <= 100);
  auto log = history.all();
  CAF_CHECK_EQUAL(log.accesses.back().time, 1249u);
  CAF_CHECK(log.accesses.front().time > 1140);
  CAF_CHECK_EQUAL(log.item_names.size(), history.size());
}

CAF_TEST(a_forgotten_user_leaves_neither_accesses_nor_a_name) {
  access_history history{100};
  for (uint32_t k = 0; k < 10; ++k)
    history.add(k % 2 == 0 ? "ann" : "bob", "item" + std::to_string(k), "eu", k + 1);
  CAF_CHECK(history.forget("ann"));
  CAF_CHECK(!history.forget("ann"));
  CAF_CHECK_EQUAL(history.size(), 5u);
  auto log = history.of_users();
  CAF_CHECK_EQUAL(log.users, 1u);
  CAF_CHECK_EQUAL(log.item_names.size(), 5u); // items only ann had read are gone, too
}
