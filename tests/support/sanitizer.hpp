#pragma once

/// For tests that bound time or memory: what the sanitizer costs with which they were built.
namespace gnomon::test {

#if defined(__SANITIZE_THREAD__)
constexpr int sanitizer_slowdown = 20;
constexpr bool sanitizer_takes_memory = true; // it keeps who has touched each byte
#elif defined(__SANITIZE_ADDRESS__)
constexpr int sanitizer_slowdown = 5;
constexpr bool sanitizer_takes_memory = false; // CMakePresets.json bounds what it holds back
#else
constexpr int sanitizer_slowdown = 1;
constexpr bool sanitizer_takes_memory = false;
#endif

} // namespace gnomon::test
