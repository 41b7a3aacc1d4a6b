#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

namespace gnomon {

/// How far ahead the end of an item may be: about 100 years, in every notation.
inline constexpr std::chrono::seconds longest_expiry{100ll * 366 * 24 * 3600};

inline bool is_too_far(timestamp expires, timestamp now) {
  return expires > now + longest_expiry;
}

} // namespace gnomon
