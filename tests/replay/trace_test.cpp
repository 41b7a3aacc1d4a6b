#define CAF_SUITE trace
#include "runtime/replay/trace.hpp"

#include "temporary_folder.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::replay;

namespace {

raw_read csv(std::string_view line) {
  auto parsed = parse_csv_line(line);
  return std::holds_alternative<raw_read>(parsed) ? std::get<raw_read>(parsed) : raw_read{-1, "?", "?", "?"};
}

std::string csv_reason(std::string_view line) {
  auto parsed = parse_csv_line(line);
  return std::holds_alternative<malformed>(parsed) ? std::get<malformed>(parsed).reason : "no complaint";
}

const trace_options five{0, {"a", "b", "c", "d", "e"}};

struct fixture : temporary_folder {
  trace loaded(const std::string& text, const trace_options& how = five) {
    auto result = load_trace(write("trace", text), how);
    CAF_REQUIRE(result);
    return std::move(*result);
  }
  std::string refusal(const std::string& text) {
    auto result = load_trace(write("trace", text), five);
    CAF_REQUIRE(!result);
    return sentence_of(result.error());
  }
};

} // namespace

CAF_TEST(a_csv_line_has_time_user_region_and_item) {
  auto read = csv("1506826800.026,59,us-east-1,article/234853");
  CAF_CHECK_EQUAL(read.t, 1506826800.026);
  CAF_CHECK_EQUAL(read.user, "59");
  CAF_CHECK_EQUAL(read.region, "us-east-1");
  CAF_CHECK_EQUAL(read.item, "article/234853");
}

CAF_TEST(csv_fields_may_be_quoted) {
  auto read = csv(R"(1,"Jones, Ann",r,"say ""hi""")");
  CAF_CHECK_EQUAL(read.user, "Jones, Ann");
  CAF_CHECK_EQUAL(read.item, "say \"hi\"");
}

CAF_TEST(each_bad_csv_line_has_its_reason) {
  CAF_CHECK_EQUAL(csv_reason("1,u,r"), "has 3 fields instead of the 4 of t,user,region,item");
  CAF_CHECK_EQUAL(csv_reason("1,u,r,i,x"), "has 5 fields instead of the 4 of t,user,region,item");
  CAF_CHECK_EQUAL(csv_reason("noon,u,r,i"), "the time \"noon\" is not a number of seconds");
  CAF_CHECK_EQUAL(csv_reason("nan,u,r,i"), "the time \"nan\" is not a number of seconds");
  CAF_CHECK_EQUAL(csv_reason("inf,u,r,i"), "the time \"inf\" is not a number of seconds");
  CAF_CHECK_EQUAL(csv_reason("1x,u,r,i"), "the time \"1x\" is not a number of seconds");
  CAF_CHECK_EQUAL(csv_reason("-1,u,r,i"), "the time -1 is negative");
  CAF_CHECK_EQUAL(csv_reason("1506826800026,u,r,i"),
                  "the time 1506826800026 is too large for seconds; is it in milliseconds?");
  CAF_CHECK_EQUAL(csv_reason("1,,r,i"), "the user is empty");
  CAF_CHECK_EQUAL(csv_reason("1,u,,i"), "the region is empty");
  CAF_CHECK_EQUAL(csv_reason("1,\xFF,r,i"), "the user is not UTF-8 text");
  CAF_CHECK_EQUAL(csv_reason("1," + std::string(300, 'u') + ",r,i"), "the user is longer than 256 bytes");
  CAF_CHECK_EQUAL(csv_reason("1,\"u,r,i"), "a quoted field does not end");
  CAF_CHECK(csv_reason("1,u,r,").find("the item cannot be an id: the data id is empty") == 0);
  CAF_CHECK(csv_reason("1,u,r," + std::string(1025, 'i')).find("1025 bytes") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE(files, fixture)

CAF_TEST(a_header_a_byte_order_mark_and_windows_line_ends_are_no_obstacle) {
  auto t = loaded("\xEF\xBB\xBFt,user,region,item\r\n1,u,r,i\r\n\r\n2,u,r,j");
  CAF_CHECK_EQUAL(t.reads.size(), 2u);
  CAF_CHECK_EQUAL(t.malformed, 0u);
  CAF_CHECK_EQUAL(t.items[1], "j");
}

CAF_TEST(malformed_lines_are_counted_and_the_first_few_told) {
  std::string text = "1,u,r,i\n";
  for (int i = 0; i < 20; ++i)
    text += "rubbish\n";
  auto t = loaded(text + "2,u,r,i\n");
  CAF_CHECK_EQUAL(t.reads.size(), 2u);
  CAF_CHECK_EQUAL(t.malformed, 20u);
  CAF_CHECK_EQUAL(t.complaints.size(), 5u);
  CAF_CHECK_EQUAL(t.complaints[0].line, 2u);
  CAF_CHECK_EQUAL(t.complaints[0].reason, "has 1 fields instead of the 4 of t,user,region,item");
}

CAF_TEST(a_file_without_any_usable_line_is_refused_with_reasons) {
  CAF_CHECK(
      refusal("hello\nworld\n").find("trace has no usable read in 2 lines\n  line 1: is neither t,user,region,item")
      == 0);
  CAF_CHECK(refusal("").find("trace has no usable read in 0 lines") == 0);
  CAF_CHECK(refusal(std::string(200'000, 'x')).find("line 1: is longer than 64 KiB") != std::string::npos);
  CAF_CHECK(refusal(std::string("\0\1\2\n", 4)).find("no usable read") != std::string::npos);
}

CAF_TEST(a_missing_file_and_a_folder_are_refused_by_name) {
  auto missing = load_trace(path() / "nowhere", five);
  CAF_CHECK_EQUAL(sentence_of(missing.error()),
                  "cannot open the trace " + (path() / "nowhere").string() + ": No such file or directory");
  CAF_CHECK(sentence_of(load_trace(path(), five).error()).find("is a directory") != std::string::npos);
}

CAF_TEST(a_limit_counts_lines_of_the_file) {
  auto t = loaded("t,user,region,item\n1,u,r,i\n2,u,r,i\n3,u,r,i\n", {3, five.log_regions});
  CAF_CHECK_EQUAL(t.reads.size(), 2u);
}

CAF_TEST(reads_out_of_order_are_sorted_and_equal_times_keep_their_order) {
  auto t = loaded("5,u,r,e\n1,u,r,a\n5,u,r,f\n3,u,r,c\n");
  std::string order;
  for (const auto& read : t.reads)
    order += t.items[read.item];
  CAF_CHECK_EQUAL(order, "acef");
  CAF_CHECK_EQUAL(t.out_of_order, 2u);
  CAF_CHECK_EQUAL(t.span(), 4.0);
}

CAF_TEST(gzip_is_told_by_content) {
  auto t = load_trace(write_gzip("trace.txt", "1,u,r,i\n2,u,r,j\n"), five);
  CAF_REQUIRE(t);
  CAF_CHECK_EQUAL(t->reads.size(), 2u);
}

CAF_TEST(a_gzip_file_that_ends_early_gives_what_it_has_and_says_so) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += std::to_string(i) + ",u" + std::to_string(i * 7919 % 10007) + ",r,i" + std::to_string(i * 31 % 997) + '\n';
  auto file = write_gzip("trace.gz", text);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  auto t = load_trace(file, five);
  CAF_REQUIRE(t);
  CAF_CHECK(t->reads.size() > 10'000u);
  CAF_CHECK(t->complaints.back().reason.find("cannot be read on from here: damaged gzip data") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
