#pragma once

#include "runtime/base/line_reader.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

/// Comma-separated values as in RFC 4180.
namespace gnomon {

enum class csv_state {
  whole,
  open,  // a quoted field does not end here: the record continues in the next line
  broken // text before or behind the quotes of a field
};

/// Splits `text` into fields, without the quotes around them.
csv_state split_csv(std::string_view text, std::vector<std::string>& fields);

/// The lines of a file, and records that may extend over several lines. When the quotes of a record do not match, only
/// its first line is given up, and the following ones are read again.
class csv_reader {
public:
  explicit csv_reader(line_reader& lines) : lines_(lines) {}
  /// The next line; false at the end and at a fault.
  bool next(std::string& line);
  /// Splits the record that begins with `line`, which `next` returned last, and reads further lines that belong to it.
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
