#pragma once

#include "runtime/replay/prepare.hpp"
#include "runtime/report/page.hpp"

namespace gnomon::replay {

/// What --report writes of the passes that were played, the last of which it is about.
report::page_data graphic(const prepared& job, const std::vector<named_pass>& passes);

} // namespace gnomon::replay
