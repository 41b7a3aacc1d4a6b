#include "runtime/base/units.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>

namespace gnomon {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

// Largest first: the text of a value uses the first unit that divides it.
constexpr std::array<unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<unit, 4> byte_units{{{"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}}};

template <size_t N>
std::optional<uint64_t> parse(std::string_view text, const std::array<unit, N>& units) {
  uint64_t number = 0;
  auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{})
    return std::nullopt;
  auto suffix = text.substr(static_cast<size_t>(rest - text.data()));
  for (const auto& u : units)
    if (u.name == suffix && number <= INT64_MAX / u.factor)
      return number * u.factor;
  return std::nullopt;
}

template <size_t N>
std::string render(uint64_t number, const std::array<unit, N>& units) {
  for (const auto& u : units)
    if (number != 0 && number % u.factor == 0)
      return fmt::format("{}{}", number / u.factor, u.name);
  return fmt::format("{}{}", number, units.back().name);
}

} // namespace

std::optional<duration> duration_from(std::string_view text) {
  auto ms = parse(text, duration_units);
  return ms ? std::optional{duration{static_cast<int64_t>(*ms)}} : std::nullopt;
}

std::string to_text(duration d) {
  return render(static_cast<uint64_t>(d.count()), duration_units);
}

std::optional<uint64_t> bytes_from(std::string_view text) {
  return parse(text, byte_units);
}

std::string bytes_text(uint64_t bytes) {
  return render(bytes, byte_units);
}

} // namespace gnomon
