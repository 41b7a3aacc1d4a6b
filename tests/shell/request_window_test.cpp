#define CAF_SUITE request_window
#include "runtime/shell/request_window.hpp"

#include <caf/test/dsl.hpp>

#include <sstream>
#include <vector>

using namespace gnomon;
using namespace gnomon::shell;

namespace {

struct fixture {
  std::ostringstream out, err;
  terminal to{.out = out, .err = err, .err_is_tty = true};
  session_context context{to, {}};
  tally counts{context, "moved", out};
  std::vector<std::shared_ptr<gnomon::detail::pending<int>>> asked;
  std::vector<std::string> answers; // as they were taken
  size_t begun = 0;

  request_window<int> window(size_t most) {
    for (int i = 0; i < 200; ++i)
      asked.push_back(std::make_shared<gnomon::detail::pending<int>>());
    return {counts, most, [this](const work_item& what, std::optional<int> got) {
              answers.push_back(what.name + (got ? " " + std::to_string(*got) : " failed"));
            }};
  }

  auto next() {
    return [this] { return later<int>{asked[begun++]}; };
  }

  void answer(size_t number) {
    asked[number]->end(outcome<int>{static_cast<int>(number)});
  }

  void fail(size_t number, ec code) {
    asked[number]->end(outcome<int>{std::make_exception_ptr(failure{code, "no luck"})});
  }

  bool says(const std::string& text) const {
    return err.str().find(text) != std::string::npos;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(request_window_tests, fixture)

CAF_TEST(requests_of_one_order_are_under_way_one_after_the_other) {
  auto w = window(8);
  auto stopped = w.run([&] {
    answer(0); // else the third would wait for ever
    w.begin({.name = "a", .in_order_of = "x"}, next());
    w.begin({.name = "b", .in_order_of = "y"}, next());
    w.begin({.name = "c"}, next());
    w.begin({.name = "d", .in_order_of = "x"}, [&] {
      CAF_CHECK_EQUAL(answers, (std::vector<std::string>{"a 0"}));
      return later<int>{asked[begun++]};
    });
    for (size_t last : {3, 2, 1})
      answer(last);
  });
  CAF_CHECK_EQUAL(stopped, "");
  CAF_CHECK_EQUAL(answers, (std::vector<std::string>{"a 0", "b 1", "c 2", "d 3"}));
}

CAF_TEST(answers_are_taken_in_the_order_of_the_requests) {
  auto w = window(8);
  auto stopped = w.run([&] {
    for (auto name : {"a", "b", "c"})
      w.begin({name}, next());
    for (size_t last : {2, 0, 1})
      answer(last);
  });
  CAF_CHECK_EQUAL(stopped, "");
  CAF_CHECK_EQUAL(answers, (std::vector<std::string>{"a 0", "b 1", "c 2"}));
}

CAF_TEST(a_request_waits_for_room_in_number_and_in_bytes) {
  auto w = window(2);
  w.run([&] {
    answer(0);
    answer(1);
    w.begin({"a", 1}, next());
    w.begin({"b", 64u << 20}, next()); // too much beside the first
    CAF_CHECK_EQUAL(answers.size(), 1u);
    answer(2);
    answer(3);
    w.begin({"c", 0}, next()); // beside a large one there is room for nothing
    w.begin({"d", 0}, next());
    CAF_CHECK_EQUAL(answers.size(), 2u);
  });
  CAF_CHECK_EQUAL(answers.size(), 4u);
}

CAF_TEST(progress_counts_what_was_answered_and_not_what_was_begun) {
  auto w = window(8);
  w.run([&] {
    w.begin({"a", 1, 0.25}, next());
    w.begin({"b", 1, 1.0}, next());
    CAF_CHECK_EQUAL(err.str(), "");
    answer(0);
    answer(1);
  });
  CAF_CHECK(says("25%"));
}

CAF_TEST(a_failed_request_is_named_and_the_others_go_on) {
  auto w = window(8);
  auto stopped = w.run([&] {
    fail(0, ec::not_enough_acks);
    answer(1);
    w.begin({"first"}, next());
    w.begin({"second"}, next());
    w.begin({"third"}, []() -> later<int> { throw failure{ec::invalid_argument, "not possible"}; });
  });
  CAF_CHECK_EQUAL(stopped, "");
  CAF_CHECK(says("first: no luck"));
  CAF_CHECK(says("third: not possible"));
  CAF_CHECK_EQUAL(counts.finish(stopped), failed);
  CAF_CHECK_EQUAL(answers.size(), 3u);
}

CAF_TEST(a_hundred_requests_in_a_row_without_a_node_end_the_work) {
  auto w = window(1);
  auto stopped = w.run([&] {
    for (size_t k = 0; k < 200; ++k) {
      fail(k, ec::unavailable);
      w.begin({std::to_string(k)}, next());
    }
  });
  CAF_CHECK(stopped.find("100 requests in a row") != stopped.npos);
  CAF_CHECK(begun < 110);
}

CAF_TEST(work_that_breaks_off_still_takes_the_answers_under_way) {
  auto w = window(8);
  bool whole = false;
  auto stopped = w.run(
      [&] {
        answer(0);
        w.begin({"a"}, next());
        throw std::runtime_error{"the file ends here"};
      },
      [&] { whole = true; });
  CAF_CHECK_EQUAL(stopped, "the file ends here");
  CAF_CHECK_EQUAL(answers.size(), 1u);
  CAF_CHECK(!whole);
}

CAF_TEST_FIXTURE_SCOPE_END()
