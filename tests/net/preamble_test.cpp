#define CAF_SUITE preamble
#include "runtime/net/preamble.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

node_identity somebody() {
  return {"c", "node-1", "eu-central-1", "127.0.0.1:7100", 42, 43, 50.1, -8.7};
}

std::string body_of(const std::string& envelope) {
  return envelope.substr(preamble_head_bytes);
}

} // namespace

CAF_TEST(a_caller_and_a_greeting_come_out_as_they_went_in) {
  auto bytes = encode_caller({somebody(), 77, 3});
  auto length = body_length(bytes.substr(0, preamble_head_bytes)); // the macro keeps references
  CAF_CHECK_EQUAL(*length, bytes.size() - preamble_head_bytes);
  auto who = decode_caller(body_of(bytes));
  CAF_REQUIRE(who);
  CAF_CHECK_EQUAL(who->who.node, "node-1");
  CAF_CHECK_EQUAL(who->who.start, 43u);
  CAF_CHECK(who->who.longitude == -8.7);
  CAF_CHECK_EQUAL(who->connection, 77u);
  CAF_CHECK_EQUAL(who->move, 3u);
  auto answer = decode_greeting(body_of(encode_greeting({reception::refused, "no", somebody()})));
  CAF_REQUIRE(answer);
  CAF_CHECK(answer->verdict == reception::refused);
  CAF_CHECK_EQUAL(answer->sentence, "no");
  CAF_CHECK_EQUAL(answer->from.address, "127.0.0.1:7100");
}

CAF_TEST(every_truncation_and_every_flipped_length_is_refused_without_harm) {
  auto body = body_of(encode_greeting({reception::busy, "later", somebody()}));
  for (size_t n = 0; n < body.size(); ++n)
    CAF_CHECK(!decode_greeting(body.substr(0, n)));
  CAF_CHECK(!decode_greeting(body + "x"));
  for (size_t i = 0; i < body.size(); ++i) {
    auto bad = body;
    bad[i] = static_cast<char>(0xFF);
    static_cast<void>(decode_greeting(bad)); // must not crash; may be readable when it hits a number
  }
}

CAF_TEST(strangers_other_formats_and_impossible_lengths_are_refused) {
  CAF_CHECK(!body_length("GET / HTT"));
  CAF_CHECK(!body_length(std::string("GNOMON\x03\x10\x00", 9)));
  CAF_CHECK(!body_length(std::string("GNOMON\x02\x00\x00", 9)));
  CAF_CHECK(!body_length(std::string("GNOMON\x02\xFF\xFF", 9)));
  CAF_CHECK(!body_length(""));
}

CAF_TEST(names_that_are_empty_or_hold_control_characters_are_refused) {
  auto with_node = [](std::string name) {
    auto who = somebody();
    who.node = std::move(name);
    return body_of(encode_caller({who, 1, 0}));
  };
  CAF_CHECK(decode_caller(with_node("ключ")));
  CAF_CHECK(!decode_caller(with_node("")));
  CAF_CHECK(!decode_caller(with_node("a\nb")));
  CAF_CHECK(!decode_caller(with_node("\xC0\x80")));
}
