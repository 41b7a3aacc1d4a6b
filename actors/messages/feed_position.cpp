#include "actors/messages/feed_position.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/percent.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

std::string feed_position::to_text() const {
  auto text = fmt::format("{}-{}", feed, number);
  if (present != listing::none)
    text += (present == listing::all ? "-a" : "-l") + percent_encode(listed);
  return text;
}

std::optional<feed_position> feed_position::from_text(std::string_view text) {
  auto feed_end = text.find('-');
  if (feed_end == text.npos)
    return std::nullopt;
  auto number_end = text.find('-', feed_end + 1);
  auto feed = parse_number<uint64_t>(text.substr(0, feed_end));
  auto number = parse_number<uint64_t>(text.substr(feed_end + 1, number_end - feed_end - 1));
  if (!feed || !number)
    return std::nullopt;
  feed_position result{*feed, *number, listing::none, {}};
  if (number_end == text.npos)
    return result;
  auto rest = text.substr(number_end + 1);
  auto listed = rest.empty() ? expected<std::string>{std::string{}} : percent_decode(rest.substr(1));
  if (rest.empty() || (rest[0] != 'a' && rest[0] != 'l') || !listed)
    return std::nullopt;
  result.present = rest[0] == 'a' ? listing::all : listing::living;
  result.listed = std::move(*listed);
  return result;
}

} // namespace gnomon
