#pragma once

#include <atomic>
#include <memory>

namespace gnomon {

/// A value that few threads write and any thread reads without waiting. Readers get the immutable snapshot that was
/// current when they asked. `T` must be default-constructible.
template <class T>
class published {
public:
  published() : current_(std::make_shared<const T>()) {}
  std::shared_ptr<const T> get() const {
    return current_.load(std::memory_order_acquire);
  }
  void set(T next) {
    current_.store(std::make_shared<const T>(std::move(next)), std::memory_order_release);
  }
  /// Publishes a copy that `change` has changed. `change` runs again when another thread was faster.
  template <class F>
  void update(F change) {
    auto seen = current_.load(std::memory_order_acquire);
    for (;;) {
      auto next = std::make_shared<T>(*seen);
      change(*next);
      if (current_.compare_exchange_weak(seen, std::move(next), std::memory_order_acq_rel))
        return;
    }
  }

private:
  std::atomic<std::shared_ptr<const T>> current_;
};

} // namespace gnomon
