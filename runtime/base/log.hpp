#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>
#include <utility>

/// Logging: a component, a stable event name, and key=value fields, through spdlog.
///
///   log::warn("link", "peer-lost", {{"peer", name}, {"pending", n}});
namespace gnomon::log {

enum class level { debug, info, warn, error };

/// One key=value pair; values are rendered with fmt and quoted when they contain spaces.
struct field {
  template <class T>
  field(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}
  std::string_view key;
  std::string value;
};

/// Where lines go: standard error for an empty path, otherwise a file. A further call with the same path opens it again
/// (log rotation). `level_name` is debug, info, warn or error. False when the file cannot be opened or the level is
/// unknown.
bool start(const std::string& path, std::string_view level_name);

void write(level l, std::string_view component, std::string_view event, std::initializer_list<field> fields = {});

inline void debug(std::string_view c, std::string_view e, std::initializer_list<field> f = {}) {
  write(level::debug, c, e, f);
}
inline void info(std::string_view c, std::string_view e, std::initializer_list<field> f = {}) {
  write(level::info, c, e, f);
}
inline void warn(std::string_view c, std::string_view e, std::initializer_list<field> f = {}) {
  write(level::warn, c, e, f);
}
inline void error(std::string_view c, std::string_view e, std::initializer_list<field> f = {}) {
  write(level::error, c, e, f);
}

} // namespace gnomon::log
