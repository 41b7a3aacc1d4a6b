#pragma once

#include <chrono>
#include <string>

namespace gnomon::replay {

/// Shows a person on standard error how far the work is: on a terminal one line that is written over, elsewhere a plain
/// line every few seconds, nothing when quiet. Not thread-safe.
class progress {
public:
  explicit progress(bool quiet = false);
  ~progress();

  /// Shows `what`, the share done and `note`; cheap enough to be called for every read.
  void update(const std::string& what, uint64_t done, uint64_t all, const std::string& note);
  /// True when `update` would show something now, so that callers need not make the note in vain.
  bool due() const;
  /// Ends the current line, if any, with a last text that stays.
  void finish(const std::string& text);

private:
  void show(const std::string& text);

  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string in_words(std::chrono::seconds time);

} // namespace gnomon::replay
