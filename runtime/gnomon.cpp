#include "runtime/base/process.hpp"
#include "runtime/shell/shell.hpp"

int main(int argc, char** argv) {
  gnomon::begin_process();
  return gnomon::shell::run({argv + 1, argv + argc});
}
