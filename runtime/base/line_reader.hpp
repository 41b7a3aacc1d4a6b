#pragma once

#include "runtime/base/byte_source.hpp"

#include <string_view>

namespace gnomon {

/// A byte order mark, which some editors write in front of UTF-8.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// The lines of a text file, plain or gzip, in bounded memory. The one way to read text: it skips a byte order mark at
/// the front, and never takes an error for the end. Not thread-safe.
class line_reader {
public:
  /// Errors: as `byte_source::open`.
  static expected<std::unique_ptr<line_reader>> open(const std::string& file, size_t max_line,
                                                     coding how = coding::gzip_by_content);

  /// The next line without its end ("\n" or "\r\n"); false at the end and on an error. A line longer than `max_line` is
  /// cut there, and `too_long` is true for it.
  bool next(std::string& line);
  /// The next bytes, as they are: `count`, or fewer at the end and on an error.
  void next_bytes(std::string& bytes, size_t count);
  /// The buffered part of the next bytes, without taking them; empty at the end and on an error.
  std::string_view ahead();

  /// The number of the line that `next` returned last. The first is 1.
  uint64_t number() const {
    return number_;
  }
  bool too_long() const {
    return too_long_;
  }
  /// The last line ended in "\r\n".
  bool returned() const {
    return returned_;
  }
  /// Why reading ended before the end: a sentence that names the file. Otherwise empty.
  const std::string& fault() const {
    return fault_.empty() ? source_->fault() : fault_;
  }
  const std::string& name() const {
    return source_->name();
  }
  byte_source& source() {
    return *source_;
  }
  double progress() const {
    return source_->progress();
  }

private:
  line_reader(std::unique_ptr<byte_source> source, size_t max_line) : source_(std::move(source)), max_line_(max_line) {}
  bool fill();
  bool pass_mark();

  std::unique_ptr<byte_source> source_;
  size_t max_line_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t number_ = 0;
  bool too_long_ = false;
  bool returned_ = false;
  std::string fault_;
};

} // namespace gnomon
