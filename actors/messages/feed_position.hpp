#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// What a follower has been told so far.
struct feed_position {
  /// Items as they are come first: those with ids greater than `listed`.
  enum class listing : uint8_t { none, living, all };
  uint64_t feed = 0;   // positions of another feed mean nothing
  uint64_t number = 0; // of the last change
  listing present = listing::none;
  std::string listed;

  /// Printable ASCII.
  std::string to_text() const;
  /// Nothing for text that `to_text` never makes.
  static std::optional<feed_position> from_text(std::string_view text);
};

} // namespace gnomon
