#include "runtime/replay/round_trips.hpp"

#include "runtime/base/csv.hpp"
#include "runtime/base/numbers.hpp"

namespace gnomon::replay {

namespace {

constexpr double longest_ms = 60'000;
constexpr size_t longest_line = 4096;

} // namespace

void round_trips::set(const std::string& from, const std::string& to, double ms) {
  ms_[{from, to}] = ms;
}

double round_trips::between(const std::string& from, const std::string& to) const {
  auto known = ms_.find({from, to});
  if (known == ms_.end())
    known = ms_.find({to, from});
  return known == ms_.end() ? 0 : known->second;
}

expected<round_trips> round_trips::load(const std::filesystem::path& file) {
  auto lines = line_reader::open(file, longest_line);
  if (!lines)
    return lines.error();
  csv_reader records{**lines};
  round_trips result;
  std::vector<std::string> fields;
  for (std::string line; records.next(line);) {
    if (line.empty() || line.starts_with('#') || line.starts_with("from,to,"))
      continue;
    const auto number = records.number();
    const auto three = !records.too_long() && records.split(line, fields) == csv_state::whole && fields.size() == 3;
    const auto ms = three ? parse_number<double>(fields[2]) : std::nullopt;
    if (!ms || !(*ms >= 0 && *ms <= longest_ms))
      return make_error(ec::bad_config, file.string() + " line " + std::to_string(number)
                                            + " is not from,to,round_trip_ms with 0 to 60000 ms: " + line);
    result.set(fields[0], fields[1], *ms);
  }
  if (!(*lines)->fault().empty())
    return make_error(ec::bad_config, (*lines)->fault());
  return result;
}

} // namespace gnomon::replay
