#pragma once

#include <functional>

namespace gnomon::learning {

/// The progress of a training, and its quality so far.
struct training_progress {
  double share = 0;             // of the work, 0 to 1
  double loss = 0;              // of the network or ranker being trained: mean negative log-likelihood, in nats
  double events_per_second = 0; // of the network, while it trains
  double seconds_left = 0;      // zero: not known
};
/// Called every few hundred milliseconds of a training; false ends it. It may sleep, to leave the processor to others.
using training_listener = std::function<bool(const training_progress&)>;

} // namespace gnomon::learning
