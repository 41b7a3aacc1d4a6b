#pragma once

#include "runtime/replay/trace.hpp"

#include <vector>

namespace gnomon::replay {

/// How fast a trace is played.
struct pace {
  double time_scale = 1;       // seconds of the trace in one second here
  double pass_seconds = 0;     // how long the trace itself then takes
  double baseline_seconds = 0; // how long it then takes when all reads go to the origin
};

/// The default speed. `origin_ms` is the mean time of an answer if all came from the origin. The result is the fastest
/// speed at which 64 open requests and two cores carry the origin-only pass with hardly a read late. When all three
/// passes would then take over nine minutes, it is the speed at which they take nine. Never slower than the trace
/// itself. `reads` are sorted by time; `mean_bytes` is the size of their answers.
pace choose_pace(const std::vector<trace_read>& reads, double origin_ms, double mean_bytes = 0);

/// The same figures for a speed that the user chose.
pace given_pace(double time_scale, const std::vector<trace_read>& reads, double origin_ms, double mean_bytes = 0);

/// The most that a read waits beyond its time, in seconds, when the whole trace is played in `pass_seconds` to a
/// cluster that serves `reads_per_second`.
double worst_wait(const std::vector<trace_read>& reads, double pass_seconds, double reads_per_second);

} // namespace gnomon::replay
