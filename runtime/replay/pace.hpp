#pragma once

#include <cstdint>

namespace gnomon::replay {

/// How fast a trace is played.
struct pace {
  double time_scale = 1;       // seconds of the trace in one second here
  double pass_seconds = 0;     // how long the trace itself then takes
  double baseline_seconds = 0; // the least that the same reads need when all go to the origin
};

/// The default speed for `reads` reads over `span_seconds` whose answers, were they all to come from the origin, would
/// take `origin_ms` on average: fast enough that both passes together take under 9 minutes, if that can be had with 64
/// requests open at once, and no faster than the requests of the origin-only pass can follow, if there is time for
/// that. Never slower than the trace itself.
pace choose_pace(uint64_t reads, double span_seconds, double origin_ms);

/// The same figures for a speed that the user chose.
pace given_pace(double time_scale, uint64_t reads, double span_seconds, double origin_ms);

} // namespace gnomon::replay
