// The entry point of every test program; the suites come from the files beside it.
#define CAF_TEST_NO_MAIN
#include "runtime/base/log.hpp"

#include <caf/test/unit_test_impl.hpp>

int main(int argc, char** argv) {
  gnomon::log::start("", "info");
  return caf::test::main(argc, argv);
}
