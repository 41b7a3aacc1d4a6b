#pragma once

#include <cstdint>

namespace gnomon::dns {

/// Spreads 64 bits: MurmurHash3's finalizer (Appleby 2011). Mix a secret in first where outsiders choose the value.
constexpr uint64_t mix(uint64_t value) {
  value = (value ^ value >> 33) * 0xff51afd7ed558ccd;
  value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53;
  return value ^ value >> 33;
}

} // namespace gnomon::dns
