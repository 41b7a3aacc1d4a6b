#include "runtime/tls/private_file.hpp"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gnomon {

namespace {

constexpr size_t longest = 64u << 10;

caf::error bad(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const {
    return fd_;
  }

private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return ::fsync(fd) == 0;
}

/// Why the file is not private, or nothing.
std::string why_not_private(const std::string& file, const struct stat& facts) {
  if (!S_ISREG(facts.st_mode))
    return fmt::format("{} is no file", file);
  if ((facts.st_mode & 0077) != 0)
    return fmt::format("others may read or write {} (mode {:04o}); run: chmod 600 {}", file, facts.st_mode & 07777,
                       file);
  if (facts.st_uid != ::geteuid() && facts.st_uid != 0)
    return fmt::format("{} belongs to another user (uid {}); make this user its owner", file, facts.st_uid);
  return {};
}

} // namespace

expected<std::string> read_private(const std::string& file) {
  descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat facts {};
  if (fd.get() < 0 || ::fstat(fd.get(), &facts) != 0)
    return bad(fmt::format("{} cannot be read: {}", file, std::strerror(errno)));
  if (auto why = why_not_private(file, facts); !why.empty())
    return bad(std::move(why));
  std::string text(longest + 1, '\0');
  size_t have = 0;
  while (have < text.size()) {
    const auto n = ::read(fd.get(), text.data() + have, text.size() - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return bad(fmt::format("{} cannot be read: {}", file, std::strerror(errno)));
    if (n == 0)
      break;
    have += static_cast<size_t>(n);
  }
  if (have > longest)
    return bad(fmt::format("{} has more than {} bytes, so it is no key", file, longest));
  text.resize(have);
  return text;
}

caf::error write_new(const std::string& file, std::string_view text, unsigned mode) {
  descriptor fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (fd.get() < 0 && errno == EEXIST)
    return bad(fmt::format("{} is there already and stays as it is; move it away, or choose another folder", file));
  if (fd.get() < 0)
    return bad(fmt::format("{} cannot be written: {}", file, std::strerror(errno)));
  if (::fchmod(fd.get(), mode) == 0 && write_all(fd.get(), text)) // the umask may have taken more away
    return {};
  const auto reason = std::strerror(errno);
  ::unlink(file.c_str());
  return bad(fmt::format("{} cannot be written: {}", file, reason));
}

} // namespace gnomon
