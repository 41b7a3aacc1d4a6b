// What has to happen before the code of libraries runs, in a program that is linked with OpenBLAS: that library reads
// the environment as soon as it is loaded, takes memory for each thread, and waits for ever when a limit refuses it.
//
// The system calls what stands in .preinit_array first of all. The C library is not ready then: there is no memory to
// allocate, no stream, and `getenv` finds nothing. Sanitizers are not ready either; programs with them leave this file
// out, and `main` does the same later.
#include "learning/base/blas_kernel.hpp"
#include "runtime/base/process.hpp"

namespace {

void before_libraries(int, char** argv, char** environment) {
  gnomon::check_limits(argv[0] == nullptr ? "gnomon" : argv[0]);
  gnomon::learning::choose_blas_kernel(argv, environment);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const first)(int, char**, char**) = &before_libraries;

} // namespace
