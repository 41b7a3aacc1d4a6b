#pragma once

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

/// What a node or a program reads from outside, each as one function of bytes. `gnomon-fuzz TARGET` runs one of them.
namespace gnomon::fuzz {

/// Must return for any bytes, and must not keep anything.
using reader_under_test = void (*)(std::string_view input);
/// Valid inputs, as our own writers make them: where the fuzzer begins.
using example_maker = std::vector<std::string> (*)();

struct target {
  std::string_view name;
  reader_under_test read;
  example_maker examples;
};

inline std::vector<target>& targets() {
  static std::vector<target> all;
  return all;
}

/// `const listed this_target{...};` in a source file is all that a new target needs.
struct listed {
  listed(std::string_view name, reader_under_test read, example_maker examples) {
    targets().push_back({name, read, examples});
  }
};

/// What must hold whatever the bytes say.
inline void require(bool holds, std::string_view what) {
  if (holds)
    return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

} // namespace gnomon::fuzz
