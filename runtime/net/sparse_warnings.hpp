#pragma once

#include "runtime/base/log.hpp"

#include <chrono>
#include <map>
#include <string>

namespace gnomon {

/// Warnings that strangers can cause at will: of each kind at most one line a second, with the number of those left
/// out, so that nobody fills the disk with them. Not thread-safe.
class sparse_warnings {
public:
  explicit sparse_warnings(std::string component) : component_(std::move(component)) {}

  void warn(const std::string& event, const std::string& from, const std::string& reason) {
    const auto now = std::chrono::steady_clock::now();
    auto& kind = kinds_[event];
    if (now < kind.next) {
      ++kind.left_out;
      return;
    }
    kind.next = now + std::chrono::seconds{1};
    log::warn(component_, event, {{"from", from}, {"reason", reason}, {"left_out", std::exchange(kind.left_out, 0)}});
  }

private:
  struct kind {
    std::chrono::steady_clock::time_point next;
    uint64_t left_out = 0;
  };
  std::string component_;
  std::map<std::string, kind> kinds_;
};

} // namespace gnomon
