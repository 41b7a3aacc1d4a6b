#include "learning/base/blas_kernel.hpp"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <string_view>
#include <strings.h>
#include <system_error>
#include <unistd.h>

namespace gnomon::learning {

namespace {

constexpr const char* core_type = "OPENBLAS_CORETYPE";
constexpr const char* thread_count = "OPENBLAS_NUM_THREADS";

/// Newer kernels than the one we would choose are as good.
bool serves(std::string_view kernel, std::string_view best) {
  auto same = [&](std::string_view name) {
    return kernel.size() == name.size() && strncasecmp(kernel.data(), name.data(), name.size()) == 0;
  };
  constexpr std::string_view wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"}, narrow[] = {"Haswell", "Zen"};
  return std::any_of(std::begin(wide), std::end(wide), same)
         || (best == "Haswell" && std::any_of(std::begin(narrow), std::end(narrow), same));
}

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
  if (best.empty())
    return {};
  // Asked of the library itself: the environment says only what someone wished for.
  auto running = reinterpret_cast<char* (*)()>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  if (running == nullptr)
    return "the BLAS in use is not OpenBLAS: training takes about fifteen times as long; install libopenblas0-pthread";
  std::string kernel = running();
  if (serves(kernel, best))
    return {};
  return "OpenBLAS runs its " + kernel + " kernel: training takes up to ten times as long; start the program with "
         + core_type + "=" + best + " and " + thread_count + "=1 in its environment";
}

} // namespace gnomon::learning
