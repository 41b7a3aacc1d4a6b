#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Accesses as text: one JSON object a line, or one JSON array of objects.
namespace gnomon {

/// One access, valid during the call that hands it over. `time` is in seconds since 1970 UTC.
struct named_access {
  std::string_view user, item, region; // region: empty when it was not said
  double time = 0;
};

/// Why a line, or the element of an array, was skipped.
struct bad_access {
  uint64_t line = 0; // or element; from 1
  std::string reason;
};

/// Reads accesses from text that arrives in pieces, cut anywhere. A byte order mark in front is ignored. Each access is
/// an object with the members user_id, data_id and timestamp (seconds since 1970, from 10^11 on milliseconds, or text
/// such as "2024-05-01T12:00:00Z"), and optionally region. Other members are ignored. Faults are counted and never end
/// the reading. Keeps at most one line, of up to 64 KiB. Not thread-safe.
class access_reader {
public:
  using taker = std::function<void(const named_access&)>;
  explicit access_reader(taker take) : take_(std::move(take)) {}

  void feed(std::string_view piece);
  /// The text is over: reads a last line that has no end.
  void finish();
  /// For the receiver of an access: counts it as a bad one.
  void refuse(std::string reason);

  uint64_t lines() const {
    return lines_;
  }
  uint64_t bad_lines() const {
    return bad_lines_;
  }
  /// The first five.
  const std::vector<bad_access>& complaints() const {
    return complaints_;
  }

private:
  enum class layout : uint8_t { unknown, lines, array };
  void feed_line(std::string_view piece);
  void feed_array(std::string_view piece);
  void append(std::string_view part);
  void read_record();

  taker take_;
  layout layout_ = layout::unknown;
  std::string front_; // start of a byte order mark that was cut
  bool passed_mark_ = false;
  size_t blank_lines_ = 0; // in front
  std::string record_;     // what has arrived of the current line or element
  bool too_long_ = false;
  int depth_ = 0; // of braces and brackets inside an element
  bool in_text_ = false, escaped_ = false;
  uint64_t lines_ = 0, bad_lines_ = 0;
  std::vector<bad_access> complaints_;
};

} // namespace gnomon
