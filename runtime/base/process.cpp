#include "runtime/base/process.hpp"

#include "runtime/base/printable.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <new>
#include <system_error>
#include <utility>

namespace gnomon {

namespace {

constexpr rlim_t least_memory = 512u << 20; // of addresses; most of it is set apart by threads and never used
constexpr rlim_t least_stack = 512u << 10;

/// The system's refusal of memory or of a thread may come where nothing can catch it. An error of ours leaves a core.
[[noreturn]] void on_terminate() {
  try {
    if (auto thrown = std::current_exception())
      std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  } catch (...) {
    std::abort();
  }
  complain(program_invocation_short_name,
           "the system refuses memory or threads to this process; raise its limits (ulimit -v, ulimit -u)");
  ::_exit(1);
}

void check_limit(const char* program, int which, rlim_t needed, const char* what, const char* how) {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0 || limit.rlim_cur >= needed)
    return;
  char line[512];
  const auto length = std::snprintf(line, sizeof line,
                                    "%.100s: this process may have %llu KiB %s, and needs %llu KiB; raise the limit "
                                    "(%s of a service)\n",
                                    program, static_cast<unsigned long long>(limit.rlim_cur >> 10), what,
                                    static_cast<unsigned long long>(needed >> 10), how);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, static_cast<size_t>(length));
  ::_exit(1);
}

} // namespace

void check_limits(const char* started_as) {
  const auto* slash = std::strrchr(started_as, '/');
  const auto* program = slash == nullptr ? started_as : slash + 1;
  check_limit(program, RLIMIT_AS, least_memory, "of memory", "ulimit -v, or LimitAS=");
  check_limit(program, RLIMIT_STACK, least_stack, "for each stack", "ulimit -s, or LimitSTACK=");
}

void begin_process() {
  std::set_terminate(on_terminate);
  // Each takes the lowest free number. The wrong way round on purpose: a lost input must not look like an empty one.
  for (auto [fd, mode] : {std::pair{STDIN_FILENO, O_WRONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_WRONLY}})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", mode) < 0)
      ::_exit(1); // without them files of ours would get their numbers
  check_limits(program_invocation_name);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL); // ignored, it would hide how a child ended
}

void complain(std::string_view program, std::string_view sentence) {
  const auto line = std::string{program} + ": " + printable(sentence, "\n") + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_text(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

bool asks_for_help(std::string_view word) {
  return word == "--help" || word == "-h";
}

bool asks_for_version(std::string_view word) {
  return word == "--version" || word == "-V";
}

int print_version(std::string_view program, std::string_view version) {
  print_text(std::string{program} + ' ' + std::string{version} + '\n');
  return finish_output(program, 0);
}

int finish_output(std::string_view program, int status) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return status;
  complain(program,
           std::string{"standard output cannot be written"} + (errno ? std::string{": "} + std::strerror(errno) : ""));
  return 1;
}

uint64_t resident_bytes() {
  uint64_t total = 0, resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 1024; // what POSIX systems usually allow
  auto raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::filesystem::path own_folder() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
}

std::filesystem::path find_config(const std::string& name) {
  std::error_code ignored;
  const auto folder = own_folder();
  for (const auto& configs :
       {std::filesystem::path{"configs"}, folder / "../../configs", folder / "../share/gnomon/configs"})
    if (auto place = (configs / name).lexically_normal(); std::filesystem::exists(place, ignored))
      return place;
  return {};
}

} // namespace gnomon
