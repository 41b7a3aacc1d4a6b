#pragma once

#include "gnomon/error.hpp"

#include <caf/test/dsl.hpp>

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

/// The code of the `failure` that `f` throws; no code when it throws none.
template <class F>
ec code_from(F f) {
  try {
    f();
  } catch (const failure& e) {
    CAF_MESSAGE(e.what());
    return e.code();
  }
  return ec{};
}

} // namespace gnomon::testing
