#define CAF_SUITE line_file
#include "runtime/shell/line_file.hpp"

#include "tests/support/throws.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace gnomon::shell;
using gnomon::testing::throws;
namespace fs = std::filesystem;

namespace {

struct fixture {
  fixture() {
    fs::create_directories(folder);
  }
  ~fixture() {
    fs::remove_all(folder);
  }
  std::vector<std::string> read(const std::string& file, size_t max_line = 1 << 20) {
    std::vector<std::string> lines;
    line_reader reader{file, max_line};
    for (std::string line; reader.next(line);)
      lines.push_back(reader.too_long() ? "(too long)" : line);
    return lines;
  }
  std::string with(const std::string& name, const std::string& text) {
    std::ofstream{folder / name, std::ios::binary} << text;
    return folder / name;
  }
  fs::path folder = fs::temp_directory_path() / ("gnomon-line-file-" + std::to_string(::getpid()));
};

using lines = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(line_file_tests, fixture)

CAF_TEST(what_was_written_is_read_plain_or_compressed) {
  lines written;
  for (int i = 0; i < 3000; ++i)
    written.push_back(std::string(i, static_cast<char>('a' + i % 26)));
  for (auto name : {"items.ndjson", "items.ndjson.gz"}) {
    auto file = (folder / name).string();
    line_writer writer{file};
    for (auto& line : written)
      writer.write(line);
    CAF_CHECK(!fs::exists(file));
    writer.finish();
    CAF_CHECK(read(file) == written);
    CAF_CHECK(!fs::exists(file + ".part"));
  }
  CAF_CHECK(fs::file_size(folder / "items.ndjson.gz") < fs::file_size(folder / "items.ndjson") / 10);
}

CAF_TEST(line_ends_of_all_kinds_are_understood) {
  CAF_CHECK(read(with("a", "one\r\ntwo\n\nfour")) == (lines{"one", "two", "", "four"}));
  CAF_CHECK(read(with("empty", "")) == lines{});
  CAF_CHECK(read(with("last", "\n")) == lines{""});
}

CAF_TEST(a_line_that_is_too_long_is_told_and_the_next_one_is_read) {
  CAF_CHECK(read(with("long", std::string(3 << 20, 'x') + "\nnext\n")) == (lines{"(too long)", "next"}));
  CAF_CHECK(read(with("end", "ok\n" + std::string(3 << 20, 'x'))) == (lines{"ok", "(too long)"}));
}

CAF_TEST(a_damaged_or_missing_file_is_named) {
  line_writer writer{folder / "a.gz"};
  for (int i = 0; i < 10000; ++i)
    writer.write(std::to_string(i * 7919));
  writer.finish();
  fs::resize_file(folder / "a.gz", fs::file_size(folder / "a.gz") / 2);
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder / "a.gz"); }));
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder / "nowhere"); }));
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder); }));
  CAF_CHECK(throws<std::runtime_error>([&] { line_writer{folder / "no" / "such" / "folder"}; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
