#include "runtime/shell/line_file.hpp"

#include "runtime/base/numbers.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;

constexpr size_t chunk_bytes = 256 << 10;
constexpr int most_links = 40; // as the kernel follows

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw std::runtime_error{fmt::format("{}: {}", name, what)};
}

std::string reason() {
  return std::strerror(errno);
}

/// The open descriptor that a name stands for: "-", "/dev/stdout", "/dev/fd/1". The descriptor is used as it is:
/// opening a redirected file by such a name would overwrite it from its beginning, or replace it.
std::optional<int> descriptor_named(const std::string& file) {
  if (file == "-" || file == "/dev/stdout")
    return STDOUT_FILENO;
  if (file == "/dev/stderr")
    return STDERR_FILENO;
  for (std::string_view folder : {"/dev/fd/", "/proc/self/fd/"})
    if (file.starts_with(folder))
      return parse_number<int>(std::string_view{file}.substr(folder.size()));
  return std::nullopt;
}

/// Where a chain of symbolic links ends, also when nothing is there.
std::string behind_links(const std::string& file) {
  fs::path place = file;
  std::error_code failed;
  for (int i = 0; i < most_links && fs::is_symlink(place, failed) && !descriptor_named(place); ++i) {
    const auto next = fs::read_symlink(place, failed);
    place = next.is_absolute() ? next : place.parent_path() / next;
  }
  return place;
}

} // namespace

// -- reading ----------------------------------------------------------------------------------------------------------

input_file::input_file(const std::string& file, size_t max_line, coding how)
    : lines_(or_throw(line_reader::open(file, max_line, how))) {}

bool input_file::next(std::string& line) {
  if (lines_->next(line))
    return true;
  if (!lines_->fault().empty())
    throw std::runtime_error{lines_->fault()};
  return false;
}

void input_file::next_bytes(std::string& bytes, size_t count) {
  lines_->next_bytes(bytes, count);
  if (bytes.size() < count && !lines_->fault().empty())
    throw std::runtime_error{lines_->fault()};
}

// -- writing ----------------------------------------------------------------------------------------------------------

struct output_file::file_handle {
  gzFile gz = nullptr;
  int descriptor = -1; // of its own, to sync what zlib has closed
  ~file_handle() {
    if (gz)
      gzclose(gz);
    if (descriptor >= 0)
      ::close(descriptor);
  }
};

output_file::output_file(const std::string& file, bool compress)
    : name_(file), target_(behind_links(file)), file_(std::make_unique<file_handle>()) {
  open();
  const auto fd = ::dup(file_->descriptor);
  file_->gz = fd < 0 ? nullptr : gzdopen(fd, compress && file.ends_with(".gz") ? "wb6" : "wbT"); // T: no compression
  if (!file_->gz) {
    ::close(fd);
    fail(name_, "there are not enough descriptors or memory to write it");
  }
  gzbuffer(file_->gz, chunk_bytes);
}

void output_file::open() {
  struct stat there {};
  const auto known = ::stat(target_.c_str(), &there) == 0;
  if (!known && errno == ELOOP) // links that lead in a circle would be replaced by a file
    fail(name_, reason());
  auto& fd = file_->descriptor;
  if (const auto named = descriptor_named(target_)) {
    fd = ::dup(*named);
  } else if (known && !S_ISREG(there.st_mode)) {
    fd = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  } else {
    temporary_ = target_ + ".part";
    ::unlink(temporary_.c_str()); // of an earlier try; whatever it is, it is not to be written into
    fd = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (fd < 0)
    fail(is_standard_output(name_) ? "standard output" : name_, reason());
  if (known && !temporary_.empty()) {
    static_cast<void>(::fchown(fd, there.st_uid, there.st_gid) == 0); // only root may give a file away
    ::fchmod(fd, there.st_mode & 07777);
  }
}

output_file::~output_file() = default;

void output_file::check(bool good) const {
  if (!good)
    fail(is_standard_output(name_) ? "standard output" : name_, reason());
}

void output_file::write(const std::string& line) {
  write_bytes(line);
  write_bytes("\n");
}

void output_file::write_bytes(std::string_view bytes) {
  check(bytes.empty() || gzwrite(file_->gz, bytes.data(), bytes.size()) == static_cast<int>(bytes.size()));
}

void output_file::finish() {
  check(gzclose(std::exchange(file_->gz, nullptr)) == Z_OK);
  check(temporary_.empty() || ::fsync(file_->descriptor) == 0);
  check(temporary_.empty() || std::rename(temporary_.c_str(), target_.c_str()) == 0);
  temporary_.clear();
  file_.reset(); // who reads from a pipe waits for that
}

std::string output_file::remains() const {
  return temporary_.empty() ? std::string{} : "; what there is stands in " + temporary_;
}

bool is_standard_output(const std::string& file) {
  return descriptor_named(behind_links(file)) == STDOUT_FILENO;
}

} // namespace gnomon::shell
