#include "runtime/replay/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace gnomon::replay {

namespace {

/// What the child does between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* arguments, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (getppid() == parent && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0) {
    auto nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    execv(arguments[0], arguments);
  }
  _exit(127);
}

/// A descriptor that closes itself.
struct descriptor {
  explicit descriptor(int fd) : fd(fd) {}
  ~descriptor() {
    if (fd >= 0)
      close(fd);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int fd;
};

} // namespace

expected<std::unique_ptr<process>> process::start(const std::vector<std::string>& command,
                                                  const std::filesystem::path& log) {
  if (access(command.at(0).c_str(), X_OK) != 0)
    return make_error(ec::not_found, "cannot run " + command[0] + ": " + std::strerror(errno));
  descriptor out{open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (out.fd < 0)
    return make_error(ec::store_failed, "cannot write the log " + log.string() + ": " + std::strerror(errno));
  std::vector<char*> arguments;
  for (const auto& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  auto parent = getpid();
  auto pid = fork();
  if (pid < 0)
    return make_error(ec::store_failed, std::string{"cannot start a process: "} + std::strerror(errno));
  if (pid == 0)
    become(arguments.data(), out.fd, parent);
  return std::unique_ptr<process>{new process{pid}};
}

process::~process() {
  kill();
}

void process::reap(int options) {
  int status = 0;
  if (reaped_ || waitpid(pid_, &status, options) != pid_)
    return;
  reaped_ = true;
  if (WIFSIGNALED(status))
    ending_ = "killed by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  else
    ending_ = "exit status " + std::to_string(WEXITSTATUS(status));
}

bool process::running() {
  reap(WNOHANG);
  return !reaped_;
}

void process::ask_to_stop() {
  if (running())
    ::kill(pid_, SIGTERM);
}

void process::kill() {
  if (!running())
    return;
  ::kill(pid_, SIGKILL);
  reap(0);
}

std::string last_lines(const std::filesystem::path& file, size_t count) {
  constexpr std::streamoff window = 16 << 10;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  auto size = static_cast<std::streamoff>(in.tellg());
  if (!in || size <= 0)
    return {};
  auto start = std::max<std::streamoff>(0, size - window);
  std::string text(static_cast<size_t>(size - start), '\0');
  in.seekg(start);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  while (text.ends_with('\n'))
    text.pop_back();
  auto from = text.size();
  while (count-- > 0 && from != 0 && from != std::string::npos)
    from = text.rfind('\n', from - 1);
  return from == std::string::npos ? text : text.substr(std::min(text.size(), from + (text[from] == '\n')));
}

expected<std::vector<uint16_t>> free_ports(size_t count) {
  std::vector<std::unique_ptr<descriptor>> held; // all at once, so that no port comes twice
  std::vector<uint16_t> ports;
  for (size_t i = 0; i < count; ++i) {
    held.push_back(std::make_unique<descriptor>(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(held.back()->fd, plain, size) != 0 || getsockname(held.back()->fd, plain, &size) != 0)
      return make_error(ec::unavailable, std::string{"cannot find a free port: "} + std::strerror(errno));
    ports.push_back(ntohs(address.sin_port));
  }
  return ports;
}

} // namespace gnomon::replay
