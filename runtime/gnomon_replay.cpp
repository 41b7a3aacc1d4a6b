// gnomon-replay: plays a trace of reads to a cluster and reports how it did. `gnomon-replay --help` explains.
#include "runtime/base/process.hpp"
#include "runtime/replay/run.hpp"

int main(int argc, char** argv) {
  gnomon::begin_process();
  return gnomon::replay::replay_main({argv + 1, argv + argc});
}
