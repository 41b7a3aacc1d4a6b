#include "runtime/shell/shell.hpp"

int main(int argc, char** argv) {
  return gnomon::shell::run({argv + 1, argv + argc});
}
