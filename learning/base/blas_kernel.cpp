#include "learning/base/blas_kernel.hpp"

#include <algorithm>
#include <alloca.h>
#include <climits>
#include <cstring>
#include <dlfcn.h>
#include <strings.h>
#include <unistd.h>

namespace gnomon::learning {

namespace {

constexpr const char* core_type = "OPENBLAS_CORETYPE";
constexpr const char* thread_count = "OPENBLAS_NUM_THREADS";

/// The best kernel as the environment says it; null: unknown.
const char* best_core_type() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq"))
    return "OPENBLAS_CORETYPE=SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return "OPENBLAS_CORETYPE=Haswell";
#endif
  return nullptr;
}

/// `getenv` knows no environment yet before the code of libraries has run.
bool is_set(char** environment, const char* name) {
  const auto length = std::strlen(name);
  for (auto each = environment; *each != nullptr; ++each)
    if (std::strncmp(*each, name, length) == 0 && (*each)[length] == '=')
      return true;
  return false;
}

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

std::string_view best_blas_kernel() {
  const auto* best = best_core_type();
  return best == nullptr ? std::string_view{} : std::strchr(best, '=') + 1;
}

void choose_blas_kernel(char** argv, char** environment) {
  const auto* kernel = is_set(environment, core_type) ? nullptr : best_core_type();
  // One thread: the matrices are small, and the readers need the other cores.
  const auto* threads = is_set(environment, thread_count) ? nullptr : "OPENBLAS_NUM_THREADS=1";
  if (kernel == nullptr && threads == nullptr)
    return;
  char program[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", program, sizeof program);
  if (length <= 0 || length >= PATH_MAX)
    return;
  program[length] = '\0';
  size_t count = 0;
  while (environment[count] != nullptr)
    ++count;
  auto** changed = static_cast<char**>(alloca((count + 3) * sizeof(char*)));
  auto end = std::copy_n(environment, count, changed);
  for (const auto* each : {kernel, threads})
    if (each != nullptr)
      *end++ = const_cast<char*>(each); // which only C's interface asks for
  *end = nullptr;
  ::execve(program, argv, changed);
}

std::string blas_warning() {
  const std::string best{best_blas_kernel()};
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
