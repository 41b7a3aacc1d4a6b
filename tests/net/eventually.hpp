#pragma once

#include "runtime/base/clock.hpp"

#include <chrono>
#include <thread>

namespace gnomon::test {

using namespace std::chrono_literals;

/// True as soon as `condition` holds; false when it does not within `bound`.
template <class F>
bool eventually(F condition, duration bound = 10s) {
  auto end = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

} // namespace gnomon::test
