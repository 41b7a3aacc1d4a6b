#include "runtime/base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <optional>

namespace gnomon::log {

namespace {

std::mutex guard; // protects file_path and the exchange of loggers
std::string file_path;

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

bool open_sink(const std::string& path) {
  try {
    spdlog::sink_ptr sink;
    if (path.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    auto next = std::make_shared<spdlog::logger>("gnomon", std::move(sink));
    next->set_level(spdlog::default_logger()->level());
    next->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    next->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(next));
    return true;
  } catch (const spdlog::spdlog_ex&) {
    return false;
  }
}

void append_value(std::string& line, const std::string& value) {
  if (!value.empty() && value.find_first_of(" \t\n\r\"=") == std::string::npos) {
    line += value;
    return;
  }
  line += '"';
  for (char c : value) {
    if (c == '"' || c == '\\')
      line += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      line += ' ';
    else
      line += c;
  }
  line += '"';
}

} // namespace

bool start(const std::string& path, std::string_view level_name) {
  std::lock_guard lock{guard};
  auto lvl = level_from(level_name);
  if (!lvl || !open_sink(path))
    return false;
  spdlog::default_logger()->set_level(*lvl);
  file_path = path;
  return true;
}

bool set_level(std::string_view level_name) {
  auto lvl = level_from(level_name);
  if (lvl)
    spdlog::default_logger()->set_level(*lvl);
  return lvl.has_value();
}

bool reopen() {
  std::lock_guard lock{guard};
  return file_path.empty() || open_sink(file_path);
}

void write(level l, std::string_view component, std::string_view event, std::initializer_list<field> fields) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                         spdlog::level::err};
  auto* logger = spdlog::default_logger_raw();
  auto lvl = levels[static_cast<int>(l)];
  if (!logger->should_log(lvl))
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
  logger->log(lvl, "{}", line);
}

} // namespace gnomon::log
