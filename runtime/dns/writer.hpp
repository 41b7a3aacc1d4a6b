#pragma once

#include "runtime/dns/name.hpp"

#include <algorithm>

namespace gnomon::dns {

/// Writes a message into a buffer of fixed size. What does not fit is not written, and `full()` says so from then on.
class writer {
public:
  writer(std::span<uint8_t> buffer, size_t limit) : buffer_(buffer), limit_(std::min(limit, buffer.size())) {}

  void u8(uint8_t value) {
    if (reserve(1))
      buffer_[at_++] = value;
  }
  void u16(uint16_t value) {
    if (!reserve(2))
      return;
    buffer_[at_++] = static_cast<uint8_t>(value >> 8);
    buffer_[at_++] = static_cast<uint8_t>(value);
  }
  void u32(uint32_t value) {
    u16(static_cast<uint16_t>(value >> 16));
    u16(static_cast<uint16_t>(value));
  }
  void bytes(bytes_view data) {
    if (!reserve(data.size()))
      return;
    std::copy(data.begin(), data.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += data.size();
  }
  void text(std::string_view data) {
    bytes({reinterpret_cast<const uint8_t*>(data.data()), data.size()});
  }

  /// Overwrites two bytes that are there already.
  void put_u16(size_t at, uint16_t value) {
    buffer_[at] = static_cast<uint8_t>(value >> 8);
    buffer_[at + 1] = static_cast<uint8_t>(value);
  }
  /// Writes a length of two bytes at `at`, which counts what follows them.
  void close_length(size_t at) {
    if (!full_)
      put_u16(at, static_cast<uint16_t>(at_ - at - 2));
  }

  size_t size() const {
    return at_;
  }
  size_t room() const {
    return limit_ - at_;
  }
  bool full() const {
    return full_;
  }
  /// Forgets what was written from `at` on.
  void rewind(size_t at) {
    at_ = at;
    full_ = false;
  }
  void set_limit(size_t limit) {
    limit_ = std::min(limit, buffer_.size());
  }

private:
  bool reserve(size_t count) {
    full_ = full_ || at_ + count > limit_;
    return !full_;
  }

  std::span<uint8_t> buffer_;
  size_t limit_;
  size_t at_ = 0;
  bool full_ = false;
};

} // namespace gnomon::dns
