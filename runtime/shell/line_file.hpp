#pragma once

#include "runtime/base/line_reader.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

/// Files that commands read and write. "-" is standard input or output. Errors are thrown as std::runtime_error with a
/// sentence that names the file.
namespace gnomon::shell {

/// Lines, or bytes, as `gnomon::line_reader` reads them.
class input_file {
public:
  /// Lines over `max_line` bytes are cut there; `too_long` says so.
  input_file(const std::string& file, size_t max_line, coding how = coding::gzip_by_content);
  /// The next line without its end; false at the end.
  bool next(std::string& line);
  /// The next `count` bytes; fewer at the end.
  void next_bytes(std::string& bytes, size_t count);
  bool too_long() const {
    return lines_->too_long();
  }
  /// Share of the file that was read, 0 to 1; negative when its size is not known.
  double progress() const {
    return lines_->progress();
  }

private:
  std::unique_ptr<line_reader> lines_;
};

/// Returns the value of `outcome`, or throws its sentence.
template <class T>
T or_throw(expected<T> outcome) {
  if (!outcome)
    throw std::runtime_error{sentence_of(outcome.error())};
  return std::move(*outcome);
}

/// Writes a file. A regular file, or a new one, gets its content all at once, in `finish`. Until then the content is in
/// a temporary file beside it (`file`.part). The file keeps its mode and owner, and links to it stay. A pipe, a device
/// or an open descriptor such as /dev/stdout gets bytes directly.
class output_file {
public:
  /// `compress`: when the name ends with .gz.
  explicit output_file(const std::string& file, bool compress = true);
  /// Leaves the unfinished file under its temporary name.
  ~output_file();
  void write(const std::string& line);
  void write_bytes(std::string_view bytes);
  /// Closes the file, makes sure that it is on disk, and gives it its name.
  void finish();
  /// Where the content written so far is, for a message about an error: "; what there is stands in ...".
  std::string remains() const;

private:
  void open();
  void check(bool good) const;
  struct file_handle;
  std::string name_;
  std::string target_;    // behind symbolic links
  std::string temporary_; // empty: written in place
  std::unique_ptr<file_handle> file_;
};

/// True when bytes written to `file` go to standard output.
bool is_standard_output(const std::string& file);

} // namespace gnomon::shell
