#define CAF_SUITE access_reader
#include "runtime/base/access_reader.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

struct read_back {
  std::vector<std::string> accesses; // "user item region time"
  uint64_t lines = 0, bad = 0;
  std::vector<bad_access> complaints;
};

read_back read(const std::string& text, size_t cut = SIZE_MAX) {
  read_back result;
  access_reader reader{[&](const named_access& a) {
    result.accesses.push_back(std::string{a.user} + " " + std::string{a.item} + " " + std::string{a.region} + " "
                              + std::to_string(static_cast<uint32_t>(a.time)));
  }};
  for (size_t at = 0; at < text.size(); at += std::min(cut, text.size() - at))
    reader.feed(std::string_view{text}.substr(at, cut));
  reader.finish();
  result.lines = reader.lines();
  result.bad = reader.bad_lines();
  result.complaints = reader.complaints();
  return result;
}

std::string fault_of(const std::string& line) {
  auto result = read(line);
  return result.complaints.empty() ? "accepted" : result.complaints[0].reason;
}

const std::string two_lines = R"({"user_id": "ann", "data_id": "a/1", "timestamp": 1500000000, "region": "eu"}
{"data_id": "ü/\"2\"", "more": {"user_id": ["x", {"y": 1}]}, "timestamp": 1500000001.7, "user_id": 42}
)";
const std::vector<std::string> two_accesses{"ann a/1 eu 1500000000", "42 ü/\"2\"  1500000001"};

} // namespace

CAF_TEST(lines_are_read_wherever_they_are_cut) {
  for (size_t cut : {SIZE_MAX, size_t{1}, size_t{7}, size_t{80}}) {
    auto result = read(two_lines, cut);
    CAF_CHECK_EQUAL(result.accesses, two_accesses);
    CAF_CHECK_EQUAL(result.lines, 2u);
    CAF_CHECK_EQUAL(result.bad, 0u);
  }
}

CAF_TEST(the_last_line_needs_no_end_and_empty_lines_count_for_nothing) {
  CAF_CHECK_EQUAL(read("\n\r\n" + two_lines.substr(0, two_lines.size() - 1)).accesses, two_accesses);
  CAF_CHECK(read("").accesses.empty());
  CAF_CHECK_EQUAL(read(" \n \n").bad, 0u);
}

CAF_TEST(an_array_is_read_like_lines_wherever_it_is_cut) {
  auto array =
      " [" + two_lines.substr(0, two_lines.find('\n')) + ",\n" + two_lines.substr(two_lines.find('\n') + 1) + "]\n";
  for (size_t cut : {SIZE_MAX, size_t{1}, size_t{7}, size_t{80}}) {
    auto result = read(array, cut);
    CAF_CHECK_EQUAL(result.accesses, two_accesses);
    CAF_CHECK_EQUAL(result.bad, 0u);
  }
  CAF_CHECK_EQUAL(read("[]").lines, 0u);
}

CAF_TEST(a_byte_order_mark_in_front_is_passed_over_wherever_it_is_cut) {
  for (auto text : {two_lines, "[" + two_lines.substr(0, two_lines.find('\n')) + ","
                                   + two_lines.substr(two_lines.find('\n') + 1) + "]"})
    for (size_t cut : {SIZE_MAX, size_t{1}, size_t{2}, size_t{5}})
      CAF_CHECK_EQUAL(read("\xEF\xBB\xBF" + text, cut).accesses, two_accesses);
}

