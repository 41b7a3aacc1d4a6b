#include "runtime/dns/ranked_prefixes.hpp"

#include <algorithm>
#include <map>

namespace gnomon::dns {

namespace {

constexpr uint32_t unset = 0xffffffff;

bool bit_of(const std::array<uint8_t, 16>& bytes, size_t bit) {
  return (bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

void set_bit(std::array<uint8_t, 16>& bytes, size_t bit) {
  bytes[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
}

struct tree_node {
  std::array<uint32_t, 2> children{0, 0}; // 0: none
  uint32_t order = unset;
};

} // namespace

// A binary tree over the bits of one family's addresses, in which each network marks its node.
class ranked_prefixes::builder {
public:
  void add(const network& prefix, uint32_t order) {
    uint32_t at = 0;
    for (size_t bit = 0; bit < prefix.bits; ++bit) {
      const auto side = bit_of(prefix.bytes, bit) ? 1 : 0;
      if (nodes_[at].children[side] == 0) {
        nodes_[at].children[side] = static_cast<uint32_t>(nodes_.size());
        nodes_.emplace_back();
      }
      at = nodes_[at].children[side];
    }
    nodes_[at].order = order;
  }

  std::vector<piece> pieces(uint32_t fallback) {
    walk(0, {}, 0, fallback);
    return std::move(pieces_);
  }

private:
  // Appends the pieces of the prefix `first`/`bits`, whose own order is `inherited` where nothing inside says
  // otherwise. Two halves that became one piece each, with the same order, become one.
  void walk(uint32_t at, std::array<uint8_t, 16> first, uint8_t bits, uint32_t inherited) {
    const auto node = nodes_[at];
    const auto order = node.order != unset ? node.order : inherited;
    if (node.children[0] == 0 && node.children[1] == 0) {
      pieces_.push_back({first, bits, order});
      return;
    }
    const auto begin = pieces_.size();
    const auto inner = static_cast<uint8_t>(bits + 1);
    for (const auto side : {0, 1}) {
      if (side == 1)
        set_bit(first, bits);
      if (node.children[side] == 0)
        pieces_.push_back({first, inner, order});
      else
        walk(node.children[side], first, inner, order);
    }
    const auto& left = pieces_[begin];
    const auto& right = pieces_.back();
    if (pieces_.size() == begin + 2 && left.bits == inner && right.bits == inner && left.order == right.order) {
      const piece joined{left.first, bits, left.order};
      pieces_.resize(begin);
      pieces_.push_back(joined);
    }
  }

  std::vector<tree_node> nodes_ = std::vector<tree_node>(1);
  std::vector<piece> pieces_;
};

ranked_prefixes::ranked_prefixes(const std::vector<ranked_network>& networks, const region_order& fallback) {
  std::map<std::vector<region_id>, uint32_t> known;
  const auto number_of = [&](const region_order& order) {
    const auto [entry, fresh] = known.try_emplace({order.begin(), order.end()}, static_cast<uint32_t>(orders_.size()));
    if (fresh)
      orders_.push_back(order);
    return entry->second;
  };
  builder ipv4;
  builder ipv6;
  for (const auto& each : networks)
    (each.prefix.kind == family::ipv4 ? ipv4 : ipv6).add(each.prefix, number_of(each.order));
  ipv4_ = ipv4.pieces(number_of(fallback));
  ipv6_ = ipv6.pieces(number_of(fallback));
}

ranked ranked_prefixes::operator()(const network& from) const {
  const auto& pieces = from.kind == family::ipv4 ? ipv4_ : ipv6_;
  const auto behind = std::upper_bound(pieces.begin(), pieces.end(), from.bytes,
                                       [](const auto& address, const piece& each) { return address < each.first; });
  const auto& found = *std::prev(behind);
  return {.order = orders_[found.order], .scope = found.bits};
}

size_t ranked_prefixes::size() const {
  return ipv4_.size() + ipv6_.size();
}

} // namespace gnomon::dns
