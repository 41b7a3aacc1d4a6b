#define CAF_SUITE replica
#include "actors/replica.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

holder_map saying(const std::string& node, uint32_t epoch, holder_state state) {
  holder_map holders;
  holders.merge(node, {epoch, state});
  return holders;
}

} // namespace

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
