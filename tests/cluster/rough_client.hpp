#pragma once

#include "tests/support/socket_address.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// Clients at addresses of their own, all on this machine, and what they do to a process.
namespace gnomon::test {

/// A socket at 127.x.y.z; no call of it blocks for longer than it says.
class rough_client {
public:
  rough_client() = default;
  rough_client(uint16_t port, const std::string& from, int type = SOCK_STREAM) : fd_(::socket(AF_INET, type, 0)) {
    auto own = socket_address(from, 0), to = socket_address("127.0.0.1", port);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0
        || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      close();
  }
  rough_client(rough_client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  rough_client& operator=(rough_client&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~rough_client() {
    close();
  }
  bool open() const {
    return fd_ >= 0;
  }
  void send(std::string_view bytes) {
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
      close();
  }
  /// What has come within `bound_ms`; closes when the other side has.
  std::string receive(int bound_ms) {
    char buffer[65536];
    pollfd ready{fd_, POLLIN, 0};
    if (fd_ < 0 || ::poll(&ready, 1, bound_ms) != 1)
      return {};
    const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
      close();
    return {buffer, static_cast<size_t>(std::max<ssize_t>(n, 0))};
  }
  void half_close() {
    ::shutdown(fd_, SHUT_WR);
  }
  /// Closes without a word: the other side gets a reset.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

private:
  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  int fd_ = -1;
};

/// Lets this process open as many files as it may; returns how many.
inline size_t raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

inline size_t open_files(pid_t process) {
  size_t count = 0;
  std::error_code gone;
  for (std::filesystem::directory_iterator i{"/proc/" + std::to_string(process) + "/fd", gone}, end; i != end; ++i)
    ++count;
  return count;
}

inline size_t resident_mib(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/statm"};
  size_t all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) >> 20;
}

/// A client that behaves: writes items and reads them back over one connection, while others do not behave.
class good_client {
public:
  good_client(uint16_t port, std::string from) : port_(port), from_(std::move(from)), thread_([this] { run(); }) {}
  ~good_client() {
    stop();
  }
  void stop() {
    stopping_ = true;
    if (thread_.joinable())
      thread_.join();
  }
  size_t answers() const {
    return answers_;
  }
  /// Answers that were none, or wrong.
  size_t faults() const {
    return faults_;
  }
  /// The last of them; after `stop`.
  const std::string& last_fault() const {
    return last_fault_;
  }

private:
  void run() {
    rough_client line{port_, from_};
    for (size_t i = 0; !stopping_; ++i) {
      const auto path = "/data/good/" + std::to_string(i % 50), value = "value " + std::to_string(i);
      const auto length = "Content-Length: " + std::to_string(value.size()) + "\r\n";
      expect(line, "PUT " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n" + length, value, {});
      expect(line, "GET " + path + " HTTP/1.1\r\nHost: x\r\n", {}, value);
      if (!line.open())
        line = rough_client{port_, from_};
    }
  }
  void expect(rough_client& line, const std::string& head, const std::string& body, const std::string& wanted) {
    line.send(head + "\r\n" + body);
    const auto answer = read_answer(line);
    ++answers_;
    if (answer.starts_with("HTTP/1.1 2") && answer.ends_with(wanted))
      return;
    ++faults_;
    last_fault_ = head + answer;
  }
  static std::string read_answer(rough_client& line) {
    std::string all;
    for (auto waits = 0; waits < 30;) {
      const auto end = all.find("\r\n\r\n"), field = all.find("Content-Length: ");
      const auto length = field < end ? std::strtoull(all.c_str() + field + 16, nullptr, 10) : 0;
      if (end != std::string::npos && all.size() >= end + 4 + length)
        break;
      const auto more = line.receive(1000);
      if (!line.open())
        break;
      waits += more.empty();
      all += more;
    }
    return all;
  }

  uint16_t port_;
  std::string from_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> answers_{0}, faults_{0};
  std::string last_fault_;
  std::thread thread_;
};

} // namespace gnomon::test
