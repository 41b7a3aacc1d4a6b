#define CAF_SUITE trace
#include "runtime/replay/trace.hpp"

#include "temporary_folder.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::replay;

namespace {

const trace_options five{0, {"a", "b", "c", "d", "e"}};

struct fixture : temporary_folder {
  trace loaded(const std::string& text, const trace_options& how = five) {
    auto result = load_trace(write("trace", text), how);
    CAF_REQUIRE(result);
    return std::move(*result);
  }
};

} // namespace

CAF_TEST(the_network_of_a_client_is_its_16_or_32_bits) {
  CAF_CHECK_EQUAL(network_of("83.149.9.216"), "83.149.0.0/16");
  CAF_CHECK_EQUAL(network_of("2001:db8:1:2::3"), "2001:db8::/32");
  CAF_CHECK_EQUAL(network_of("proxy.example.org"), "proxy.example.org");
}

CAF_TEST_FIXTURE_SCOPE(files, fixture)

CAF_TEST(malformed_lines_are_counted_and_the_first_few_told) {
  std::string text = "1,u,r,i\n";
  for (int i = 0; i < 20; ++i)
    text += "rubbish\n";
  auto t = loaded(text + "2,u,r,i\n");
  CAF_CHECK_EQUAL(t.reads.size(), 2u);
  CAF_CHECK_EQUAL(t.counts.malformed, 20u);
  CAF_CHECK_EQUAL(t.counts.complaints.size(), 5u);
  CAF_CHECK_EQUAL(t.counts.complaints[0].line, 2u);
}

CAF_TEST(a_limit_counts_lines_of_the_file) {
  auto t = loaded("t,user,region,item\n1,u,r,i\n2,u,r,i\n3,u,r,i\n", {3, five.regions});
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

CAF_TEST(a_damaged_file_is_not_played) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += std::to_string(i) + ",u" + std::to_string(i * 7919 % 10007) + ",r,i" + std::to_string(i * 31 % 997) + '\n';
  auto file = write_gzip("trace.gz", text);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  auto t = load_trace(file, five);
  CAF_REQUIRE(!t);
  CAF_CHECK(code_of(t.error()) == ec::bad_message);
}

CAF_TEST(clients_of_one_network_read_in_one_region) {
  std::string text;
  for (int host = 1; host < 50; ++host)
    for (auto network : {"83.149.", "10.0.", "192.168.", "172.16.", "8.8."})
      text += network + std::to_string(host) + ".7 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n";
  auto t = loaded(text, {0, {"a", "b", "c"}});
  CAF_CHECK(t.from_access_log);
  CAF_CHECK(t.regions.size() > 1u && t.regions.size() <= 3u);
  CAF_CHECK_EQUAL(t.spread, t.reads.size());
  for (size_t i = 5; i < t.reads.size(); ++i)
    CAF_CHECK_EQUAL(t.reads[i].region, t.reads[i - 5].region);
}

CAF_TEST_FIXTURE_SCOPE_END()
