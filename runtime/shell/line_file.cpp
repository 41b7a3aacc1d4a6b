#include "runtime/shell/line_file.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gnomon::shell {

namespace {

constexpr size_t chunk_bytes = 256 << 10;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw std::runtime_error{fmt::format("{}: {}", name, what)};
}

std::string reason() {
  return std::strerror(errno);
}

std::string shown(const std::string& file, const char* standard) {
  return file == "-" ? standard : file;
}

} // namespace

// -- reading ----------------------------------------------------------------------------------------------------------

struct line_reader::file_handle {
  gzFile gz;
  ~file_handle() {
    gzclose(gz);
  }
};

line_reader::line_reader(const std::string& file, size_t max_line)
    : name_(shown(file, "standard input")), max_line_(max_line) {
  auto fd = file == "-" ? ::dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts {};
  if (fd < 0 || ::fstat(fd, &facts) != 0)
    fail(name_, reason());
  if (S_ISDIR(facts.st_mode)) {
    ::close(fd);
    fail(name_, "this is a directory");
  }
  if (S_ISREG(facts.st_mode))
    size_ = facts.st_size;
  auto gz = gzdopen(fd, "rb");
  if (!gz) {
    ::close(fd);
    fail(name_, "not enough memory to read it");
  }
  gzbuffer(gz, chunk_bytes);
  file_ = std::make_unique<file_handle>(gz);
}

line_reader::~line_reader() = default;

bool line_reader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  auto before = buffer_.size();
  buffer_.resize(before + chunk_bytes);
  auto got = gzread(file_->gz, buffer_.data() + before, chunk_bytes);
  buffer_.resize(before + std::max(got, 0));
  int code = Z_OK;
  auto message = gzerror(file_->gz, &code);
  if (got < 0 || code == Z_BUF_ERROR)
    fail(name_,
         code == Z_ERRNO ? reason() : fmt::format("the compressed data is damaged or ends too early ({})", message));
  return got > 0;
}

bool line_reader::next(std::string& line) {
  line.clear();
  too_long_ = false;
  size_t searched = 0;
  for (;;) {
    auto end = buffer_.find('\n', at_ + searched);
    auto have = (end == buffer_.npos ? buffer_.size() : end) - at_;
    if (end == buffer_.npos && have > max_line_) {
      // Keeps the front for the message, forgets the rest of the line as it comes.
      too_long_ = true;
      buffer_.resize(at_ + max_line_);
      have = max_line_;
    }
    if (end != buffer_.npos || (searched = have, !fill())) {
      if (end == buffer_.npos && buffer_.size() == at_)
        return false;
      line.assign(buffer_, at_, end == buffer_.npos ? buffer_.npos : end - at_);
      too_long_ |= line.size() > max_line_;
      at_ = end == buffer_.npos ? buffer_.size() : end + 1;
      if (line.ends_with('\r'))
        line.pop_back();
      return true;
    }
  }
}

void line_reader::next_bytes(std::string& bytes, size_t count) {
  while (buffer_.size() - at_ < count && fill())
    continue;
  bytes.assign(buffer_, at_, count);
  at_ += bytes.size();
}

double line_reader::progress() const {
  if (size_ == 0)
    return -1;
  return std::min(1.0, static_cast<double>(gzoffset(file_->gz)) / static_cast<double>(size_));
}

// -- writing ----------------------------------------------------------------------------------------------------------

struct line_writer::file_handle {
  gzFile gz;
  int descriptor; // of its own, to sync what zlib has closed
  ~file_handle() {
    if (gz)
      gzclose(gz);
    ::close(descriptor);
  }
};

line_writer::line_writer(const std::string& file) : name_(file), temporary_(file == "-" ? "" : file + ".part") {
  auto fd =
      file == "-" ? ::dup(STDOUT_FILENO) : ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    fail(temporary_, reason());
  auto gz = gzdopen(fd, file.ends_with(".gz") ? "wb6" : "wbT"); // T: no compression
  if (!gz) {
    ::close(fd);
    fail(name_, "not enough memory to write it");
  }
  gzbuffer(gz, chunk_bytes);
  file_ = std::make_unique<file_handle>(gz, ::dup(fd));
}

line_writer::~line_writer() = default;

void line_writer::check(bool good) const {
  if (!good)
    fail(shown(name_, "standard output"), reason());
}

void line_writer::write(const std::string& line) {
  check(gzwrite(file_->gz, line.data(), line.size()) == static_cast<int>(line.size())
        && gzputc(file_->gz, '\n') == '\n');
}

void line_writer::write_bytes(std::string_view bytes) {
  check(bytes.empty() || gzwrite(file_->gz, bytes.data(), bytes.size()) == static_cast<int>(bytes.size()));
}

void line_writer::finish() {
  check(gzclose(std::exchange(file_->gz, nullptr)) == Z_OK);
  check(temporary_.empty() || ::fsync(file_->descriptor) == 0);
  check(temporary_.empty() || std::rename(temporary_.c_str(), name_.c_str()) == 0);
}

} // namespace gnomon::shell
