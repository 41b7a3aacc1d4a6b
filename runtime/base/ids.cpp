#include "runtime/base/ids.hpp"

#include "runtime/base/id_rules.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>
#include <random>

namespace gnomon {

expected<std::string> checked_id(std::string id) {
  if (has_dot_segment(id))
    return make_error(ec::invalid_argument,
                      "the data id has \".\" or \"..\" between slashes, which clients take out of "
                      "an address before they send it; choose another id");
  return checked_known_id(std::move(id));
}

expected<std::string> checked_known_id(std::string id) {
  if (id.empty())
    return make_error(ec::invalid_argument, "the data id is empty; give one of 1 to 1,024 bytes");
  if (id.size() > max_id_bytes)
    return make_error(ec::too_large,
                      "the data id has " + std::to_string(id.size()) + " bytes; at most 1,024 are allowed");
  if (id.find('\0') != std::string::npos)
    return make_error(ec::invalid_argument, "the data id contains a NUL byte (%00); remove it");
  if (!is_utf8(id))
    return make_error(ec::invalid_argument, "the data id is not valid UTF-8; encode it as UTF-8 before sending");
  return id;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool has_dot_segment(std::string_view id) {
  for (size_t begin = 0; begin <= id.size();) {
    auto rest = id.substr(begin);
    size_t dots = 0;
    while (rest.starts_with('.') || rest.starts_with("%2e") || rest.starts_with("%2E")) {
      rest.remove_prefix(rest.front() == '.' ? 1 : 3);
      ++dots;
    }
    if ((dots == 1 || dots == 2) && (rest.empty() || rest.front() == '/'))
      return true;
    begin = id.find('/', begin);
    if (begin == std::string_view::npos)
      return false;
    ++begin;
  }
  return false;
}

bool is_utf8(std::string_view bytes) {
  auto continuation = [&](size_t i) { return i < bytes.size() && (static_cast<uint8_t>(bytes[i]) & 0xC0) == 0x80; };
  for (size_t i = 0; i < bytes.size();) {
    auto lead = static_cast<uint8_t>(bytes[i]);
    if ((lead >= 0x80 && lead < 0xC2) || lead >= 0xF5)
      return false; // not the first byte of any character
    size_t extra = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    for (size_t k = 1; k <= extra; ++k)
      if (!continuation(i + k))
        return false;
    if (extra >= 2) {
      auto second = static_cast<uint8_t>(bytes[i + 1]);
      auto overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
      auto surrogate = lead == 0xED && second >= 0xA0;
      auto beyond = lead == 0xF4 && second >= 0x90;
      if (overlong || surrogate || beyond)
        return false;
    }
    i += extra + 1;
  }
  return true;
}

std::string_view data_type(std::string_view id) {
  return id.substr(0, id.find('/'));
}

uint64_t stable_hash(std::string_view bytes, uint64_t seed) {
  // Eight bytes at a time through the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
  auto mix = [](uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  };
  auto hash = mix(seed + 0x9E3779B97F4A7C15u * (bytes.size() + 1));
  while (!bytes.empty()) {
    auto n = std::min<size_t>(8, bytes.size());
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), n); // every machine we build for is little-endian
    hash = mix(hash ^ (word + 0x9E3779B97F4A7C15u));
    bytes.remove_prefix(n);
  }
  return hash;
}

uint64_t rendezvous_weight(std::string_view node, std::string_view id) {
  return stable_hash(id, stable_hash(node));
}

namespace {

thread_local std::optional<std::mt19937_64> seeded_source;

} // namespace

void seed_random_u64(uint64_t seed) {
  seeded_source.emplace(seed);
}

uint64_t random_u64() {
  if (seeded_source)
    return std::max<uint64_t>(1, (*seeded_source)());
  std::random_device source;
  uint64_t x = 0;
  while (x == 0)
    x = (static_cast<uint64_t>(source()) << 32) | source();
  return x;
}

} // namespace gnomon
