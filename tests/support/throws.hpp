#pragma once

namespace gnomon::testing {

/// True when `f` throws an `E`.
template <class E, class F>
bool throws(F f) {
  try {
    f();
  } catch (const E&) {
    return true;
  }
  return false;
}

} // namespace gnomon::testing
