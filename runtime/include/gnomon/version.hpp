#pragma once

#include "gnomon/abi.hpp"

#include <string_view>

#define GNOMON_VERSION_MAJOR 0
#define GNOMON_VERSION_MINOR 1
#define GNOMON_VERSION_PATCH 0

namespace gnomon::inline GNOMON_ABI {

inline constexpr std::string_view version = "0.1.0";

} // namespace gnomon::inline GNOMON_ABI
