#include "runtime/dns/ranked_prefixes.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace gnomon::dns {

namespace {

constexpr uint32_t unset = 0xffffffff;

// The half of the prefix whose next bit is `side`.
ip_prefix half_of(const ip_prefix& whole, int side) {
  std::array<uint8_t, 16> bytes{};
  const auto known = whole.address.bytes();
  std::copy(known.begin(), known.end(), bytes.begin());
  if (side == 1)
    bytes[static_cast<size_t>(whole.bits) / 8] |= static_cast<uint8_t>(0x80 >> whole.bits % 8);
  if (whole.address.is_v4())
    return {ip_address{std::array<uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]}}, whole.bits + 1};
  return {ip_address{bytes}, whole.bits + 1};
}

struct tree_node {
  std::array<uint32_t, 2> children{0, 0}; // 0: none
  uint32_t order = unset;
};

} // namespace

// A binary tree over the bits of one family's addresses, in which each network marks its node.
class ranked_prefixes::builder {
public:
  void add(const ip_prefix& prefix, uint32_t order) {
    const auto bytes = prefix.address.bytes();
    uint32_t at = 0;
    for (size_t bit = 0; bit < static_cast<size_t>(prefix.bits); ++bit) {
      const auto side = static_cast<size_t>(bytes[bit / 8] >> (7 - bit % 8) & 1);
      if (nodes_[at].children[side] == 0) {
        nodes_[at].children[side] = static_cast<uint32_t>(nodes_.size());
        nodes_.emplace_back();
      }
      at = nodes_[at].children[side];
    }
    nodes_[at].order = order;
  }

  // `all`: the prefix of no bits.
  std::vector<piece> pieces(const ip_prefix& all, uint32_t fallback) {
    walk(0, all, fallback);
    return std::move(pieces_);
  }

private:
  // Appends the pieces of the prefix `here`, whose own order is `inherited` where nothing inside says otherwise. Two
  // halves that became one piece each, with the same order, become one.
  void walk(uint32_t at, const ip_prefix& here, uint32_t inherited) {
    const auto node = nodes_[at];
    const auto order = node.order != unset ? node.order : inherited;
    if (node.children[0] == 0 && node.children[1] == 0) {
      pieces_.push_back({here, order});
      return;
    }
    const auto begin = pieces_.size();
    for (const auto side : {0, 1}) {
      const auto half = half_of(here, side);
      if (const auto child = node.children[static_cast<size_t>(side)]; child != 0)
        walk(child, half, order);
      else
        pieces_.push_back({half, order});
    }
    const auto& left = pieces_[begin];
    const auto& right = pieces_.back();
    const auto whole_halves = left.prefix.bits == here.bits + 1 && right.prefix.bits == here.bits + 1;
    if (pieces_.size() == begin + 2 && whole_halves && left.order == right.order) {
      const piece joined{here, left.order};
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
    (each.prefix.address.is_v4() ? ipv4 : ipv6).add(each.prefix, number_of(each.order));
  ipv4_ = ipv4.pieces({ip_address{std::array<uint8_t, 4>{}}, 0}, number_of(fallback));
  ipv6_ = ipv6.pieces({ip_address{std::array<uint8_t, 16>{}}, 0}, number_of(fallback));
}

ranked ranked_prefixes::operator()(const ip_prefix& from) const {
  const auto& pieces = from.address.is_v4() ? ipv4_ : ipv6_;
  const auto behind =
      std::upper_bound(pieces.begin(), pieces.end(), from.address,
                       [](const auto& address, const piece& each) { return address < each.prefix.address; });
  const auto& found = *std::prev(behind);
  return {.order = orders_[found.order], .scope = static_cast<uint8_t>(found.prefix.bits)};
}

size_t ranked_prefixes::size() const {
  return ipv4_.size() + ipv6_.size();
}

} // namespace gnomon::dns
