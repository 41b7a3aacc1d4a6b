#include "learning/blas_kernel.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace gnomon::learning {

namespace {

constexpr const char* core_type = "OPENBLAS_CORETYPE";
constexpr const char* thread_count = "OPENBLAS_NUM_THREADS";

} // namespace

std::string best_blas_kernel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return "Haswell";
#endif
  return {};
}

void choose_blas_kernel(char** argv) {
  auto best = best_blas_kernel();
  if (best.empty() || std::getenv(core_type) != nullptr)
    return;
  setenv(core_type, best.c_str(), 1);
  // One thread: the matrices are small, and the readers need the other cores.
  setenv(thread_count, "1", 0);
  std::error_code failed;
  if (auto program = std::filesystem::read_symlink("/proc/self/exe", failed); !failed)
    execv(program.c_str(), argv);
}

std::string blas_warning() {
  auto best = best_blas_kernel();
  auto chosen = std::getenv(core_type);
  if (best.empty() || (chosen != nullptr && *chosen != '\0'))
    return {};
  return std::string{core_type}
         + " is not set: training may run ten times slower than it could; start the program with " + core_type + "="
         + best + " and " + thread_count + "=1 in its environment";
}

} // namespace gnomon::learning
