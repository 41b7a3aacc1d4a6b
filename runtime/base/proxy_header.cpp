#include "runtime/base/proxy_header.hpp"

#include "runtime/base/numbers.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace gnomon {

namespace {

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view text_begin = "PROXY ";
constexpr size_t fixed_bytes = 16; // of the binary form: signature, version and command, family, length
constexpr size_t longest_text = 107;
constexpr uint8_t version_2 = 0x20, command_local = 0x0, command_proxy = 0x1;
constexpr uint8_t over_ipv4 = 0x10, over_ipv6 = 0x20, family_mask = 0xF0;

uint8_t byte_at(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

template <size_t N>
ip_address address_in(std::string_view bytes) {
  std::array<uint8_t, N> raw{};
  std::transform(bytes.begin(), bytes.begin() + N, raw.begin(), [](char c) { return static_cast<uint8_t>(c); });
  return ip_address{raw};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t end = 0; end != line.npos; line.remove_prefix(end == line.npos ? 0 : end + 1)) {
    end = line.find(' ');
    words.push_back(line.substr(0, end));
  }
  return words;
}

bool is_binary(std::string_view bytes) {
  return bytes.substr(0, signature.size()) == signature;
}

size_t length_of_rest(std::string_view bytes) {
  return static_cast<size_t>(byte_at(bytes, 14)) << 8 | byte_at(bytes, 15);
}

} // namespace

size_t proxy_header::wanted() const {
  if (complete_ || broken_)
    return 0;
  if (bytes_.size() < signature.size())
    return signature.size() - bytes_.size();
  if (!is_binary(bytes_))
    return 1; // its end is found only by reading up to it
  return (bytes_.size() < fixed_bytes ? fixed_bytes : fixed_bytes + length_of_rest(bytes_)) - bytes_.size();
}

void proxy_header::take(std::string_view bytes) {
  bytes_ += bytes;
  if (bytes_.size() < signature.size())
    return;
  is_binary(bytes_) ? take_binary() : take_text();
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", or "PROXY UNKNOWN" and anything.
void proxy_header::take_text() {
  const std::string_view all{bytes_};
  if (!all.starts_with(text_begin) || all.size() > longest_text)
    return fail();
  if (!all.ends_with("\r\n"))
    return;
  const auto words = words_of(all.substr(0, all.size() - 2));
  complete_ = true;
  if (words[1] == "UNKNOWN")
    return;
  const auto v4 = words[1] == "TCP4";
  if ((!v4 && words[1] != "TCP6") || words.size() != 6 || !parse_number<uint16_t>(words[4])
      || !parse_number<uint16_t>(words[5]))
    return fail();
  source_ = ip_address::parse(words[2]);
  if (!source_ || !ip_address::parse(words[3]) || (words[2].find(':') == std::string_view::npos) != v4)
    fail();
}

void proxy_header::take_binary() {
  const std::string_view all{bytes_};
  if (all.size() < fixed_bytes)
    return;
  const auto command = byte_at(all, 12) ^ version_2;
  if (command != command_local && command != command_proxy)
    return fail();
  const auto rest = length_of_rest(all);
  if (all.size() < fixed_bytes + rest)
    return;
  complete_ = true;
  const auto family = byte_at(all, 13) & family_mask;
  if (command == command_local)
    return;
  const size_t needed = family == over_ipv4 ? 12 : family == over_ipv6 ? 36 : 0;
  if (rest < needed)
    return fail();
  if (family == over_ipv4)
    source_ = address_in<4>(all.substr(fixed_bytes));
  else if (family == over_ipv6)
    source_ = address_in<16>(all.substr(fixed_bytes));
}

} // namespace gnomon
