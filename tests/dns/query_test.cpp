#define CAF_SUITE query
#include "runtime/dns/query.hpp"

#include "runtime/dns/edns.hpp"
#include "tests/dns/messages.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon::dns;
using namespace gnomon::dns::test;

namespace {

reading read(const message& bytes) {
  query asked;
  return parse_query(bytes, asked);
}

// ldns also takes what we leave out on purpose: compressed names in the question, and bytes behind the message. Writing
// what it read shows both.
message again(const packet& read) {
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (ldns_pkt2wire(&bytes, read.get(), &size) != LDNS_STATUS_OK)
    return {};
  message copy(bytes, bytes + size);
  std::free(bytes);
  return copy;
}

bool is_question_for_ldns(const message& bytes) {
  const auto parsed = parse(bytes);
  if (!parsed || ldns_pkt_qr(parsed.get()) || ldns_pkt_get_opcode(parsed.get()) != LDNS_PACKET_QUERY)
    return false;
  const auto counted = [&](size_t at) { return bytes[at] << 8 | bytes[at + 1]; };
  if (counted(4) != 1 || counted(6) != 0 || counted(8) != 0 || counted(10) > 1)
    return false;
  if (counted(10) == 1 && !ldns_pkt_edns(parsed.get()))
    return false;
  return again(parsed).size() == bytes.size();
}

message random_question(std::mt19937& random) {
  question asked;
  for (auto labels = random() % 6; labels > 0; --labels)
    asked.name +=
        (asked.name.empty() ? "" : ".") + std::string(1 + random() % 20, static_cast<char>('a' + random() % 26));
  asked.qtype = static_cast<uint16_t>(random() % 70);
  asked.edns = random() % 4 != 0;
  for (auto options = random() % 3; options > 0; --options)
    asked.options = asked.options + option_bytes(static_cast<uint16_t>(random() % 16), message(random() % 12, 7));
  return bytes_of(asked);
}

// The kinds of damage that parsers get wrong: single bits, lengths, cuts, more, pieces of itself.
void mutate(message& bytes, std::mt19937& random) {
  const auto at = random() % bytes.size();
  switch (random() % 6) {
  case 0:
    bytes[at] ^= static_cast<uint8_t>(1 << random() % 8);
    break;
  case 1:
    bytes[at] = static_cast<uint8_t>(random());
    break;
  case 2:
    bytes.resize(at);
    break;
  case 3:
    bytes.push_back(static_cast<uint8_t>(random()));
    break;
  case 4:
    bytes.insert(bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
    break;
  default:
    bytes[at] = random() % 2 == 0 ? 0xc0 : 0x3f;
    break;
  }
}

} // namespace

CAF_TEST(a_question_is_read_in_all_its_parts) {
  question asked{.name = "AbC.Example", .qtype = type::https, .payload = 4096, .options = {0, 3, 0, 0}};
  const auto bytes = bytes_of(asked);
  query found;
  CAF_REQUIRE(parse_query(bytes, found) == reading::good);
  CAF_CHECK_EQUAL(found.id, 0x1234);
  CAF_CHECK(found.recursion_desired);
  CAF_CHECK_EQUAL(found.qtype, type::https);
  CAF_CHECK_EQUAL(found.qclass, class_in);
  CAF_CHECK_EQUAL(to_text(found.from_label(0)), "abc.example");
  CAF_CHECK_EQUAL(to_text(found.from_label(1)), "example");
  CAF_CHECK_EQUAL(to_text(found.from_label(2)), ".");
  CAF_CHECK_EQUAL(found.label_count, 2);
  CAF_CHECK_EQUAL(found.question.size(), 17u);
  CAF_REQUIRE(found.opt);
  CAF_CHECK_EQUAL(found.opt->payload, 4096);
  CAF_CHECK_EQUAL(found.opt->options.size(), 4u);
}

CAF_TEST(responses_and_rests_get_no_answer) {
  auto bytes = bytes_of({.name = "a.example"});
  bytes[2] |= 0x80;
  CAF_CHECK(read(bytes) == reading::silence);
  for (size_t size = 0; size < header_size; ++size)
    CAF_CHECK(read(message(size, 0)) == reading::silence);
}

CAF_TEST(other_opcodes_are_told_apart) {
  auto bytes = bytes_of({.name = "a.example"});
  for (auto opcode : {1, 2, 4, 5, 6, 15}) {
    bytes[2] = static_cast<uint8_t>(opcode << 3);
    query found;
    CAF_CHECK(parse_query(bytes, found) == reading::no_query);
    CAF_CHECK_EQUAL(found.opcode, opcode);
  }
}

CAF_TEST(names_may_have_255_bytes_and_no_more) {
  const std::string label(63, 'x');
  const auto longest = label + '.' + label + '.' + label + '.' + std::string(61, 'y');
  CAF_CHECK(read(bytes_of({.name = longest})) == reading::good);
  CAF_CHECK(read(bytes_of({.name = longest + "y"})) == reading::malformed);
  CAF_CHECK(read(bytes_of({.name = "a." + longest})) == reading::malformed);
  std::string most_labels = "a";
  for (int i = 1; i < 127; ++i)
    most_labels += ".a";
  CAF_CHECK(read(bytes_of({.name = most_labels})) == reading::good);
}

CAF_TEST(compressed_questions_and_further_records_are_malformed) {
  message pointer{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
  CAF_CHECK(read(pointer) == reading::malformed);
  const auto good = bytes_of({.name = "a.example", .edns = false});
  for (const size_t at : {5, 7, 9}) {
    auto counted = good;
    counted[at] ^= 1;
    CAF_CHECK(read(counted) == reading::malformed);
  }
  CAF_CHECK(read(good + message{0}) == reading::malformed);
}

CAF_TEST(what_is_a_question_for_ldns_is_one_for_us_and_nothing_else) {
  std::mt19937 random(20);
  size_t good = 0;
  size_t bad = 0;
  for (int round = 0; round < 200'000; ++round) {
    auto bytes = random_question(random);
    for (auto times = random() % 4; times > 0 && !bytes.empty(); --times)
      mutate(bytes, random);
    if (bytes.size() < header_size)
      bytes.resize(header_size);
    const auto ours = read(bytes) == reading::good;
    if (ours != is_question_for_ldns(bytes)) {
      std::string hex;
      for (const auto byte : bytes)
        hex += "0123456789abcdef"[byte >> 4], hex += "0123456789abcdef"[byte & 15];
      CAF_FAIL("we " << (ours ? "take" : "refuse") << " what ldns does not: " << hex);
    }
    ++(ours ? good : bad);
  }
  CAF_CHECK(good > 20'000 && bad > 20'000);
}

CAF_TEST(options_are_whole_for_us_when_they_are_for_ldns) {
  std::mt19937 random(27);
  size_t good = 0;
  for (int round = 0; round < 50'000; ++round) {
    message options;
    for (auto count = 1 + random() % 3; count > 0; --count) {
      auto one = option_bytes(static_cast<uint16_t>(20 + random() % 9), message(random() % 9, 20));
      if (random() % 4 == 0)
        one[3] = static_cast<uint8_t>(random() % 12); // a length that may be wrong
      options = options + one;
    }
    options.resize(options.size() - random() % 3 % options.size());
    const auto parsed = parse(bytes_of({.name = "a.example", .options = options}));
    CAF_REQUIRE(parsed);
    const auto ours = read_options(options).has_value();
    const auto theirs = ldns_pkt_edns_get_option_list(parsed.get()) != nullptr;
    if (ours != theirs)
      CAF_FAIL("ldns differs in round " << round);
    good += ours ? 1 : 0;
  }
  CAF_CHECK(good > 5'000);
}
