#define CAF_SUITE shadow_requests
#include "tests/support/cluster_fixture.hpp"

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct fixture : cluster_fixture {
  write_item asked(const std::string& id, const std::string& value, const std::string& request,
                   version_vector seen = {}) {
    auto w = write_of(id, value, std::move(seen));
    w.request_id = request;
    return w;
  }

  void last_writer_wins() {
    CAF_CHECK(ask<policy_list>("a", put_policy{policy_scope::type, "t", R"({"conflicts": "lww"})"}));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shadow_requests_tests, fixture)

CAF_TEST(a_repeated_write_whose_version_was_replaced_is_not_done_again) {
  begin(1);
  last_writer_wins();
  auto first = unbox(ask<write_receipt>("a", asked("t/x", "1", "r1")));
  CAF_CHECK(ask<write_receipt>("a", asked("t/x", "2", "r2")));
  auto again = unbox(ask<write_receipt>("a", asked("t/x", "1", "r1")));
  CAF_CHECK_EQUAL(again.etag, first.etag);
  CAF_CHECK_EQUAL(value("a", "t/x"), "2");
  restart("a");
  CAF_CHECK(ask<write_receipt>("a", asked("t/x", "1", "r1")));
  CAF_CHECK_EQUAL(value("a", "t/x"), "2");
}

CAF_TEST(a_repeated_delete_does_not_delete_what_was_written_after_it) {
  begin(1);
  put("a", "x", "1");
  auto gone = asked("x", "", "r1");
  gone.deleted = true;
  CAF_CHECK(ask<write_receipt>("a", gone));
  CAF_CHECK(put("a", "x", "2"));
  CAF_CHECK(ask<write_receipt>("a", gone));
  CAF_CHECK_EQUAL(value("a", "x"), "2");
}

CAF_TEST(every_region_with_a_copy_knows_which_requests_were_done) {
  begin(3, 2);
  last_writer_wins();
  CAF_CHECK(ask<write_receipt>("a", asked("t/x", "1", "r1")));
  CAF_CHECK(ask<write_receipt>("a", asked("t/x", "2", "r2")));
  for (auto name : {"b", "c", "d"}) { // d fetches its copy for the write
    CAF_CHECK(ask<write_receipt>(name, asked("t/x", "1", "r1")));
    CAF_CHECK_EQUAL(value(name, "t/x"), "2");
  }
  CAF_CHECK_EQUAL(value("a", "t/x"), "2");
}

CAF_TEST(a_repeats_answer_replaces_nothing_that_its_writer_has_not_seen) {
  begin(1);
  auto first = unbox(ask<write_receipt>("a", asked("x", "1", "r1")));
  CAF_CHECK(put("a", "x", "2", first.context));
  auto again = unbox(ask<write_receipt>("a", asked("x", "1", "r1")));
  CAF_CHECK(put("a", "x", "3", again.context));
  CAF_CHECK_EQUAL(value("a", "x"), "2|3");
  auto w = write_of("x", "4");
  w.condition = write_condition::if_match;
  w.etag = again.etag;
  CAF_CHECK_EQUAL(code_of(ask<write_receipt>("a", w).error()), ec::precondition_failed);
}

CAF_TEST(requests_are_remembered_up_to_a_number_and_an_age) {
  begin(1);
  last_writer_wins();
  auto repeat = [&] {
    ask<write_receipt>("a", asked("t/x", "1", "r1"));
    return value("a", "t/x");
  };
  CAF_CHECK(ask<write_receipt>("a", asked("t/x", "1", "r1")));
  for (size_t i = 0; i < max_past_requests; ++i)
    CAF_CHECK(ask<write_receipt>("a", asked("t/x", "new", "n" + std::to_string(i))));
  CAF_CHECK_EQUAL(repeat(), "new");
  time->advance(request_memory - 1min);
  CAF_CHECK_EQUAL(repeat(), "new");
  time->advance(2min);
  CAF_CHECK_EQUAL(repeat(), "1");
  for (size_t i = 0; i <= max_past_requests; ++i)
    CAF_CHECK(ask<write_receipt>("a", asked("t/x", "new", "m" + std::to_string(i))));
  CAF_CHECK_EQUAL(repeat(), "1");
}

CAF_TEST_FIXTURE_SCOPE_END()
