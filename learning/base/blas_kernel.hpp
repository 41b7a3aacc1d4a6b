#pragma once

#include <string>
#include <string_view>

/// Debian 12's OpenBLAS does not know new Intel and AMD processors, uses its code for very old ones, and trains ten
/// times slower. That of Debian 13 takes 136 MiB of addresses for each core as soon as it is loaded, and waits for ever
/// when a limit refuses them. The right choice must be in the environment before the library is loaded.
namespace gnomon::learning {

/// The OpenBLAS kernel for this processor: "SkylakeX" with AVX-512, "Haswell" with AVX2, else "" (leave the choice to
/// it).
std::string_view best_blas_kernel();

/// Sets OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS=1 where they are not set, and starts the same program again with the
/// same arguments. Returns when nothing had to change, or when the restart was not possible. A value that the user has
/// set stays. Call it before any thread starts. It asks nothing of libraries that have not begun yet.
void choose_blas_kernel(char** argv, char** environment);

/// A sentence when this process's BLAS runs a slower kernel than the processor allows, or is not OpenBLAS at all; else
/// "". Programs that embed Gnomon have to set OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS themselves.
std::string blas_warning();

} // namespace gnomon::learning
