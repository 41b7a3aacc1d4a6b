#define CAF_SUITE line_file
#include "runtime/shell/line_file.hpp"

#include "tests/support/throws.hpp"

#include <caf/test/dsl.hpp>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <thread>
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
    input_file reader{file, max_line};
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
    output_file writer{file};
    for (auto& line : written)
      writer.write(line);
    CAF_CHECK(!fs::exists(file));
    writer.finish();
    CAF_CHECK(read(file) == written);
    CAF_CHECK(!fs::exists(file + ".part"));
  }
  CAF_CHECK(fs::file_size(folder / "items.ndjson.gz") < fs::file_size(folder / "items.ndjson") / 10);
}

CAF_TEST(a_damaged_or_missing_file_is_named) {
  output_file writer{folder / "a.gz"};
  for (int i = 0; i < 10000; ++i)
    writer.write(std::to_string(i * 7919));
  writer.finish();
  fs::resize_file(folder / "a.gz", fs::file_size(folder / "a.gz") / 2);
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder / "a.gz"); }));
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder / "nowhere"); }));
  CAF_CHECK(throws<std::runtime_error>([&] { read(folder); }));
  CAF_CHECK(throws<std::runtime_error>([&] { output_file{folder / "no" / "such" / "folder"}; }));
}

CAF_TEST(a_regular_file_is_replaced_whole_and_keeps_its_mode_and_the_links_to_it) {
  const auto file = with("data", "before");
  fs::permissions(file, fs::perms{0640});
  fs::create_symlink("data", folder / "link");
  fs::create_symlink("link", folder / "link to link");
  output_file writer{folder / "link to link"};
  writer.write("after");
  CAF_CHECK_EQUAL(writer.remains(), "; what there is stands in " + (folder / "data.part").string());
  CAF_CHECK(read(file) == lines{"before"});
  writer.finish();
  CAF_CHECK_EQUAL(writer.remains(), "");
  CAF_CHECK(read(file) == lines{"after"});
  CAF_CHECK(fs::is_symlink(folder / "link") && fs::is_symlink(folder / "link to link"));
  CAF_CHECK(fs::status(file).permissions() == fs::perms{0640});
}

CAF_TEST(a_link_to_nothing_gets_its_file) {
  fs::create_symlink("new", folder / "link");
  output_file writer{folder / "link"};
  writer.write("text");
  writer.finish();
  CAF_CHECK(fs::is_symlink(folder / "link"));
  CAF_CHECK(read(folder / "new") == lines{"text"});
}

CAF_TEST(links_in_a_circle_are_refused_and_stay) {
  fs::create_symlink("second", folder / "first");
  fs::create_symlink("first", folder / "second");
  CAF_CHECK(throws<std::runtime_error>([&] { output_file{folder / "first"}; }));
  CAF_CHECK(fs::is_symlink(folder / "first") && fs::is_symlink(folder / "second"));
}

CAF_TEST(into_a_pipe_or_a_device_bytes_go_as_they_come) {
  const auto pipe = (folder / "pipe").string();
  CAF_REQUIRE_EQUAL(::mkfifo(pipe.c_str(), 0600), 0);
  lines came;
  std::thread reader{[&] { came = read(pipe); }};
  output_file writer{pipe};
  writer.write("text");
  CAF_CHECK_EQUAL(writer.remains(), "");
  writer.finish();
  reader.join();
  CAF_CHECK(came == lines{"text"});
  CAF_CHECK(fs::is_fifo(pipe));
  CAF_CHECK(!fs::exists(pipe + ".part"));
}

CAF_TEST(a_device_that_is_full_stays_a_device) {
  const auto device = (folder / "full").string();
  if (::mknod(device.c_str(), S_IFCHR | 0600, ::makedev(1, 7)) != 0)
    return; // only root may make one; that of the system is not to be risked
  output_file full{device};
  full.write("text");
  CAF_CHECK(throws<std::runtime_error>([&] { full.finish(); }));
  CAF_CHECK(fs::is_character_file(device));
}

CAF_TEST(an_open_descriptor_is_written_where_it_stands) {
  const auto file = with("out", "");
  const auto fd = ::open(file.c_str(), O_WRONLY | O_APPEND);
  CAF_REQUIRE(::write(fd, "first\n", 6) == 6);
  output_file writer{"/dev/fd/" + std::to_string(fd)};
  writer.write("second");
  writer.finish();
  CAF_REQUIRE(::write(fd, "third\n", 6) == 6);
  ::close(fd);
  CAF_CHECK(read(file) == (lines{"first", "second", "third"}));
  CAF_CHECK(is_standard_output("-") && is_standard_output("/dev/stdout") && is_standard_output("/proc/self/fd/1"));
  CAF_CHECK(!is_standard_output(file));
}

CAF_TEST_FIXTURE_SCOPE_END()
