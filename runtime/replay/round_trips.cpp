#include "runtime/replay/round_trips.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

namespace gnomon::replay {

namespace {

constexpr double longest_ms = 60'000;

std::pair<std::string, std::string> pair_of(const std::string& a, const std::string& b) {
  return std::minmax(a, b);
}

} // namespace

void round_trips::set(const std::string& from, const std::string& to, double ms) {
  ms_[pair_of(from, to)] = ms;
}

double round_trips::between(const std::string& from, const std::string& to) const {
  auto known = ms_.find(pair_of(from, to));
  return known == ms_.end() ? 0 : known->second;
}

expected<round_trips> round_trips::load(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    return make_error(ec::not_found, "cannot open the round trips " + file.string() + ": " + std::strerror(errno));
  round_trips result;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r'))
      line.pop_back();
    if (line.empty() || line.starts_with('#') || line == "from,to,round_trip_ms")
      continue;
    auto first = line.find(',');
    auto second = first == std::string::npos ? first : line.find(',', first + 1);
    double ms = -1;
    auto last = line.data() + line.size();
    if (second == std::string::npos || std::from_chars(line.data() + second + 1, last, ms).ptr != last || !(ms >= 0)
        || ms > longest_ms)
      return make_error(ec::bad_config, file.string() + " line " + std::to_string(number)
                                            + " is not from,to,round_trip_ms with 0 to 60000 ms: " + line);
    result.set(line.substr(0, first), line.substr(first + 1, second - first - 1), ms);
  }
  return result;
}

} // namespace gnomon::replay
