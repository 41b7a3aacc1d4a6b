#pragma once

#include <string>

/// Debian 12's OpenBLAS takes new Intel and AMD processors for the oldest it knows and then trains ten times slower.
/// What it should use must be in the environment before the library is loaded.
namespace gnomon::learning {

/// The OpenBLAS kernel for this processor: "SkylakeX" with AVX-512, "Haswell" with AVX2, else "" (leave the choice to
/// it).
std::string best_blas_kernel();

/// First statement of a main: when OPENBLAS_CORETYPE is not set, sets it and OPENBLAS_NUM_THREADS=1 and starts the same
/// program once more, with the same arguments. Returns when nothing had to change or the restart was not possible; what
/// the user set is left alone. Call before any thread is started.
void choose_blas_kernel(char** argv);

/// A sentence when the BLAS of this process runs a slower kernel than the processor allows, or is not OpenBLAS at all,
/// else "". Programs that embed Gnomon have to set OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS themselves.
std::string blas_warning();

} // namespace gnomon::learning
