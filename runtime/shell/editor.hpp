#pragma once

#include "runtime/shell/completion.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace gnomon::shell {

/// Lines typed at a terminal, through libedit: history kept in a file, completion with the tab key. One at a time.
class editor {
public:
  /// `history_file` empty: history is not kept.
  editor(std::string history_file, completion_sources sources);
  ~editor();
  /// The next line; nothing at Ctrl-D. Ctrl-C discards the line that is being typed and returns an empty one.
  std::optional<std::string> read(const std::string& prompt);
  /// True when Ctrl-C ended the last `read`.
  bool interrupted() const {
    return interrupted_;
  }
  void remember(const std::string& line);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
  bool interrupted_ = false;
};

/// $XDG_STATE_HOME/gnomon/history when that is set, else ~/.gnomon_history; empty without a home.
std::string default_history_file();

} // namespace gnomon::shell
