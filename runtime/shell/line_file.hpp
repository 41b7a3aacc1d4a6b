#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

/// Lines, or bytes, of plain or gzip files. Errors are thrown as std::runtime_error with a sentence that names the
/// file.
namespace gnomon::shell {

/// Reads lines; gzip is recognised by its first bytes. "-" is standard input.
class line_reader {
public:
  /// Lines over `max_line` bytes are cut there: `too_long` tells.
  line_reader(const std::string& file, size_t max_line);
  ~line_reader();
  /// The next line without its newline; false at the end. Throws when the file is damaged or cannot be read.
  bool next(std::string& line);
  /// The next `count` bytes; fewer at the end.
  void next_bytes(std::string& bytes, size_t count);
  bool too_long() const {
    return too_long_;
  }
  /// Share of the file that was read, 0 to 1; negative when its size is not known.
  double progress() const;

private:
  bool fill();
  struct file_handle;
  std::string name_;
  std::unique_ptr<file_handle> file_;
  std::string buffer_;
  size_t at_ = 0;
  size_t max_line_;
  uint64_t size_ = 0;
  bool too_long_ = false;
};

/// Writes lines, compressed when the name ends with .gz, under a temporary name (`file`.part) until `finish`.
/// "-" is standard output.
class line_writer {
public:
  explicit line_writer(const std::string& file);
  /// Leaves the unfinished file under its temporary name.
  ~line_writer();
  void write(const std::string& line);
  void write_bytes(std::string_view bytes);
  /// Closes the file, makes sure that it is on disk, and gives it its name.
  void finish();

private:
  void check(bool good) const;
  struct file_handle;
  std::string name_;
  std::string temporary_;
  std::unique_ptr<file_handle> file_;
};

} // namespace gnomon::shell
