#define CAF_SUITE host_port
#include "runtime/base/host_port.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(host_and_port_read_back_as_they_were_written) {
  for (auto text : {"127.0.0.1:7101", "[::1]:7101", "[::]:0", "node-b.example.com:65535", "localhost:1"}) {
    auto where = parse_host_port(text);
    CAF_REQUIRE(where);
    CAF_CHECK_EQUAL(to_string(*where), text);
  }
  CAF_CHECK((*parse_host_port("[2001:db8::1]:80") == host_port{"2001:db8::1", 80}));
  CAF_CHECK_EQUAL(to_string(host_port{}), "");
}

CAF_TEST(what_is_not_host_and_port_is_refused) {
  for (auto bad : {"",      ":",     "a",    ":1",    "a:",  "a:b",      "a:-1",      "a:+1",      "a:65536",
                   "a:1 ",  " a:1",  "[]:1", "[::1]", "::1", "::1:7101", "[::1:7101", "::1]:7101", "[127.0.0.1]:1",
                   "a/b:1", "u@a:1", "a:1/"})
    CAF_CHECK(!parse_host_port(bad));
}
