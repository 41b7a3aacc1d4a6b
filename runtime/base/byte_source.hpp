#pragma once

#include "runtime/base/error.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace gnomon {

/// How the bytes of a file are stored.
enum class coding { as_it_is, gzip_by_content };

/// The bytes of a file from front to end; of a gzip file, also with several members, the decompressed bytes. An error
/// is distinguished from the end. Not thread-safe.
class byte_source {
public:
  /// "-" is standard input. Errors: not_found with a sentence that names the file.
  static expected<std::unique_ptr<byte_source>> open(const std::string& file, coding how);
  ~byte_source();
  byte_source(const byte_source&) = delete;
  byte_source& operator=(const byte_source&) = delete;

  /// Writes the next bytes, at most `most`, to `to` and returns their number. 0: the end, or an error.
  size_t read(char* to, size_t most);
  /// Why reading ended before the end: a sentence that names the file. Otherwise empty.
  const std::string& fault() const {
    return fault_;
  }
  /// The file as messages call it.
  const std::string& name() const {
    return name_;
  }
  /// Share of the file that was read, 0 to 1; negative when its size is unknown.
  double progress() const;

private:
  byte_source(std::string name, int descriptor, uint64_t size);
  bool refill();
  void begin();
  size_t copy(char* to, size_t most);
  size_t inflate(char* to, size_t most);
  bool begin_member();
  size_t fail(const std::string& why);

  struct decoder;
  std::string name_;
  int descriptor_;
  uint64_t size_; // 0: not known
  uint64_t taken_ = 0;
  coding how_ = coding::gzip_by_content;
  bool begun_ = false;
  std::string input_; // as it lies in the file
  size_t used_ = 0;   // how much of `input_` is used
  std::unique_ptr<decoder> decoder_;
  std::string fault_;
};

/// All bytes of `file`, as they are. Errors: too_large above `most`, not_found, bad_message when it cannot be read to
/// its end.
expected<std::string> read_all(const std::string& file, size_t most);
expected<std::string> read_all(byte_source& from, size_t most);

} // namespace gnomon
