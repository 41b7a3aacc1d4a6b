#pragma once

#include "runtime/base/error.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gnomon::replay {

inline constexpr size_t max_line_bytes = 64u << 10;

/// Reads a text file line by line in bounded memory, plain or gzip (told apart by content). Not thread-safe.
class line_reader {
public:
  /// Errors: not_found with the path and the system's reason.
  static expected<std::unique_ptr<line_reader>> open(const std::filesystem::path& path);

  ~line_reader();
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;

  /// The next line without its end ("\n" or "\r\n"), valid until the next call; nothing at the end of the file or at
  /// damage. A longer line than `max_line_bytes` is cut there and `cut()` is true for it.
  std::optional<std::string_view> next();

  /// The number of the line that `next` returned last; the first is 1.
  uint64_t line_number() const {
    return number_;
  }
  bool cut() const {
    return cut_;
  }
  /// Why reading ended before the end of the file: a damaged or truncated gzip file, a disk error. Empty otherwise.
  const std::string& damage() const {
    return damage_;
  }

private:
  explicit line_reader(void* file) : file_(file) {}
  bool refill();

  void* file_; // a gzFile; zlib's header stays out of ours
  std::string buffer_;
  size_t used_ = 0;
  std::string line_;
  uint64_t number_ = 0;
  bool cut_ = false;
  bool ended_ = false;
  std::string damage_;
};

} // namespace gnomon::replay
