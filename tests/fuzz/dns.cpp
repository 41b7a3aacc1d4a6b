// Questions to the DNS server; ldns must be able to read each answer.
#include "tests/dns/world.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

using namespace dns::test;

world& the_world() {
  static world one;
  static const auto filled = (one.put("news/1", 1), one.put("a", 6, one.now + 30), true);
  require(filled, "the world is filled");
  return one;
}

void ask(std::string_view input, bool tcp) {
  auto& asked = the_world();
  asked.from.tcp = tcp;
  const message question{input.begin(), input.end()};
  const auto answer = asked.answer(question);
  if (answer.empty())
    return;
  require(tcp || answer.size() <= asked.config.udp_bytes, "an answer over UDP has its bound");
  require((answer[2] & 0x80) != 0, "an answer says that it is one");
  require(parse(answer) != nullptr, "an answer can be read");
}

void read(std::string_view input) {
  ask(input, false);
  ask(input, true);
}

std::string text_of(const question& asked) {
  const auto bytes = bytes_of(asked);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> examples() {
  using namespace dns;
  return {text_of({.name = world::host("news/1")}),
          text_of({.name = world::host("a"), .qtype = type::https, .options = subnet_option("10.1.2.0/24")}),
          text_of({.name = "g.example", .qtype = type::soa, .edns = false}),
          text_of({.name = "g.example", .qtype = type::any}),
          text_of({.name = "eu.g.example", .qtype = type::aaaa, .payload = 512}),
          text_of({.name = "big.g.example", .qtype = type::txt, .payload = 512}),
          text_of({.name = "www.g.example", .options = option_bytes(10, {1, 2, 3, 4, 5, 6, 7, 8})}),
          text_of({.name = "none.g.example", .options = option_bytes(3, {})}),
          text_of({.name = "elsewhere.org", .qclass = 3, .version = 1})};
}

const listed this_target{"dns", read, examples};

} // namespace
} // namespace gnomon::fuzz
