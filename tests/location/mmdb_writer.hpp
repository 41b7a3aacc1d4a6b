#pragma once

#include "runtime/base/ip_address.hpp"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Writes small location databases in the MaxMind DB format 2.0, as its specification describes it
/// (maxmind.github.io/MaxMind-DB): encoded values, and a search tree over prefixes.
namespace gnomon::mmdb {

inline std::string big_endian(uint64_t value, size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i)
    text[bytes - 1 - i] = static_cast<char>(value >> (8 * i));
  return text;
}

/// The control bytes of a value with fewer than 285 bytes or members.
inline std::string control(int type, size_t size) {
  const auto in_first = size < 29 ? size : 29;
  std::string text(1, static_cast<char>((type < 8 ? type << 5 : 0) | in_first));
  if (type >= 8)
    text += static_cast<char>(type - 7);
  if (size >= 29)
    text += static_cast<char>(size - 29);
  return text;
}

inline std::string text_value(std::string_view value) {
  return control(2, value.size()) + std::string{value};
}
inline std::string double_value(double value) {
  return control(3, 8) + big_endian(std::bit_cast<uint64_t>(value), 8);
}
inline std::string float_value(float value) {
  return control(15, 4) + big_endian(std::bit_cast<uint32_t>(value), 4);
}
inline std::string number_value(int type, uint64_t value, size_t bytes) {
  return control(type, bytes) + big_endian(value, bytes);
}
inline std::string map_value(const std::vector<std::pair<std::string_view, std::string>>& members) {
  auto text = control(7, members.size());
  for (const auto& [key, value] : members)
    text += text_value(key) + value;
  return text;
}

/// A database under construction.
class writer {
public:
  writer(int ip_version, int record_bits) : version_(ip_version), record_bits_(record_bits), nodes_(1) {}

  /// Gives the addresses of `prefix` the value `encoded`, which `map_value` has made.
  void add(std::string_view prefix, const std::string& encoded) {
    const auto network = *ip_prefix::parse(prefix);
    const auto offset = version_ == 6 && network.address.is_v4() ? 96 : 0;
    uint64_t at = 0;
    for (int bit = 0; bit + 1 < offset + network.bits; ++bit)
      at = child(at, side(network.address, bit - offset));
    nodes_[at][side(network.address, offset + network.bits - 1 - offset)] = {kind::data, data_.size()};
    data_ += encoded;
  }

  std::string bytes(std::string_view type = "Test", uint64_t build_epoch = 1'700'000'000) const {
    std::string file;
    for (const auto& node : nodes_)
      file += encode(number_of(node[0]), number_of(node[1]));
    file += std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com";
    return file
           + map_value({{"binary_format_major_version", number_value(5, 2, 2)},
                        {"binary_format_minor_version", number_value(5, 0, 2)},
                        {"build_epoch", number_value(9, build_epoch, 8)},
                        {"database_type", text_value(type)},
                        {"description", map_value({})},
                        {"ip_version", number_value(5, static_cast<uint64_t>(version_), 2)},
                        {"languages", control(11, 0)},
                        {"node_count", number_value(6, nodes_.size(), 4)},
                        {"record_size", number_value(5, static_cast<uint64_t>(record_bits_), 2)}});
  }

private:
  enum class kind { empty, node, data };
  struct record {
    kind what = kind::empty;
    uint64_t value = 0;
  };
  using node = std::array<record, 2>;

  /// The bits in front of an IPv4 address in a tree for both families are zero.
  static size_t side(const ip_address& address, int bit) {
    return bit < 0 ? 0 : (address.bytes()[static_cast<size_t>(bit) / 8] >> (7 - bit % 8)) & 1;
  }
  uint64_t child(uint64_t at, size_t which) {
    if (nodes_[at][which].what != kind::node) {
      const auto split = nodes_[at][which];
      nodes_[at][which] = {kind::node, nodes_.size()};
      nodes_.push_back({split, split});
    }
    return nodes_[at][which].value;
  }
  uint64_t number_of(const record& r) const {
    return r.what == kind::empty ? nodes_.size() : r.what == kind::node ? r.value : nodes_.size() + 16 + r.value;
  }
  std::string encode(uint64_t left, uint64_t right) const {
    if (record_bits_ != 28)
      return big_endian(left, static_cast<size_t>(record_bits_) / 8)
             + big_endian(right, static_cast<size_t>(record_bits_) / 8);
    const auto middle = static_cast<char>((left >> 24 & 15) << 4 | (right >> 24 & 15));
    return big_endian(left & 0xffffff, 3) + middle + big_endian(right & 0xffffff, 3);
  }

  int version_;
  int record_bits_;
  std::vector<node> nodes_;
  std::string data_;
};

} // namespace gnomon::mmdb
