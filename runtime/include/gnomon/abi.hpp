#pragma once

#if __cplusplus < 202002L
#error                                                                                                                 \
    "Gnomon's headers need C++20: compile with -std=c++20. The CMake targets gnomon::gnomon and gnomon::client ask for it."
#endif

/// The binary interface that these headers describe. All public names live in an inline namespace of this name, and the
/// shared libraries export nothing else. So a program that was compiled against another minor version is refused when
/// it is linked, not surprised when it runs.
#define GNOMON_ABI v0_1
