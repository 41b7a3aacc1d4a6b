#pragma once

#include <cstdint>
#include <string_view>

namespace gnomon::replay {

/// The size of an item where nothing says it: log-normal, median 64 KiB, sigma 1.5 (in natural logarithms), between 1
/// KiB and 16 MiB; the same for the same name.
uint64_t made_up_bytes(std::string_view item);

} // namespace gnomon::replay
