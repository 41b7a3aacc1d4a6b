#pragma once

#include "learning/base/archive.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace gnomon {

/// Users who asked to be forgotten, and when. What they read before that is not learned again, for instance from an
/// upload. Keeps the hashes of the last 100,000 names, not the names. Published as an immutable snapshot.
class forgotten_users {
public:
  /// Times are in seconds since 1970.
  void add(std::string_view user, uint32_t time);
  /// True when a read of the user at `time` has to stay forgotten.
  bool covers(std::string_view user, uint32_t time) const;
  void save(learning::writer& out) const;
  void load(learning::reader& in);

private:
  std::unordered_map<uint64_t, uint32_t> times_;
};

} // namespace gnomon
