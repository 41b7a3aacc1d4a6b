#define CAF_SUITE base64
#include "runtime/base/base64.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

CAF_TEST(base64_reads_back_every_length_and_byte) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    CAF_CHECK_EQUAL(base64_decode(base64_encode(bytes)).value_or("?"), bytes);
    bytes += static_cast<char>(i * 7);
  }
  CAF_CHECK_EQUAL(base64_encode("hello"), "aGVsbG8=");
  CAF_CHECK_EQUAL(base64_decode("aGVsbG8").value_or("?"), "hello");
}

CAF_TEST(base64_that_no_encoder_writes_is_refused) {
  for (auto bad : {"a", "a===", "aGVsbG8==", "aG V", "aGVsbG9=x", "aGVsbG-_", "aGVsbG9"})
    CAF_CHECK(!base64_decode(bad));
}
