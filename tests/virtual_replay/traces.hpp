#pragma once

#include "runtime/virtual_replay/play.hpp"

#include <map>
#include <string>
#include <vector>

/// Small traces for tests of the replay, in three regions far from each other.
namespace gnomon::virtual_replay {

constexpr double hour = 3600, day = 86'400;

struct made_read {
  double t;
  std::string item;
  std::string region = "b";
  std::string user = "u";
};

inline replay::round_trips distances() {
  replay::round_trips result;
  result.set("a", "b", 100);
  result.set("a", "c", 200);
  result.set("b", "c", 150);
  return result;
}

inline scene scene_of(const std::vector<made_read>& reads, const scene_options& options,
                      const learning::price_table& prices = learning::price_table::flat({})) {
  replay::trace trace;
  for (const auto& read : reads)
    trace.add({read.t, read.user, read.region, read.item}, 1);
  trace.finish();
  auto result = make_scene(trace, distances(), prices, options);
  if (!result)
    throw std::runtime_error{sentence_of(result.error())};
  return std::move(*result);
}

inline outcome played(const scene& on, const std::string& name) {
  if (name == "clairvoyant")
    return play_clairvoyant(on);
  auto with = make_policy(name, on);
  if (!with)
    throw std::runtime_error{sentence_of(with.error())};
  return play(on, name, **with);
}

} // namespace gnomon::virtual_replay
