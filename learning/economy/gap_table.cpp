#include "learning/economy/gap_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

namespace gnomon::learning {

namespace {

// A leaf's number: type (8 bits), region (6), size class (5), pace (4), reads (3). In a wider group the bits of what
// does not matter are all set.
constexpr uint32_t any_pace = 0xf << 3, any_size = 0x1f << 7, any_region = 0x3f << 12, any_type = 0xffu << 18;
constexpr std::array<uint32_t, 4> widenings{any_size, any_size | any_type, any_size | any_type | any_region,
                                            any_size | any_type | any_region | any_pace};

constexpr float strength = 20;       // gaps that the wider group counts as
constexpr double least_gaps = 50;    // of all together, before anything is known
constexpr uint32_t most_types = 254; // the last one is shared

constexpr size_t no_level = SIZE_MAX;

/// How wide a group is: its place among the widenings; `no_level` for a leaf.
size_t level_of(uint32_t number) {
  for (size_t level = widenings.size(); level-- > 0;)
    if ((number & widenings[level]) == widenings[level])
      return level;
  return no_level;
}

uint32_t size_class(uint64_t bytes) { // by factors of four
  return std::min<uint32_t>(static_cast<uint32_t>(std::bit_width(bytes)) / 2, 30);
}

uint32_t reads_class(uint32_t reads) { // 0, 1, 2, 3-4, 5-8, 9-16, 17 and more
  return reads <= 2 ? reads : std::min<uint32_t>(static_cast<uint32_t>(std::bit_width(reads - 1)) + 1, 6);
}

uint32_t pace_class(double seconds) { // none, up to 1 min, and by factors of four up to a year
  if (!(seconds > 0))
    return 0;
  return static_cast<uint32_t>(std::clamp(std::log2(seconds / 60) / 2 + 2, 1.0, 14.0));
}

uint32_t number_of(uint32_t type, const gap_kind& kind) {
  const auto region = std::min<uint32_t>(static_cast<uint32_t>(kind.region), 62);
  return type << 18 | region << 12 | size_class(kind.bytes) << 7 | pace_class(kind.pace_s) << 3
         | reads_class(kind.reads);
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
  return number_of(known->second, kind);
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

  // From the widest groups to the leaves, each with the next wider one as its prior.
  curves_.clear();
  std::map<leaf, std::array<float, gap_bins::count>> hazards;
  for (size_t level = widenings.size(); level-- > 0;)
    for (const auto& [number, group] : groups)
      if (level_of(number) == level)
        add_curve(number, group, hazards);
  for (const auto& [number, leaf_counts] : counts)
    add_curve(number, leaf_counts, hazards);
}

void gap_table::add_curve(leaf number, const gap_counts& of,
                          std::map<leaf, std::array<float, gap_bins::count>>& hazards) {
  const auto level = level_of(number);
  const bool widest = level + 1 == widenings.size();
  const auto wider = hazards.find(number | widenings[widest ? level : level == no_level ? 0 : level + 1]);
  if (widest ? of.total() < least_gaps : wider == hazards.end())
    return;
  const auto own = of.hazards(widest ? nullptr : &wider->second, strength);
  curves_[number] = return_curve{own};
  hazards[number] = own;
}

const return_curve* gap_table::curve(leaf of) const {
  for (auto number : {of, of | widenings[0], of | widenings[1], of | widenings[2], of | widenings[3]})
    if (auto known = curves_.find(number); known != curves_.end())
      return &known->second;
  return nullptr;
}

/// A type that is not known is as good as any.
const return_curve* gap_table::curve(const gap_kind& kind) const {
  auto known = types_.find(kind.type);
  return curve(number_of(known != types_.end() ? known->second : any_type >> 18, kind));
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
