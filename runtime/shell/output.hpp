#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/printable.hpp"

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

/// How results look. Everything except `terminal::of_process` is pure.
namespace gnomon::shell {

enum class style { plain, heading, good, warning, bad, faint };

/// Where a command writes, and what it may use there.
struct terminal {
  std::ostream& out;
  std::ostream& err;
  bool out_is_tty = false;
  bool err_is_tty = false;
  bool colour = false; // of `out`; false when NO_COLOR is set or `out` is no terminal
  size_t width = 80;

  /// Standard output and error of this process.
  static terminal of_process();
  /// The reader of `out` has gone: nothing written there arrives.
  bool reader_gone() const;
  /// `text` in `s` when colours are on.
  std::string paint(style s, std::string_view text) const;
};

/// A piece of text in a table.
struct cell {
  cell(std::string t, style s = style::plain) : text(std::move(t)), look(s) {}
  cell(const char* t) : text(t) {}
  std::string text;
  style look = style::plain;
};

/// Aligned columns. A heading that begins with '>' aligns its column to the right. Columns that are empty in every row
/// are left out.
class table {
public:
  explicit table(std::vector<std::string> headings);
  void row(std::vector<cell> cells);
  void print(const terminal& to) const;
  bool empty() const {
    return rows_.empty();
  }

private:
  std::vector<std::string> headings_;
  std::vector<std::vector<cell>> rows_;
};

/// The number of columns that `text` takes: one for each code point.
size_t columns(std::string_view text);

std::string human_bytes(uint64_t bytes);                    // "1.5 KiB"
std::string human_count(uint64_t count);                    // "1,234,567"
std::string human_duration(std::chrono::milliseconds span); // "350 ms", "12 s", "3 h 20 min"
std::string human_ms(double ms);                            // "81.3 ms"
/// "in 3 h", "2 min ago"; "never" for the zero point.
std::string human_time(timestamp when, timestamp now);

} // namespace gnomon::shell
