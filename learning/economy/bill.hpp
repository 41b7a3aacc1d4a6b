#pragma once

#include <algorithm>
#include <cstdint>

namespace gnomon::learning {

/// What the reads of some time have come to, in US dollars.
struct bill {
  double moved_usd = 0;   // values sent to another region: to answer, to make a copy, to update one
  double stored_usd = 0;  // copies held
  double latency_usd = 0; // readers' waiting

  double total_usd() const {
    return moved_usd + stored_usd + latency_usd;
  }
};

/// `usd` spent on `reads`, for a million of them.
inline double per_million(double usd, uint64_t reads) {
  return usd / std::max(1.0, static_cast<double>(reads)) * 1e6;
}

} // namespace gnomon::learning
