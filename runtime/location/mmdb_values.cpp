#include "runtime/location/mmdb_values.hpp"

#include <array>

namespace gnomon {

namespace {

constexpr size_t most_depth = 32;
constexpr unsigned extended = 0, pointer = 1, map = 7, array = 11, boolean = 14, last_type = 15;

} // namespace

bool mmdb_values::read_number(uint64_t& offset, unsigned bytes, uint64_t& result) const {
  if (offset + bytes > section_.size())
    return false;
  for (; bytes > 0; --bytes, ++offset)
    result = result << 8 | static_cast<uint8_t>(section_[offset]);
  return true;
}

bool mmdb_values::read_head(uint64_t offset, head& result) const {
  uint64_t control = 0;
  if (!read_number(offset, 1, control))
    return false;
  result.type = static_cast<unsigned>(control >> 5);
  auto size = control & 31;
  if (result.type == pointer) {
    // Two bits say how long it is, three are its front; shorter ones begin where the next shorter ones end.
    static constexpr std::array<uint64_t, 4> bases{0, 2048, 526'336, 0};
    const auto kind = static_cast<unsigned>(size >> 3);
    result.size = kind == 3 ? 0 : size & 7;
    if (!read_number(offset, kind + 1, result.size))
      return false;
    result.size += bases[kind];
  } else {
    uint64_t type = 0, more = 0;
    if (result.type == extended && !read_number(offset, 1, type))
      return false;
    if (result.type == extended)
      result.type = static_cast<unsigned>(type + 7);
    if (size >= 29) {
      static constexpr std::array<uint64_t, 3> bases{29, 285, 65'821};
      if (!read_number(offset, static_cast<unsigned>(size - 28), more))
        return false;
      size = more + bases[size - 29];
    }
    result.size = size;
  }
  result.end = offset;
  return result.type <= last_type;
}

bool mmdb_values::walk(uint64_t offset) {
  std::vector<uint64_t> open{1}; // values still to come, at each depth
  while (!open.empty()) {
    if (open.back() == 0) {
      open.pop_back();
      continue;
    }
    --open.back();
    head value;
    if (budget_ == 0 || !read_head(offset, value))
      return false;
    --budget_;
    offset = value.end;
    if (value.type == pointer)
      targets_.push_back(value.size);
    else if (value.type == map || value.type == array)
      open.push_back(value.type == map ? 2 * value.size : value.size);
    else if (value.type != boolean)
      offset += value.size;
    if (offset > section_.size() || open.size() > most_depth)
      return false;
  }
  return true;
}

bool mmdb_values::is_good(uint64_t offset) {
  targets_.assign(1, offset);
  while (!targets_.empty()) {
    const auto next = targets_.back();
    targets_.pop_back();
    if (next >= section_.size())
      return false;
    if (seen_[next])
      continue;
    seen_[next] = true;
    if (!walk(next))
      return false;
  }
  return true;
}

} // namespace gnomon
