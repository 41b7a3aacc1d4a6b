#define CAF_SUITE replica
#include "actors/shadow/replica.hpp"
#include "storage/keys.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace gnomon;

namespace {

holder_map saying(const std::string& node, uint32_t epoch, holder_state state) {
  holder_map holders;
  holders.merge(node, {epoch, state});
  return holders;
}

bool has(const std::vector<std::string>& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

} // namespace

CAF_TEST(a_large_value_is_fenced_off_from_small_keys_as_long_as_it_is_there) {
  replica item("film", "here");
  write_item request;
  request.id = "film";
  request.value = blob{std::string(100'000, 'x')};
  item.write(request, conflict_rule::siblings, {}, {7, 1}, {});
  auto batch = item.take_changes({}, 60s);
  auto fence = std::find_if(batch.puts.begin(), batch.puts.end(),
                            [](const auto& put) { return put.first == keys::fence("film"); });
  CAF_REQUIRE(fence != batch.puts.end());
  CAF_CHECK_EQUAL(fence->second.size(), keys::fence_bytes);
  item.drop();
  CAF_CHECK(has(item.take_changes({}, 60s).erases, keys::fence("film")));
}

CAF_TEST(a_copy_that_began_to_join_in_the_future_is_given_up_in_time) {
  auto now = timestamp{1000h};
  replica item("x", "here");
  item.join({lease_reason::access, 1.0, now + 10h, now + 10h, {}});
  CAF_CHECK(item.limit_join(now));
  CAF_CHECK(!item.limit_join(now));
  CAF_CHECK(!item.lease_over(now, 60s));
  CAF_CHECK(item.lease_over(now + 60s, 60s));
}

CAF_TEST(a_joining_copy_stays_one_whatever_others_say_of_the_copy_before_it) {
  for (auto said : {holder_state::shadow, holder_state::durable, holder_state::left})
    for (uint32_t epoch : {1u, 2u, 7u}) {
      replica joining("story", "here");
      joining.join({});
      joining.merge(saying("here", epoch, said));
      CAF_CHECK(joining.role() == holder_state::joining);
      CAF_CHECK(!joining.present());
    }
}

CAF_TEST(a_store_put_back_to_an_older_state_names_no_new_write_like_one_it_has_forgotten) {
  write_item request;
  request.id = "story";
  request.value = blob{std::string{"once upon a time"}};
  replica before("story", "here");
  before.write(request, conflict_rule::siblings, {}, holding_id{1, 1}, {});
  auto values = std::map<dot, blob>{{before.versions().siblings.front().id, request.value}};
  auto record = encode(before.record());
  for (uint64_t incarnation : {1u, 2u}) {
    replica after("story", "here");
    CAF_CHECK(!after.load(record, values));
    after.begin_incarnation(incarnation);
    auto made = after.write(request, conflict_rule::siblings, {}, holding_id{incarnation, 7}, {});
    CAF_CHECK(made.holding == (incarnation == 1 ? holding_id{1, 1} : holding_id{2, 7}));
  }
}
