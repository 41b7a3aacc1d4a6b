#define CAF_SUITE output
#include "runtime/shell/output.hpp"

#include "runtime/shell/progress.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <sstream>

using namespace gnomon;
using namespace gnomon::shell;
using namespace std::chrono_literals;

namespace {

struct fixture {
  std::ostringstream out, err;
  terminal to{.out = out, .err = err};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(output_tests, fixture)

CAF_TEST(columns_line_up_whatever_the_script) {
  table t{{"ID", ">BYTES", "ROLE"}};
  t.row({"news/1", "1,024", "durable"});
  t.row({"ключ", "7", "shadow"});
  t.print(to);
  CAF_CHECK_EQUAL(out.str(), "ID      BYTES  ROLE\n"
                             "news/1  1,024  durable\n"
                             "ключ        7  shadow\n");
}

CAF_TEST(a_column_without_content_is_left_out_and_no_line_ends_in_blanks) {
  table t{{"ID", "NOTES", "ROLE", "MORE"}};
  t.row({"a", "", "durable", ""});
  t.row({"b", "", "", "x"});
  t.print(to);
  CAF_CHECK_EQUAL(out.str(), "ID  ROLE     MORE\na   durable\nb            x\n");
}

CAF_TEST(without_a_terminal_there_are_no_colours) {
  table t{{"STATE"}};
  t.row({cell{"live", style::good}});
  t.print(to);
  CAF_CHECK_EQUAL(out.str().find('\033'), std::string::npos);
  to.colour = true;
  CAF_CHECK_EQUAL(to.paint(style::good, "live"), "\033[32mlive\033[0m");
  CAF_CHECK_EQUAL(to.paint(style::plain, "live"), "live");
}

CAF_TEST(sizes_counts_and_times_read_well) {
  CAF_CHECK_EQUAL(human_bytes(0), "0 B");
  CAF_CHECK_EQUAL(human_bytes(1023), "1023 B");
  CAF_CHECK_EQUAL(human_bytes(1536), "1.5 KiB");
  CAF_CHECK_EQUAL(human_bytes((1u << 20) - 1), "1.0 MiB");
  CAF_CHECK_EQUAL(human_bytes(UINT64_MAX), "16.0 EiB");
  CAF_CHECK_EQUAL(human_count(0), "0");
  CAF_CHECK_EQUAL(human_count(999), "999");
  CAF_CHECK_EQUAL(human_count(1234567), "1,234,567");
  CAF_CHECK_EQUAL(human_duration(350ms), "350 ms");
  CAF_CHECK_EQUAL(human_duration(3h), "3 h");
  CAF_CHECK_EQUAL(human_duration(3h + 20min), "3 h 20 min");
  CAF_CHECK_EQUAL(human_time({}, timestamp{1s}), "never");
  CAF_CHECK_EQUAL(human_time(timestamp{10s}, timestamp{5s}), "in 5 s");
  CAF_CHECK_EQUAL(human_time(timestamp{5s}, timestamp{10s}), "5 s ago");
}

CAF_TEST(progress_tells_rate_and_time_left) {
  progress_facts facts{.items = 5000, .bytes = 1 << 20, .failed = 0, .share = 0.25, .elapsed = 10s};
  CAF_CHECK_EQUAL(progress_line(facts), "5,000 items  1.0 MiB  500/s  25%  about 30 s left");
  facts.share = -1;
  facts.failed = 3;
  CAF_CHECK_EQUAL(progress_line(facts), "5,000 items  1.0 MiB  500/s  3 failed");
}

CAF_TEST(progress_is_silent_without_a_terminal) {
  progress p{to};
  p.show({.items = 1});
  CAF_CHECK_EQUAL(err.str(), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
