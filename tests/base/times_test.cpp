#define CAF_SUITE times
#include "runtime/base/times.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>

using namespace gnomon;
using namespace std::literals;

namespace {

constexpr double noon = 1714564800; // 2024-05-01T12:00:00Z

double rfc(std::string_view text) {
  return seconds_of_rfc3339(text).value_or(-1);
}

double log_date(std::string_view text) {
  return seconds_of_log_date(text).value_or(-1);
}

int64_t http_ms(std::string_view text) {
  return parse_http_date(text).value_or(timestamp{-1ms}).time_since_epoch().count();
}

} // namespace

CAF_TEST(rfc3339_is_read_with_fractions_and_offsets) {
  CAF_CHECK_EQUAL(rfc("2024-05-01T12:00:00Z"), noon);
  CAF_CHECK_EQUAL(rfc("2024-05-01 12:00:00.25z"), noon + 0.25);
  CAF_CHECK_EQUAL(rfc("2024-05-01t14:30:00+02:30"), noon);
  CAF_CHECK_EQUAL(rfc("2024-05-01T10:00:00.5-02:00"), noon + 0.5);
  CAF_CHECK_EQUAL(rfc("2016-12-31T23:59:60Z"), 1483228800);
}

CAF_TEST(what_is_no_time_of_rfc3339_is_refused) {
  for (auto bad :
       {"", "2024-05-01", "2024-05-01T12:00:00", "2024-13-01T12:00:00Z", "2023-02-29T12:00:00Z", "2024-05-01T24:00:00Z",
        "2024-05-01T12:60:00Z", "2024-05-01T12:00:61Z", "2024-05-01T12:00:00+0200", "2024-05-01T+2:00:00Z",
        "2024-05-01x12:00:00Z", "2024-05-01T12:00:00+24:00", "2024-05-01T12:00:00*02:00", "2024-05-01T12:00:00ZZ",
        "-024-05-01T12:00:00Z", "2024/05/01T12:00:00Z"})
    CAF_CHECK(!seconds_of_rfc3339(bad));
}

CAF_TEST(what_is_written_as_rfc3339_reads_back) {
  CAF_CHECK_EQUAL(rfc3339(timestamp{1714564800123ms}), "2024-05-01T12:00:00.123Z");
  CAF_CHECK_EQUAL(rfc3339(timestamp{-1ms}), "1969-12-31T23:59:59.999Z");
  for (int64_t ms = 0; ms < 4'000'000'000'000; ms += 86'399'999'999)
    CAF_CHECK_EQUAL(std::llround(rfc(rfc3339(timestamp{duration{ms}})) * 1000), ms);
}

CAF_TEST(http_dates_are_written_and_read_back) {
  CAF_CHECK_EQUAL(http_date(timestamp{784111777s}), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (int64_t s = 0; s < 4'000'000'000; s += 86'399'999)
    CAF_CHECK_EQUAL(http_ms(http_date(timestamp{std::chrono::seconds{s}})), s * 1000);
}

CAF_TEST(what_is_no_http_date_is_refused) {
  for (auto bad : {"", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Xun, 06 Nov 1994 08:49:37 GMT",
                   "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                   "Sun, -0 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sunday, 06-Nov-94 08:49:37 GMT"})
    CAF_CHECK_EQUAL(http_ms(bad), -1);
}

CAF_TEST(dates_of_access_logs_have_a_zone) {
  CAF_CHECK_EQUAL(log_date("01/May/2024:12:00:00 +0000"), noon);
  CAF_CHECK_EQUAL(log_date("01/May/2024:14:30:00 +0230"), noon);
  CAF_CHECK_EQUAL(log_date("30/Apr/2024:23:00:00 -1300"), noon);
  for (auto bad : {"", "01/May/2024:12:00:00", "01/May/2024:12:00:00 +00:00", "01/May/2024:12:00:00 +000",
                   "01/Mai/2024:12:00:00 +0000", "31/Apr/2024:12:00:00 +0000", "1/May/2024:12:00:00 +0000",
                   "01/May/2024 12:00:00 +0000", "01/May/2024:12:00:00 *0000"})
    CAF_CHECK_EQUAL(log_date(bad), -1);
}

CAF_TEST(a_time_of_a_trace_is_seconds_milliseconds_or_text) {
  CAF_CHECK_EQUAL(trace_seconds("1714564800.5"sv).value_or(-1), noon + 0.5);
  CAF_CHECK_EQUAL(trace_seconds("1714564800500"sv).value_or(-1), noon + 0.5);
  CAF_CHECK_EQUAL(trace_seconds("2024-05-01T12:00:00Z"sv).value_or(-1), noon);
  for (auto bad : {"", "-1", "nan", "1e300", "noon", "1969-12-31T23:59:59Z", "2107-01-01T00:00:00Z"})
    CAF_CHECK(!trace_seconds(std::string_view{bad}));
}
