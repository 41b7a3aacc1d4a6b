#define CAF_SUITE log
#include "runtime/base/log.hpp"

#include "runtime/base/line_reader.hpp"
#include "tests/replay/temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace gnomon;

namespace {

std::string drained(int fd) {
  std::string text, chunk(64 << 10, '\0');
  for (ssize_t got = 0; (got = ::read(fd, chunk.data(), chunk.size())) > 0;)
    text.append(chunk, 0, got);
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(log_tests, temporary_folder)

CAF_TEST(a_line_of_the_log_commands_no_terminal) {
  const auto file = (path() / "folder" / "log").string();
  CAF_REQUIRE(log::start(file, "info"));
  log::info("test", "event",
            {{"a", "\033[31m"},
             {"b", "x\u009By\n\tz"},
             {"c", "\xFF"},
             {"d", "\u202E"},
             {"e", "plain"},
             {"f", "a \\x \"q\""},
             {"g", "ключ"}});
  auto line = read_all(file, 1 << 20);
  CAF_REQUIRE(line);
  CAF_CHECK(has(
      *line,
      R"(test event a="\x1B[31m" b="x\xC2\x9By\x0A\x09z" c="\xFF" d="\xE2\x80\xAE" e=plain f="a \\x \"q\"" g=ключ)"));
  CAF_CHECK_EQUAL(std::count(line->begin(), line->end(), '\n'), 1);
}

CAF_TEST(a_log_that_nobody_reads_holds_nobody_and_tells_what_was_lost) {
  std::signal(SIGPIPE, SIG_IGN); // as all programs do
  const auto pipe = (path() / "pipe").string();
  CAF_REQUIRE_EQUAL(::mkfifo(pipe.c_str(), 0600), 0);
  CAF_CHECK(!log::start(pipe, "info")); // nobody has it open
  const auto reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  CAF_REQUIRE(log::start(pipe, "info"));
  for (int i = 0; i < 3000; ++i)
    log::info("test", "event", {{"number", i}, {"filler", std::string(100, 'x')}});
  CAF_CHECK(!has(drained(reader), "lost"));
  log::info("test", "after");
  const auto text = drained(reader);
  CAF_CHECK(has(text, " lines before this one were lost: the log could not be written\n"));
  CAF_CHECK(has(text, "test after\n"));
  ::close(reader);
  log::info("test", "to nobody");
  CAF_REQUIRE(log::start("/dev/full", "info"));
  log::info("test", "to a full disk");
  CAF_REQUIRE(log::start((path() / "log").string(), "info"));
  log::info("test", "back");
  auto file = read_all(path() / "log", 1 << 20);
  CAF_REQUIRE(file);
  CAF_CHECK(has(*file, "test back\n"));
}

CAF_TEST_FIXTURE_SCOPE_END()
