#define CAF_SUITE proxy_header
#include "runtime/base/proxy_header.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;

namespace {

struct outcome {
  bool complete = false, broken = false;
  std::string source; // "-": the proxy speaks for itself
  size_t taken = 0;   // bytes, of which none is beyond the header
};

outcome read(std::string_view bytes, size_t at_most = SIZE_MAX) {
  proxy_header header;
  outcome found;
  while (const auto wanted = std::min(header.wanted(), at_most)) {
    if (bytes.size() - found.taken < wanted)
      return found;
    header.take(bytes.substr(found.taken, wanted));
    found.taken += wanted;
  }
  found.complete = !header.broken();
  found.broken = header.broken();
  found.source = header.source() ? to_string(*header.source()) : "-";
  return found;
}

std::string binary(uint8_t version_and_command, uint8_t family, std::string_view rest) {
  std::string bytes{"\r\n\r\n\0\r\nQUIT\n", 12};
  bytes += static_cast<char>(version_and_command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xFF);
  return bytes.append(rest);
}

const std::string ipv4{"\xC0\x00\x02\x07\xC6\x33\x64\x01\xDC\x04\x01\xBB", 12};
const std::string ipv6 =
    std::string("\x20\x01\x0D\xB8", 4) + std::string(11, '\0') + "\x07" + std::string(16, '\1') + std::string(4, '\2');

} // namespace

CAF_TEST(the_text_form_names_who_has_connected_to_the_proxy) {
  CAF_CHECK_EQUAL(read("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET /").source, "192.0.2.7");
  CAF_CHECK_EQUAL(read("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n").source, "2001:db8::7");
  CAF_CHECK_EQUAL(read("PROXY UNKNOWN\r\n").source, "-");
  CAF_CHECK_EQUAL(read("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").source, "-");
  CAF_CHECK(read("PROXY UNKNOWN\r\n").complete);
}

CAF_TEST(the_binary_form_names_who_has_connected_to_the_proxy) {
  CAF_CHECK_EQUAL(read(binary(0x21, 0x11, ipv4)).source, "192.0.2.7");
  CAF_CHECK_EQUAL(read(binary(0x21, 0x21, ipv6)).source, "2001:db8::7");
  CAF_CHECK_EQUAL(read(binary(0x21, 0x11, ipv4 + std::string(300, 'x'))).source, "192.0.2.7"); // further fields
  CAF_CHECK_EQUAL(read(binary(0x20, 0x11, ipv4)).source, "-");                                 // a check by the proxy
  CAF_CHECK_EQUAL(read(binary(0x21, 0x00, "")).source, "-");
  CAF_CHECK_EQUAL(read(binary(0x21, 0x31, std::string(216, 'u'))).source, "-"); // a Unix socket
}

CAF_TEST(no_byte_behind_the_header_is_asked_for) {
  for (const std::string& header : {std::string{"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"},
                                    binary(0x21, 0x11, ipv4), binary(0x20, 0x00, "")}) {
    CAF_CHECK_EQUAL(read(header + "\x16\x03\x01").taken, header.size());
    const auto in_pieces = read(header + "GET /", 5);
    CAF_CHECK(in_pieces.complete);
    CAF_CHECK_EQUAL(in_pieces.taken, header.size());
    CAF_CHECK(!read(header.substr(0, header.size() - 1)).complete);
    CAF_CHECK(!read(header.substr(0, header.size() - 1)).broken);
  }
}

CAF_TEST(what_is_no_header_is_refused) {
  for (const std::string& bytes :
       {std::string{"GET / HTTP/1.1\r\n\r\n"}, std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\x00", 12},
        std::string{"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n"},
        std::string{"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n"},
        std::string{"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n"},
        std::string{"PROXY TCP4 192.0.2.7 198.51.100.1 70000 443\r\n"},
        std::string{"PROXY TCP4 192.0.2 198.51.100.1 1 443\r\n"}, std::string{"PROXY  TCP4 192.0.2.7 1.2.3.4 1 2\r\n"},
        "PROXY TCP4 " + std::string(200, '1'), binary(0x11, 0x11, ipv4), binary(0x22, 0x11, ipv4),
        binary(0x21, 0x11, ipv4.substr(0, 11)), binary(0x21, 0x21, ipv4)})
    if (!read(bytes).broken)
      CAF_ERROR("accepted: " << bytes);
}
