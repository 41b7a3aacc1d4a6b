#define CAF_SUITE data_directory
#include "runtime/node/data_directory.hpp"

#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>

using namespace gnomon;
using namespace gnomon::test;
namespace fs = std::filesystem;

namespace {

/// A data directory with two stores, as a node opens it at each start.
struct fixture {
  temporary_directory place;
  fs::path data = fs::path{place.path()} / "data";
  fs::path backup = fs::path{place.path()} / "backup";

  uint64_t start(bool restored = false) {
    std::vector<std::shared_ptr<kv_store>> stores;
    for (auto name : {"store-0", "store-1"}) {
      fs::create_directories(data);
      auto opened = open_level_store((data / name).string());
      if (!opened)
        CAF_FAIL(sentence_of(opened.error()));
      stores.push_back(std::move(*opened));
    }
    auto identity = settle_identity(data.string(), stores, restored);
    if (!identity)
      CAF_FAIL(sentence_of(identity.error()));
    return identity->incarnation;
  }

  void copy(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(data_directory_tests, fixture)

CAF_TEST(a_node_keeps_its_incarnation_over_starts) {
  auto first = start();
  CAF_CHECK_EQUAL(start(), first);
  CAF_CHECK_EQUAL(start(), first);
}

CAF_TEST(a_directory_that_is_moved_keeps_it_too) {
  auto first = start();
  fs::rename(data, backup);
  data = backup;
  CAF_CHECK_EQUAL(start(), first);
}

CAF_TEST(a_copied_directory_gets_a_new_incarnation_and_keeps_that) {
  auto first = start();
  copy(data, backup);
  data = backup;
  auto second = start();
  CAF_CHECK_NOT_EQUAL(second, first);
  CAF_CHECK_EQUAL(start(), second);
}

CAF_TEST(a_store_that_was_put_back_under_a_node_is_noticed) {
  for (auto store : {"store-0", "store-1"}) {
    auto first = start();
    copy(data / store, backup);
    start();
    copy(backup, data / store);
    auto second = start();
    CAF_CHECK_NOT_EQUAL(second, first);
    CAF_CHECK_EQUAL(start(), second);
  }
}

CAF_TEST(an_operator_may_ask_for_a_new_incarnation) {
  auto first = start();
  auto second = start(true);
  CAF_CHECK_NOT_EQUAL(second, first);
  CAF_CHECK_EQUAL(start(), second);
}

CAF_TEST_FIXTURE_SCOPE_END()
