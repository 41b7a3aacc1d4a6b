#include "runtime/base/log.hpp"

#include "runtime/base/printable.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

namespace gnomon::log {

namespace {

std::optional<spdlog::level::level_enum> level_from(std::string_view text) {
  if (text == "debug")
    return spdlog::level::debug;
  if (text == "info")
    return spdlog::level::info;
  if (text == "warn")
    return spdlog::level::warn;
  if (text == "error")
    return spdlog::level::err;
  return std::nullopt;
}

/// Writes lines to a descriptor. When its disk is full, or nobody reads its pipe any more, lines are dropped and
/// counted: logging neither blocks the calling thread nor ends the process.
class descriptor_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  ~descriptor_sink() override {
    become(STDERR_FILENO);
  }
  /// From now on lines go there; what it had is closed, unless that is standard error.
  void become(int descriptor) {
    std::lock_guard lock{mutex_};
    if (descriptor_ != STDERR_FILENO)
      ::close(descriptor_);
    descriptor_ = descriptor;
    broken_ = false;
  }

private:
  static constexpr size_t sure_bytes = 4096; // what a pipe takes at once when it says that it takes anything (PIPE_BUF)
  static constexpr int patience_ms = 100;    // with a reader that is slow for the first time

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const auto lost = lost_;
    if (lost > 0
        && write(fmt::format("{}{} lines before this one were lost: the log could not be written\n",
                             broken_ ? "\n" : "", lost))) {
      lost_ = 0;
      broken_ = false;
    }
    lost_ += lost_ > 0 || !write({line.data(), line.size()}) ? 1 : 0;
  }
  void flush_() override {}

  bool write(std::string_view text) {
    for (auto rest = text; !rest.empty();) {
      pollfd ready{descriptor_, POLLOUT, 0};
      const auto takes = ::poll(&ready, 1, lost_ > 0 ? 0 : patience_ms) == 1;
      const auto written = takes ? ::write(descriptor_, rest.data(), std::min(rest.size(), sure_bytes)) : -1;
      if (written < 0) {
        broken_ = broken_ || rest.size() < text.size();
        return false;
      }
      rest.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }

  int descriptor_ = STDERR_FILENO;
  uint64_t lost_ = 0;
  bool broken_ = false; // the last thing there is half a line
};

/// A descriptor for the log; negative when it cannot be opened.
int open_log(const std::string& path) {
  if (path.empty())
    return STDERR_FILENO;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
  // Without waiting for a reader, where it is a pipe.
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
}

/// Hands lines to a function of the program around.
class function_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit function_sink(line_writer write) : write_(std::move(write)) {}

private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    auto given = message.level == spdlog::level::debug  ? log::level::debug
                 : message.level == spdlog::level::info ? log::level::info
                 : message.level == spdlog::level::warn ? log::level::warn
                                                        : log::level::error;
    write_(given, {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

  line_writer write_;
};

void append_value(std::string& line, const std::string& value) {
  const auto shown = printable(value);
  if (!value.empty() && shown == value && value.find_first_of(" \"=") == std::string::npos) {
    line += value;
    return;
  }
  line += '"';
  std::string quoted;
  for (char c : value) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    quoted += c;
  }
  line += printable(quoted) + '"';
}

} // namespace

class output {
public:
  output(spdlog::sink_ptr sink, spdlog::level::level_enum least) : logger("gnomon", std::move(sink)) {
    logger.set_level(least);
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger.set_error_handler([](const std::string&) {}); // a line is lost; nothing is written elsewhere
  }
  spdlog::logger logger;
  std::shared_ptr<descriptor_sink> file; // null: a function
};

namespace {

std::mutex guard;                         // held while the process's output is made
std::atomic<output*> of_process{nullptr}; // lives as long as the process: any thread may be writing to it
thread_local output_ptr of_thread;

} // namespace

output_ptr open(const std::string& path, std::string_view level_name) {
  auto least = level_from(level_name);
  auto fd = least ? open_log(path) : -1;
  if (fd < 0)
    return nullptr;
  auto sink = std::make_shared<descriptor_sink>();
  sink->become(fd);
  auto made = std::make_shared<output>(sink, *least);
  made->file = std::move(sink);
  return made;
}

output_ptr open(line_writer write, std::string_view level_name) {
  auto least = level_from(level_name);
  return least ? std::make_shared<output>(std::make_shared<function_sink>(std::move(write)), *least) : nullptr;
}

bool reopen(output& to, const std::string& path, std::string_view level_name) {
  auto least = level_from(level_name);
  if (!least)
    return false;
  if (to.file) {
    auto fd = open_log(path);
    if (fd < 0)
      return false;
    to.file->become(fd);
  }
  to.logger.set_level(*least);
  return true;
}

bool start(const std::string& path, std::string_view level_name) {
  std::lock_guard lock{guard};
  if (auto present = of_process.load())
    return reopen(*present, path, level_name);
  static auto& kept = *new output_ptr; // for good
  kept = open(path, level_name);
  of_process = kept.get();
  return kept != nullptr;
}

void use(output_ptr to) {
  of_thread = std::move(to);
}

output_ptr in_use() {
  return of_thread;
}

void write(level l, std::string_view component, std::string_view event, std::initializer_list<field> fields) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                         spdlog::level::err};
  auto* to = of_thread ? of_thread.get() : of_process.load();
  auto lvl = levels[static_cast<int>(l)];
  if (!to || !to->logger.should_log(lvl))
    return;
  std::string line{component};
  line += ' ';
  line += event;
  for (const auto& f : fields) {
    line += ' ';
    line += f.key;
    line += '=';
    append_value(line, f.value);
  }
  to->logger.log(lvl, "{}", line);
}

} // namespace gnomon::log
