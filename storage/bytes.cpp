#include "storage/bytes.hpp"

#include <zlib.h>

namespace gnomon {

namespace {

template <class T>
void append_big_endian(std::string& out, T x) {
  for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((x >> shift) & 0xFF));
}

template <class T>
bool take_big_endian(std::string_view& in, T& x) {
  if (in.size() < sizeof(T))
    return false;
  x = 0;
  for (auto c : in.substr(0, sizeof(T)))
    x = (x << 8) | static_cast<uint8_t>(c);
  in.remove_prefix(sizeof(T));
  return true;
}

} // namespace

void append_u32(std::string& out, uint32_t x) {
  append_big_endian(out, x);
}

void append_u64(std::string& out, uint64_t x) {
  append_big_endian(out, x);
}

bool take_u32(std::string_view& in, uint32_t& x) {
  return take_big_endian(in, x);
}

bool take_u64(std::string_view& in, uint64_t& x) {
  return take_big_endian(in, x);
}

void append_varint(std::string& out, uint64_t x) {
  for (; x >= 0x80; x >>= 7)
    out.push_back(static_cast<char>(x | 0x80));
  out.push_back(static_cast<char>(x));
}

bool take_varint(std::string_view& in, uint64_t& x) {
  uint64_t result = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    auto byte = static_cast<uint8_t>(in[i]);
    if (i == 9 && byte > 1)
      return false; // over 64 bits
    result |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0)
        return false; // not the shortest form
      x = result;
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

uint32_t checksum(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

} // namespace gnomon
