#define CAF_SUITE line_reader
#include "runtime/base/csv.hpp"

#include "tests/replay/temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <sys/stat.h>

using namespace gnomon;

namespace {

using texts = std::vector<std::string>;

struct fixture : temporary_folder {
  std::unique_ptr<line_reader> opened(const std::string& file, coding how = coding::gzip_by_content) {
    auto reader = line_reader::open(file, 1 << 20, how);
    CAF_REQUIRE(reader);
    return std::move(*reader);
  }
  texts lines_of(const std::string& file) {
    auto reader = opened(file);
    texts lines;
    for (std::string line; reader->next(line);)
      lines.push_back(reader->too_long() ? "(too long)" : line);
    fault = reader->fault();
    return lines;
  }
  std::string compressed(const std::string& text) {
    const auto file = write_gzip("member.gz", text);
    auto bytes = read_all(file, 1 << 30);
    CAF_REQUIRE(bytes);
    return std::move(*bytes);
  }
  std::string fault;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(line_reader_tests, fixture)

CAF_TEST(lines_end_in_either_way_and_a_byte_order_mark_in_front_is_passed_over) {
  CAF_CHECK_EQUAL(lines_of(write("a", "one\r\ntwo\n\nfour")), (texts{"one", "two", "", "four"}));
  CAF_CHECK_EQUAL(lines_of(write("b", "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo")), (texts{"one", "\xEF\xBB\xBFtwo"}));
  CAF_CHECK_EQUAL(lines_of(write_gzip("c", "\xEF\xBB\xBFone\n")), (texts{"one"}));
  CAF_CHECK_EQUAL(lines_of(write("d", "\xEF\xBB\xBF")), texts{});
  CAF_CHECK_EQUAL(lines_of(write("e", "")), texts{});
  CAF_CHECK_EQUAL(lines_of(write("f", "\xEF\xBB")), (texts{"\xEF\xBB"}));
  CAF_CHECK_EQUAL(fault, "");
}

CAF_TEST(bytes_are_given_as_they_are) {
  const auto file = write("a", "\xEF\xBB\xBFone\r\n");
  std::string bytes;
  opened(file)->next_bytes(bytes, 100);
  CAF_CHECK_EQUAL(bytes, "\xEF\xBB\xBFone\r\n");
  const auto gz = write_gzip("b", "text");
  opened(gz, coding::as_it_is)->next_bytes(bytes, 100);
  CAF_CHECK_EQUAL(bytes.substr(0, 2), "\x1f\x8b");
}

CAF_TEST(all_members_of_a_gzip_file_are_read) {
  const auto both = compressed("one\ntwo") + compressed(" goes on\nthree\n");
  CAF_CHECK_EQUAL(lines_of(write("a", both)), (texts{"one", "two goes on", "three"}));
  CAF_CHECK_EQUAL(lines_of(write("b", both + std::string(5000, '\0'))), (texts{"one", "two goes on", "three"}));
  CAF_CHECK_EQUAL(fault, "");
}

CAF_TEST(damage_is_told_apart_from_the_end) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += std::to_string(i * 7919) + '\n';
  const auto whole = compressed(text);
  auto changed = whole;
  changed[whole.size() / 2] ^= 0x55;
  auto bad_sum = whole;
  bad_sum[whole.size() - 6] ^= 0x55;
  const std::vector<std::pair<std::string, std::string>> cases{{whole.substr(0, whole.size() / 2), "ends too early"},
                                                               {whole.substr(0, whole.size() - 4), "ends too early"},
                                                               {whole.substr(0, 7), "ends too early"},
                                                               {changed, "damaged gzip data"},
                                                               {bad_sum, "damaged gzip data"},
                                                               {whole + "rubbish", "damaged gzip data"},
                                                               {whole + whole.substr(0, 100), "ends too early"}};
  for (const auto& [bytes, reason] : cases) {
    const auto lines = lines_of(write("damaged", bytes));
    CAF_CHECK(fault.find("damaged: ") != std::string::npos); // the file's name
    CAF_CHECK(fault.find(reason) != std::string::npos);
    for (size_t i = 0; i < lines.size(); ++i) // no part of a line is taken for a line
      if (lines[i] != std::to_string(static_cast<int>(i % 100'000) * 7919)) {
        CAF_CHECK(bytes == changed); // whose sum is only known to be wrong at its end
        break;
      }
  }
}

CAF_TEST(what_cannot_be_read_is_named_and_is_no_empty_file) {
  CAF_CHECK_EQUAL(sentence_of(line_reader::open(path() / "nowhere", 100).error()),
                  "cannot open " + (path() / "nowhere").string() + ": No such file or directory");
  CAF_CHECK(sentence_of(line_reader::open(path(), 100).error()).find("is a directory") != std::string::npos);
  CAF_CHECK_EQUAL(lines_of("/proc/self/mem"), texts{}); // its first page cannot be read
  CAF_CHECK_EQUAL(fault, "/proc/self/mem: Input/output error");
  CAF_CHECK_EQUAL(sentence_of(read_all("/proc/self/mem", 100).error()), "/proc/self/mem: Input/output error");
  CAF_CHECK_EQUAL(lines_of(write("utf16", std::string("\xFF\xFEo\0", 4))), texts{});
  CAF_CHECK(fault.find("UTF-16") != std::string::npos);
}

CAF_TEST(a_line_that_is_too_long_is_told_and_the_next_one_is_read) {
  CAF_CHECK_EQUAL(lines_of(write("long", std::string(3 << 20, 'x') + "\nnext\n")), (texts{"(too long)", "next"}));
  CAF_CHECK_EQUAL(lines_of(write("end", "ok\n" + std::string(3 << 20, 'x'))), (texts{"ok", "(too long)"}));
}

CAF_TEST(a_csv_record_goes_on_over_lines_and_broken_quotes_cost_one_line) {
  auto reader =
      opened(write("a.csv", "1,\"a\r\n\r\nb\",\"c\"\"d\"\r\n2,\"open\n3,x,y\n4,\"q\"z,\n5,a\"b,c\n6,,\"\"\n"));
  csv_reader records{*reader};
  std::vector<std::pair<uint64_t, texts>> good;
  std::vector<uint64_t> bad;
  texts fields;
  for (std::string line; records.next(line);) {
    const auto number = records.number();
    if (records.split(line, fields) == csv_state::whole)
      good.emplace_back(number, fields);
    else
      bad.push_back(number);
  }
  CAF_REQUIRE_EQUAL(good.size(), 3u);
  CAF_CHECK_EQUAL(good[0], (std::pair<uint64_t, texts>{1, {"1", "a\r\n\r\nb", "c\"d"}}));
  CAF_CHECK_EQUAL(good[1], (std::pair<uint64_t, texts>{5, {"3", "x", "y"}}));
  CAF_CHECK_EQUAL(good[2], (std::pair<uint64_t, texts>{8, {"6", "", ""}}));
  CAF_CHECK_EQUAL(bad, (std::vector<uint64_t>{4, 6, 7}));
}

CAF_TEST_FIXTURE_SCOPE_END()
