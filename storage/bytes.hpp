#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Fixed-width numbers and checksums in byte strings: what keys, values and contexts are made of.
namespace gnomon {

/// Appends `x` big-endian, so that byte order is numeric order.
void append_u32(std::string& out, uint32_t x);
void append_u64(std::string& out, uint64_t x);

/// Takes a number off the front of `in`. False when there are too few bytes; `in` then stays as it was.
bool take_u32(std::string_view& in, uint32_t& x);
bool take_u64(std::string_view& in, uint64_t& x);

/// The same with 1 to 10 bytes of seven bits each, low ones first. Only the shortest form is accepted.
void append_varint(std::string& out, uint64_t x);
bool take_varint(std::string_view& in, uint64_t& x);

/// CRC-32 (ISO-HDLC, as in zlib).
uint32_t checksum(std::string_view bytes);

} // namespace gnomon
