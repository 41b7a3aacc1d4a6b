#pragma once

#include "runtime/replay/trace.hpp"

namespace gnomon::replay {

struct synthetic_options {
  uint64_t seed = 1;
  uint64_t reads = 8'000;
};

/// One item in so many reads is written again.
inline constexpr uint64_t reads_per_update = 20;

/// The trace of a first run without a file: one virtual day of a news site with readers in five regions (us-east-1,
/// sa-east-1, eu-central-1, ap-south-1, ap-northeast-1). The same options give the same trace on every machine.
///
/// 3,000 readers read 230 stories in 23 topics. These make it matter where copies are:
/// - *Popularity* follows Zipf's law over the stories of a topic and over the topics that a region reads, with a long
///   tail of stories that hardly anybody reads.
/// - *Regional taste*: three topics are read everywhere, each other one in one region.
/// - *Day and night*: a region reads most at 20 h of its own time, five times as much as at 8 h.
/// - *Drift*: every hour each topic's front page moves on by one story. A reader changes one of his two favourite
///   topics about every 40 reads.
/// - *Habits*: a reader takes 7 of 10 stories from his favourite topics, the others from his region's.
/// - *Travel*: one reader in twenty-five spends the middle half of the day in another region, and reads on about home.
/// - *Updates*: after every twenty reads one of the stories that are read just then is written again.
trace synthetic_trace(const synthetic_options& options);

} // namespace gnomon::replay
