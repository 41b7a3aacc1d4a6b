#include "learning/trace_file.hpp"

#include "learning/text_file.hpp"

#include <algorithm>
#include <charconv>

namespace gnomon::learning {

namespace {

/// Where the columns of a trace are.
struct trace_columns {
  size_t time = SIZE_MAX, user = SIZE_MAX, region = SIZE_MAX, item = SIZE_MAX, needed = 0;

  static expected<trace_columns> of(std::string_view header) {
    trace_columns result;
    auto names = cells(header, ',');
    for (size_t k = 0; k < names.size(); ++k) {
      if (names[k] == "t" || names[k] == "timestamp" || names[k] == "time")
        result.time = k;
      else if (names[k] == "user" || names[k] == "user_id")
        result.user = k;
      else if (names[k] == "region")
        result.region = k;
      else if (names[k] == "item" || names[k] == "data_id")
        result.item = k;
    }
    if (result.time == SIZE_MAX || result.user == SIZE_MAX || result.item == SIZE_MAX)
      return make_error(ec::invalid_argument,
                        "the first line of a trace names its columns, among them t, user and item");
    result.needed = std::max({result.time, result.user, result.item}) + 1;
    return result;
  }
};

// False for a line that is no access.
bool add_line(std::string_view line, const trace_columns& columns, log_builder& builder) {
  auto parts = cells(line, ',');
  if (parts.size() < columns.needed)
    return false;
  auto user = parts[columns.user], item = parts[columns.item], t = parts[columns.time];
  double time = 0;
  auto [end, problem] = std::from_chars(t.data(), t.data() + t.size(), time);
  if (problem != std::errc{} || !(time > 0 && time < 4e9) || user.empty() || item.empty())
    return false;
  auto region = columns.region < parts.size() ? parts[columns.region] : std::string_view{};
  return builder.add(user, item, region, static_cast<uint32_t>(time));
}

} // namespace

expected<trace_file> read_trace(const std::string& path) {
  auto file = text_file::open(path);
  if (!file)
    return file.error();
  std::string line;
  file->next(line);
  auto columns = trace_columns::of(line);
  if (!columns)
    return columns.error();
  trace_file result;
  log_builder builder;
  while (file->next(line))
    result.bad_lines += add_line(line, *columns, builder) ? 0 : 1;
  if (builder.size() == 0)
    return make_error(ec::invalid_argument, "'" + path + "' holds no accesses");
  for (uint32_t k = 0; k < builder.regions().size(); ++k)
    result.regions.push_back(builder.regions().name(k));
  result.log = builder.take(true);
  return result;
}

} // namespace gnomon::learning
