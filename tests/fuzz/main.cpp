// Feeds the targets. With libFuzzer (GNOMON_FUZZ) it looks for new inputs; without, it reads those that are kept.
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

namespace fs = std::filesystem;
using gnomon::fuzz::target;

const target* find(std::string_view name) {
  const auto& all = gnomon::fuzz::targets();
  const auto found = std::find_if(all.begin(), all.end(), [&](const target& t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}

int usage() {
  std::cerr << "usage: gnomon-fuzz TARGET FILE_OR_FOLDER...     read what is kept\n"
               "       gnomon-fuzz TARGET --examples FOLDER     write valid inputs there\n"
               "targets:";
  for (const auto& each : gnomon::fuzz::targets())
    std::cerr << ' ' << each.name;
  std::cerr << std::endl;
  return 2;
}

int write_examples(const target& which, const fs::path& folder) {
  fs::create_directories(folder);
  auto number = 0;
  for (const auto& bytes : which.examples())
    std::ofstream{folder / ("example-" + std::to_string(++number)), std::ios::binary} << bytes;
  return 0;
}

} // namespace

#ifdef GNOMON_LIBFUZZER

namespace {

const target* chosen = nullptr;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->read({reinterpret_cast<const char*>(data), size});
  return 0;
}

// libFuzzer starts itself again without the first argument, for instance to merge corpora.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr auto variable = "GNOMON_FUZZ_TARGET";
  const auto* known = std::getenv(variable);
  chosen = find(*argc > 1 ? (*argv)[1] : "");
  if (chosen && *argc == 4 && std::string_view{(*argv)[2]} == "--examples")
    std::exit(write_examples(*chosen, (*argv)[3]));
  if (chosen) {
    ::setenv(variable, (*argv)[1], 1);
    std::copy(*argv + 2, *argv + *argc, *argv + 1);
    --*argc;
  } else if (!known || !(chosen = find(known))) {
    std::exit(usage());
  }
  return 0;
}

#else

namespace {

std::vector<fs::path> files_in(const fs::path& place) {
  std::vector<fs::path> files;
  if (!fs::is_directory(place))
    return {place};
  for (const auto& entry : fs::directory_iterator{place})
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void read_file(const target& which, const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  // As large as what it holds, so that a sanitizer notices a read behind the end.
  const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    throw std::runtime_error{"cannot read " + file.string()};
  std::cout << file.filename().string() << std::endl; // the last one named is the one that failed
  which.read({bytes.data(), bytes.size()});
}

} // namespace

int main(int argc, char** argv) {
  const auto* which = argc > 2 ? find(argv[1]) : nullptr;
  if (!which)
    return usage();
  if (argc == 4 && std::string_view{argv[2]} == "--examples")
    return write_examples(*which, argv[3]);
  size_t count = 0;
  for (const auto& bytes : which->examples()) {
    which->read(bytes);
    ++count;
  }
  for (auto i = 2; i < argc; ++i)
    for (const auto& file : files_in(argv[i])) {
      read_file(*which, file);
      ++count;
    }
  std::cout << count << " inputs read" << std::endl;
  return 0;
}

#endif
