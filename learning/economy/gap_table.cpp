#include "learning/economy/gap_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

namespace gnomon::learning {

namespace {

// A leaf's number: type (8 bits), region (6), size class (5), reads (4). In a wider group the bits of what does not
// matter are all set.
constexpr uint32_t any_reads_bits = 0xf, any_size = 0x1f << 4, any_region = 0x3f << 9, any_type = 0xffu << 15;
constexpr std::array<uint32_t, 3> widenings{any_size, any_size | any_type, any_size | any_type | any_region};

constexpr float strength = 20;       // gaps that the wider group counts as
constexpr double least_gaps = 50;    // of all together, before anything is known
constexpr uint32_t most_types = 254; // the last one is shared

uint32_t size_class(uint64_t bytes) { // by factors of four
  return std::min<uint32_t>(static_cast<uint32_t>(std::bit_width(bytes)) / 2, 30);
}

uint32_t reads_class(uint32_t reads) { // 0, 1, 2, 3-4, 5-8, ..., 65 and more
  return reads <= 2 ? reads : std::min<uint32_t>(static_cast<uint32_t>(std::bit_width(reads - 1)) + 1, 8);
}

} // namespace

gap_table::leaf gap_table::leaf_of(const gap_kind& kind) {
  auto known = types_.find(kind.type);
  if (known == types_.end()) {
    const auto number = std::min<uint32_t>(static_cast<uint32_t>(types_.size()), most_types);
    if (number == most_types)
      known = types_.find(std::string_view{}); // the shared one
    if (known == types_.end())
      known = types_.emplace(number == most_types ? std::string{} : std::string{kind.type}, number).first;
  }
  const auto region = std::min<uint32_t>(static_cast<uint32_t>(kind.region), 62);
  return known->second << 15 | region << 9 | size_class(kind.bytes) << 4 | reads_class(kind.reads);
}

void gap_table::fit(const std::vector<open_age>& open, double memory) {
  std::map<leaf, gap_counts> counts;
  for (auto& [number, state] : leaves_) {
    if (state.counts.total() > memory) {
      state.counts.halve();
      ++state.halvings;
    }
    counts.emplace(number, state.counts);
  }
  for (const auto& gap : open)
    counts[gap.of].cut(gap.seconds, gap.weight);
  std::map<leaf, gap_counts> groups;
  for (const auto& [number, leaf_counts] : counts)
    for (auto widening : widenings)
      groups[number | widening].add(leaf_counts);

  curves_.clear();
  std::map<leaf, std::array<float, gap_bins::count>> hazards;
  // From the widest groups to the leaves, each with the next wider one as its prior.
  auto add = [&](leaf number, const gap_counts& of, const leaf* wider) {
    auto prior = wider == nullptr ? hazards.end() : hazards.find(*wider);
    if (wider == nullptr ? of.total() < least_gaps : prior == hazards.end())
      return;
    const auto& own = hazards[number] = of.hazards(wider == nullptr ? nullptr : &prior->second, strength);
    curves_[number] = return_curve{own};
  };
  for (size_t level = widenings.size(); level-- > 0;)
    for (const auto& [number, group] : groups)
      if ((number & widenings[2]) == widenings[2] ? level == 2
          : (number & widenings[1]) == widenings[1] ? level == 1
                                                    : level == 0) {
        const leaf wider = level == 2 ? 0 : number | widenings[level + 1];
        add(number, group, level == 2 ? nullptr : &wider);
      }
  for (const auto& [number, leaf_counts] : counts) {
    const leaf wider = number | widenings[0];
    add(number, leaf_counts, &wider);
  }
}

const return_curve* gap_table::curve(leaf of) const {
  for (auto number : {of, of | widenings[0], of | widenings[1], of | widenings[2]})
    if (auto known = curves_.find(number); known != curves_.end())
      return &known->second;
  return nullptr;
}

void gap_table::save(writer& out) const {
  out.put(static_cast<uint64_t>(types_.size()));
  for (const auto& [name, number] : types_) {
    out.put(std::string_view{name});
    out.put(number);
  }
  out.put(static_cast<uint64_t>(leaves_.size()));
  for (const auto& [number, state] : leaves_) {
    out.put(number);
    out.put(state.halvings);
    state.counts.save(out);
  }
}

void gap_table::load(reader& in) {
  types_.clear();
  leaves_.clear();
  uint64_t count = 0;
  in.get(count);
  for (uint64_t k = 0; k < count && in.good(); ++k) {
    std::string name;
    uint32_t number = 0;
    in.get(name);
    in.get(number);
    if (number > most_types)
      in.fail();
    types_[name] = number;
  }
  in.get(count);
  for (uint64_t k = 0; k < count && in.good(); ++k) {
    leaf number = 0;
    in.get(number);
    auto& state = leaves_[number];
    in.get(state.halvings);
    state.counts.load(in);
  }
  if (!in.good()) {
    types_.clear();
    leaves_.clear();
  }
  fit({}, 1e30);
}

} // namespace gnomon::learning
