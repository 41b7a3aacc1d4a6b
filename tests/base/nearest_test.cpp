#define CAF_SUITE nearest
#include "runtime/base/nearest.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(a_mistyped_word_finds_its_neighbour) {
  CAF_CHECK_EQUAL(nearest("staus", {"status", "list", "put"}), "status");
  CAF_CHECK_EQUAL(nearest("pt", {"status", "list", "put"}), "put");
  CAF_CHECK_EQUAL(nearest("frobnicate", {"status", "list", "put"}), "");
}
