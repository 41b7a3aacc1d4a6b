#define CAF_SUITE token
#include "runtime/access/token.hpp"

#include <caf/test/dsl.hpp>

#include <set>

using namespace gnomon;

CAF_TEST(a_new_token_opens_with_its_own_secret_alone) {
  const auto a = make_token(), b = make_token();
  const auto parts = parse_token(a.text);
  CAF_REQUIRE(parts);
  CAF_CHECK_EQUAL(parts->id, a.id);
  CAF_CHECK(is_secret_of(a.hash, parts->secret));
  CAF_CHECK(!is_secret_of(b.hash, parts->secret));
  auto changed = std::string{parts->secret};
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  CAF_CHECK(!is_secret_of(a.hash, changed));
  CAF_CHECK(!is_secret_of(a.hash, ""));
  CAF_CHECK(a.id != b.id);
  CAF_CHECK(a.hash.find(parts->secret) == std::string::npos);
}

CAF_TEST(the_same_secret_has_another_hash_each_time) {
  const auto a = hash_of_secret("x"), b = hash_of_secret("x");
  CAF_CHECK(a != b);
  CAF_CHECK(is_secret_of(a, "x"));
  CAF_CHECK(is_secret_of(b, "x"));
}

CAF_TEST(a_token_is_one_word_that_no_program_has_to_quote) {
  for (int i = 0; i < 3; ++i) {
    const auto text = make_token().text;
    CAF_CHECK(text.starts_with("gnomon_"));
    CAF_CHECK_EQUAL(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
                    std::string::npos);
  }
}

CAF_TEST(other_texts_are_no_tokens) {
  for (std::string_view text : {"", "gnomon_", "gnomon_0123456789abcdef", "gnomon_0123456789abcdef_",
                                "Gnomon_0123456789abcdef_x", "gnomon-0123456789abcdef-x", "0123456789abcdef_x"})
    CAF_CHECK(!parse_token(text));
  CAF_CHECK(!parse_token("gnomon_0123456789abcdef_" + std::string(1000, 'x')));
}

CAF_TEST(scrypt_gives_what_its_standard_says) { // RFC 7914, section 12, the second vector
  const auto hash = "scrypt$10$8$16$TmFDbA==$"
                    "/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIu"
                    "rzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA==";
  CAF_CHECK(is_secret_of(hash, "password"));
  CAF_CHECK(!is_secret_of(hash, "passwort"));
}

CAF_TEST(a_hash_that_cannot_be_read_opens_nothing) {
  for (std::string_view hash :
       {"", "scrypt", "scrypt$14$8$1$$", "argon2$14$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$0$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==", "scrypt$40$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$14$8$1$AAAA$AAAA", "scrypt$20$64$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA=="})
    CAF_CHECK(!is_secret_of(hash, ""));
}
