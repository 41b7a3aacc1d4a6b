#pragma once

#include "runtime/base/line_reader.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

/// Comma-separated values as RFC 4180 has them.
namespace gnomon {

enum class csv_state {
  whole,
  open,  // a quoted field does not end here: the record goes on in the next line
  broken // text before or behind the quotes of a field
};

/// Splits `text` into fields, without the quotes around them.
csv_state split_csv(std::string_view text, std::vector<std::string>& fields);

/// Lines of a file, and records that may go on over several of them. When the quotes of a record do not fit together,
/// its first line alone is given up, and the ones behind it are read again.
class csv_reader {
public:
  explicit csv_reader(line_reader& lines) : lines_(lines) {}
  /// The next line; false at the end and at a fault.
  bool next(std::string& line);
  /// Splits the record that begins with `line`, which `next` gave last, and takes the further lines that it has.
  csv_state split(const std::string& line, std::vector<std::string>& fields);

  /// The line that was read last: its number, and whether it was cut.
  uint64_t number() const {
    return last_.number;
  }
  bool too_long() const {
    return last_.too_long;
  }

private:
  struct line {
    std::string text;
    uint64_t number = 0;
    bool too_long = false;
    bool returned = false; // it ended in "\r\n"
  };
  bool read(line& to);

  line_reader& lines_;
  line last_;
  std::deque<line> again_;
};

} // namespace gnomon
