// gnomon-replay: plays a trace of reads to a cluster and reports how it did. `gnomon-replay --help` explains.
#include "gnomon/version.hpp"
#include "runtime/base/process.hpp"
#include "runtime/replay/run.hpp"

int main(int argc, char** argv) {
  gnomon::begin_process();
  if (argc == 2 && gnomon::asks_for_version(argv[1]))
    return gnomon::print_version("gnomon-replay", gnomon::version);
  return gnomon::replay::replay_main({argv + 1, argv + argc});
}
