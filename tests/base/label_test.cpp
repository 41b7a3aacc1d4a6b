#define CAF_SUITE label
#include "runtime/base/label.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <cctype>

using namespace gnomon;

// Computed by Python: base64.b32hexencode(hashlib.sha256(id).digest()[:20]).lower()
CAF_TEST(a_label_is_base32hex_of_the_first_twenty_bytes_of_the_hash) {
  CAF_CHECK_EQUAL(label_of("a"), "pabo24ma3euslum266ppk8us9mjodrvo");
  CAF_CHECK_EQUAL(label_of(""), "seoc8gkovge196nruj49irtp4gjqsgf4");
  CAF_CHECK_EQUAL(label_of("photos/cat.jpg"), "jh3h44bd3gc7eoir71rpjk31g1gdq6up");
}

CAF_TEST(a_label_reads_back_in_either_case) {
  for (int i = 0; i < 1000; ++i) {
    const auto id = "item/" + std::to_string(i);
    auto text = label_of(id);
    CAF_CHECK_EQUAL(text.size(), label_text_size);
    CAF_CHECK(parse_label(text) == label_bytes_of(id));
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    CAF_CHECK(parse_label(text) == label_bytes_of(id));
  }
}

CAF_TEST(what_is_not_32_digits_is_no_label) {
  const auto good = label_of("a");
  CAF_CHECK(!parse_label(""));
  CAF_CHECK(!parse_label(good.substr(1)));
  CAF_CHECK(!parse_label(good + "0"));
  for (auto bad : {'w', 'W', 'z', '-', '.', '=', '/', ':', '@', '[', '`', '{', '\0', '\xff'})
    CAF_CHECK(!parse_label(good.substr(0, 31) + bad));
}
