#pragma once

#include "storage/bytes.hpp"

#include <string>
#include <string_view>

/// A fuzzer does not find checksums, so what stands behind one is given the right one before it is read.
namespace gnomon::fuzz {

/// `bytes` as a frame of `storage/archive.hpp`: after four bytes of kind and format comes the checksum of the rest.
inline std::string with_frame_checksum(std::string_view bytes) {
  std::string result{bytes};
  if (bytes.size() < 8)
    return result;
  std::string sum;
  append_u32(sum, checksum(bytes.substr(8)));
  return result.replace(4, 4, sum);
}

} // namespace gnomon::fuzz
