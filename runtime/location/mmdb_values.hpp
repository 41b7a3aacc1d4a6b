#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gnomon {

/// Checks the encoded values of a MaxMind DB file before libmaxminddb meets them: that library skips nested values by
/// recursion, and a damaged file can nest them millions deep. Inside `location_database` only.
class mmdb_values {
public:
  /// `section` is a data or metadata section; it must outlive this object.
  explicit mmdb_values(std::string_view section)
      : section_(section), seen_(section.size()), budget_(16 * section.size()) {}

  /// True when the value at `offset`, and each one that pointers lead to from there, lies inside the section and nests
  /// no deeper than 32. A value that was checked before costs nothing. False also when the values overlap so much that
  /// the check would take long.
  bool is_good(uint64_t offset);

private:
  /// What a value begins with.
  struct head {
    unsigned type = 0;
    uint64_t size = 0; // bytes, members, or the target of a pointer
    uint64_t end = 0;  // where the head ends
  };
  bool read_head(uint64_t offset, head& result) const;
  bool read_number(uint64_t& offset, unsigned bytes, uint64_t& result) const;
  bool walk(uint64_t offset);

  std::string_view section_;
  std::vector<bool> seen_;
  std::vector<uint64_t> targets_; // of pointers, still to be checked
  uint64_t budget_;               // values that may still be read
};

} // namespace gnomon
