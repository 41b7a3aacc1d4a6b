#pragma once

#include "learning/economy/caution.hpp"
#include "learning/economy/lifetimes.hpp"
#include "learning/economy/update_rates.hpp"
#include "runtime/virtual_replay/demand.hpp"
#include "runtime/virtual_replay/policy.hpp"

#include <optional>

namespace gnomon::virtual_replay {

/// What a node does: every read leaves a copy for its adaptive lifetime, and with `ahead` copies are made before their
/// first read, where the same comparison says that they pay for themselves.
class full_policy : public policy {
public:
  full_policy(const scene& on, bool ahead);

  void read(copies& world, const scene_read& read, size_t holder, bool measured) override;
  void updated(const scene_update& update) override;
  double expired(copies& world, uint32_t item, size_t region, double now) override;
  std::string notes() const override;

private:
  learning::copy_costs costs_of(const copies& world, uint32_t item, size_t region, double now) const;
  learning::copy_costs costs_of_idle(const copies& world, uint32_t item, size_t region, double now) const;
  learning::gap_kind kind_of(uint32_t item, size_t region) const;
  double born(uint32_t item) const;
  void consider(copies& world, const scene_read& read, bool measured);

  const scene& on_;
  learning::adaptive_lifetimes lifetimes_;
  learning::caution caution_;
  learning::update_rates rates_;
  std::optional<demand> demand_;  // without it no copy is made ahead
  std::vector<char> known_;       // by item: was read before
  std::vector<uint32_t> updates_; // by item, so far
  std::vector<uint32_t> seen_;    // of them when the copy was read last: item * regions + region
  size_t reads_ = 0;
};

} // namespace gnomon::virtual_replay
