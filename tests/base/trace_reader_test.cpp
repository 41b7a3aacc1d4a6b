#define CAF_SUITE trace_reader
#include "runtime/base/trace_reader.hpp"

#include "tests/replay/temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <spdlog/fmt/fmt.h>

using namespace gnomon;

namespace {

using texts = std::vector<std::string>;

struct fixture : temporary_folder {
  /// The reads of a file, as "t user region item".
  texts reads_of(const std::string& file, uint64_t limit = 0) {
    auto reader = trace_reader::open(file, limit);
    CAF_REQUIRE(reader);
    texts reads;
    lines.clear();
    while (auto read = (*reader)->next()) {
      reads.push_back(fmt::format("{} {} {} {}", read->t, read->user, read->region, read->item));
      lines.push_back((*reader)->line());
    }
    counts = (*reader)->counts();
    problem = (*reader)->problem() ? sentence_of((*reader)->problem()) : "";
    return reads;
  }
  texts reads_in(const std::string& text) {
    return reads_of(write("trace", text));
  }
  std::string reason(const std::string& line) {
    reads_in("1,u,r,i\n" + line + "\n");
    return counts.complaints.empty() ? "no complaint" : counts.complaints[0].reason;
  }
  trace_counts counts;
  std::vector<uint64_t> lines;
  std::string problem;
};

const texts two{"1 u us-east-1 a", "2 u us-east-1 b,c"};
const std::string log_line = "192.0.2.1 - - [10/Mar/2024:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 10";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(trace_reader_tests, fixture)

CAF_TEST(csv_is_read_alike_however_a_program_wrote_it) {
  const std::string rows = "1,u,us-east-1,a\n2,u,us-east-1,\"b,c\"\n";
  for (const auto& text : texts{
           "t,user,region,item\n" + rows, rows, "\xEF\xBB\xBFt,user,region,item\n" + rows, "\xEF\xBB\xBF" + rows,
           std::string{"\"t\",\"user\",\"region\",\"item\"\r\n\"1\",\"u\",\"us-east-1\",\"a\"\r\n"
                       "2,u,us-east-1,\"b,c\"\r\n"},
           std::string{"\xEF\xBB\xBF\"t\",user,region,item\r\n1,u,us-east-1,a\r\n\r\n2,u,us-east-1,\"b,c\""},
           std::string{"data_id,agent, Region ,USER_ID,timestamp\na,x,us-east-1,u,1\n\"b,c\",\"y,z\",us-east-1,u,2\n"},
           "t,user,region,item\n1,u,us-east-1,a\n\xEF\xBB\xBFitem,user,region,t\n\"b,c\",u,us-east-1,2\n"}) {
    CAF_CHECK_EQUAL(reads_in(text), two);
    CAF_CHECK_EQUAL(reads_of(write_gzip("trace.gz", text)), two);
    CAF_CHECK_EQUAL(counts.malformed, 0u);
    CAF_CHECK_EQUAL(problem, "");
  }
}

CAF_TEST(a_field_may_hold_line_ends_and_lines_keep_their_numbers) {
  CAF_CHECK_EQUAL(reads_in("t,user,item\n1,\"two\nlines\",a\n2,u,b\nx\n"), (texts{"1 two\nlines  a", "2 u  b"}));
  CAF_CHECK_EQUAL(lines, (std::vector<uint64_t>{2, 4}));
  CAF_REQUIRE_EQUAL(counts.complaints.size(), 1u);
  CAF_CHECK_EQUAL(counts.complaints[0].line, 5u);
}

CAF_TEST(json_is_read_as_a_node_reads_it) {
  const std::string first = R"({"user_id":"u","data_id":"a","timestamp":1,"region":"us-east-1"})",
                    second =
                        R"({"data_id":"b,c","timestamp":"1970-01-01T00:00:02Z","user_id":"u","region":"us-east-1"})";
  for (auto text : {first + "\n" + second + "\n", "\xEF\xBB\xBF" + first + "\r\n" + second,
                    "[" + first + "," + second + "]", "\xEF\xBB\xBF [\n" + first + ",\n" + second + "\n]\n"}) {
    CAF_CHECK_EQUAL(reads_in(text), two);
    CAF_CHECK_EQUAL(counts.malformed, 0u);
  }
  CAF_CHECK_EQUAL(reads_in(first + "\n{\"user_id\":1}\n" + second), two);
  CAF_CHECK_EQUAL(counts.malformed, 1u);
  CAF_CHECK_EQUAL(counts.complaints.at(0).line, 2u);
  CAF_CHECK_EQUAL(reads_of(write("trace", first + "\n" + second), 1), (texts{two[0]}));
}

CAF_TEST(an_access_log_with_a_byte_order_mark_and_windows_line_ends_has_one_reader) {
  const texts read{"1710064800 192.0.2.1  web/a", "1710064800 192.0.2.1  web/a"};
  CAF_CHECK_EQUAL(reads_in("\xEF\xBB\xBF" + log_line + "\r\n" + log_line + "\r\n"), read);
  CAF_CHECK_EQUAL(reads_in(log_line + "\n\xEF\xBB\xBF" + log_line), read);
  CAF_CHECK_EQUAL(reads_in("[2001:db8::1]:80 " + log_line + "\n"), (texts{read[0]}));
}

CAF_TEST(times_are_seconds_milliseconds_or_text) {
  CAF_CHECK_EQUAL(reads_in("1506826800026,u,r,i\n1506826800.5,u,r,i\n2024-05-01T14:00:00+02:00,u,r,i\n0,u,r,i\n"),
                  (texts{"1506826800.026 u r i", "1506826800.5 u r i", "1714564800 u r i", "0 u r i"}));
}

CAF_TEST(each_bad_line_has_its_reason) {
  CAF_CHECK_EQUAL(reason("1,u,r"), "has 3 fields instead of 4");
  CAF_CHECK_EQUAL(reason("1,u,r,i,x"), "has 5 fields instead of 4");
  for (auto t : {"noon", "nan", "inf", "1x", "-1", "5000000000", ""})
    CAF_CHECK_EQUAL(reason(fmt::format("{},u,r,i", t)),
                    fmt::format("the time \"{}\" is neither seconds since 1970 nor like 2024-05-01T12:00:00Z", t));
  CAF_CHECK_EQUAL(reason("1,,r,i"), "the user is empty");
  CAF_CHECK_EQUAL(reason("1,\xFF,r,i"), "the user is not UTF-8 text");
  CAF_CHECK_EQUAL(reason("1," + std::string(1025, 'u') + ",r,i"), "the user is longer than 1,024 bytes");
  CAF_CHECK_EQUAL(reason("1,\"u,r,i"), "a quoted field does not end");
  CAF_CHECK_EQUAL(reason("1,u,r, \"i\""), "a quote stands in the middle of a field");
  CAF_CHECK(has(reason("1,u,r,"), "the item cannot be an id: the data id is empty"));
  CAF_CHECK(has(reason("1,u,r," + std::string(1025, 'i')), "1025 bytes"));
  CAF_CHECK_EQUAL(reason(std::string(70'000, 'x')), "is longer than 64 KiB");
}

CAF_TEST(columns_that_are_named_in_part_are_not_taken_by_their_place) {
  for (auto header : {"time,item,reader,region", "t,t,user,item", "item,user,region,when"}) {
    CAF_CHECK_EQUAL(reads_in(std::string{header} + "\n1,u,r,i\n2,u,r,i\n"), texts{});
    CAF_CHECK(has(problem, "its first line names columns, but not each of t, user and item once"));
  }
}

CAF_TEST(a_log_without_reads_is_told_what_it_holds) {
  auto line = [](const std::string& method, int status) {
    return fmt::format("192.0.2.1 - - [10/Mar/2024:10:00:00 +0000] \"{} /a HTTP/1.1\" {} 10\n", method, status);
  };
  reads_in(line("GET", 301) + line("GET", 302) + line("GET", 404) + line("POST", 200));
  CAF_CHECK(has(problem,
                "has no usable read in 4 lines; it holds requests that are no reads: 1 with another method than GET, "
                "2 answered with a redirect, 1 answered with an error"));
}

CAF_TEST(a_file_without_any_usable_line_is_refused_with_reasons) {
  reads_in("hello\nworld\n");
  CAF_CHECK(has(problem, "has no usable read in 2 lines\n  line 1: is neither CSV"));
  CAF_CHECK(has(problem, "A trace is CSV whose first line names"));
  reads_in("");
  CAF_CHECK(has(problem, "has no usable read in 0 lines"));
  reads_in(std::string("\0\1\2\n", 4));
  CAF_CHECK(has(problem, "no usable read"));
  CAF_CHECK(!trace_reader::open(path() / "nowhere"));
}

CAF_TEST(a_damaged_file_is_named_with_what_was_read_of_it) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += fmt::format("{},u{},r,i{}\n", i, i * 7919 % 10007, i * 31 % 997);
  for (const auto& first : texts{text, R"({"user_id":"u","data_id":"a","timestamp":1})"
                                       "\n" + text.substr(0, 20'000)}) {
    auto file = write_gzip("trace.gz", first);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    const auto reads = reads_of(file);
    CAF_CHECK(has(problem, "trace.gz: the gzip data ends too early"));
    CAF_CHECK(has(problem, fmt::format("before that place there are {} reads", reads.size())));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
