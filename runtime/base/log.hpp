#pragma once

#include <spdlog/fmt/fmt.h>

#include <functional>
#include <memory>
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

/// Where lines go. Thread-safe.
class output;
using output_ptr = std::shared_ptr<output>;

/// To a file, or to standard error for an empty path. `level_name` is debug, info, warn or error; what is less than
/// that is dropped. Null when the file cannot be opened or the level is unknown.
output_ptr open(const std::string& path, std::string_view level_name);
/// To `write`, one line after the other, without time and level. It must not throw. Null when the level is unknown.
using line_writer = std::function<void(level, std::string_view line)>;
output_ptr open(line_writer write, std::string_view level_name);
/// Opens the file again (log rotation), or another one, and takes over the level. False as above; then nothing changes.
/// What goes to a function goes on to that function.
bool reopen(output& to, const std::string& path, std::string_view level_name);

/// As `open` and then `reopen`, for all threads that use no other output. Until then their lines are dropped.
bool start(const std::string& path, std::string_view level_name);

/// The lines of this thread go there from now on. Null: where those of the process go.
void use(output_ptr to);
output_ptr in_use();

/// The function of a new thread whose lines are to go where those of the present one go.
template <class F>
auto bound(F run) {
  return [to = in_use(), run = std::move(run)]() mutable {
    use(std::move(to));
    run();
  };
}

/// The lines of this thread go to `to` while it lives.
class scope {
public:
  explicit scope(output_ptr to) : before_(in_use()) {
    use(std::move(to));
  }
  ~scope() {
    use(std::move(before_));
  }
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

private:
  output_ptr before_;
};

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