CAF_TEST(a_bad_line_is_counted_and_named_and_the_next_one_is_read) {
  auto good = two_lines.substr(0, two_lines.find('\n') + 1);
  auto result = read(good + "{\"user_id\": \n" + good + "nonsense\n" + std::string(100'000, 'x') + "\n" + good);
  CAF_CHECK_EQUAL(result.accesses.size(), 3u);
  CAF_CHECK_EQUAL(result.lines, 6u);
  CAF_CHECK_EQUAL(result.bad, 3u);
  CAF_REQUIRE_EQUAL(result.complaints.size(), 3u);
  CAF_CHECK_EQUAL(result.complaints[0].line, 2u);
  CAF_CHECK_EQUAL(result.complaints[1].line, 4u);
  CAF_CHECK(result.complaints[2].reason.find("64 KiB") != std::string::npos);
}

CAF_TEST(a_bad_element_of_an_array_does_not_take_the_others_with_it) {
  auto good = two_lines.substr(0, two_lines.find('\n'));
  auto result = read("[" + good + ", 7, \"a,b]\", " + good + ", {\"user_id\": \"x\"}, null]");
  CAF_CHECK_EQUAL(result.accesses.size(), 2u);
  CAF_CHECK_EQUAL(result.bad, 4u);
}

CAF_TEST(what_is_wrong_with_a_line_is_said) {
  CAF_CHECK_EQUAL(fault_of(R"({"data_id": "a", "timestamp": 1})"), "user_id is missing");
  CAF_CHECK_EQUAL(fault_of(R"({"user_id": "u", "timestamp": 1})"), "data_id is missing");
  CAF_CHECK_EQUAL(fault_of(R"({"user_id": "u", "data_id": "a"})"), "timestamp is missing");
  CAF_CHECK(fault_of(R"({"user_id": "u", "data_id": "a", "timestamp": -5})").find("timestamp") != std::string::npos);
  CAF_CHECK(fault_of(R"({"user_id": "u", "data_id": "a", "timestamp": "noon"})").find("2024") != std::string::npos);
  CAF_CHECK(
      fault_of(R"({"user_id": "u", "data_id": ")" + std::string(1025, 'a') + R"(", "timestamp": 1})").find("1,024")
      != std::string::npos);
  CAF_CHECK_EQUAL(fault_of("{\"user_id\": \"\xff\"}"), "it is not JSON");
  const std::string whole = R"({"user_id": "u", "data_id": "a", "timestamp": 1})";
  CAF_CHECK_EQUAL(fault_of(whole + '\0' + whole), "it is not JSON");
  CAF_CHECK_EQUAL(fault_of("17"), "it is not a JSON object");
}

CAF_TEST(times_are_seconds_or_milliseconds_or_text) {
  auto time_of = [](const std::string& text) {
    auto result = read(R"({"user_id": "u", "data_id": "a", "timestamp": )" + text + "}");
    return result.accesses.empty() ? "bad" : result.accesses[0].substr(5);
  };
  CAF_CHECK_EQUAL(time_of("1714564800"), "1714564800");
  CAF_CHECK_EQUAL(time_of("1714564800123"), "1714564800");
  CAF_CHECK_EQUAL(time_of("\"2024-05-01T12:00:00Z\""), "1714564800");
  CAF_CHECK_EQUAL(time_of("\"2024-05-01 12:00:00.250Z\""), "1714564800");
  CAF_CHECK_EQUAL(time_of("\"2024-05-01T14:00:00+02:00\""), "1714564800");
  CAF_CHECK_EQUAL(time_of("\"2024-13-01T12:00:00Z\""), "bad");
  CAF_CHECK_EQUAL(time_of("\"2024-05-01\""), "bad");
  CAF_CHECK_EQUAL(time_of("1e300"), "bad");
}

CAF_TEST(only_the_first_complaints_are_kept) {
  auto result = read("a\nb\nc\nd\ne\nf\ng\n");
  CAF_CHECK_EQUAL(result.bad, 7u);
  CAF_CHECK_EQUAL(result.complaints.size(), 5u);
}

CAF_TEST(an_access_that_two_readers_may_read_differently_is_refused) {
  CAF_CHECK(fault_of(R"({"user_id":"ann","data_id":"a","data_id":"b","timestamp":1500000000})").find("twice")
            != std::string::npos);
  CAF_CHECK(fault_of(R"({"user_id":"ann","data_id":"a","timestamp":1,"timestamp":1500000000})").find("twice")
            != std::string::npos);
  CAF_CHECK(fault_of(R"({"user_id":"ann","data_id":"a/../b","timestamp":1500000000})").find("..") != std::string::npos);
}
