#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gnomon {

/// What memory is for. `/metrics` adds what it can count itself.
enum class memory_part : uint8_t { catalog, comparison, prediction, store, dns, count_ };

/// How many bytes each part of a node takes, about, as its owners said it last. Any thread.
class memory_use {
public:
  uint64_t of(memory_part part) const {
    return bytes_[static_cast<size_t>(part)].load(std::memory_order_relaxed);
  }

  /// What one owner has of a part. It no longer counts when the owner goes.
  class share {
  public:
    share() = default;
    share(memory_use& all, memory_part part) : counter_(&all.bytes_[static_cast<size_t>(part)]) {}
    share(share&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)), bytes_(other.bytes_) {}
    share& operator=(share&& other) noexcept {
      std::swap(counter_, other.counter_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~share() {
      set(0);
    }
    void set(uint64_t bytes) {
      if (counter_ != nullptr)
        counter_->fetch_add(bytes - std::exchange(bytes_, bytes), std::memory_order_relaxed); // modulo 2^64
    }

  private:
    std::atomic<uint64_t>* counter_ = nullptr;
    uint64_t bytes_ = 0;
  };

private:
  std::array<std::atomic<uint64_t>, static_cast<size_t>(memory_part::count_)> bytes_{};
};

} // namespace gnomon
