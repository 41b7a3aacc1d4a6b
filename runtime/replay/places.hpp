#pragma once

#include "runtime/base/great_circle.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where regions are, for traces that name regions which the cluster does not have.
namespace gnomon::replay {

/// A region of the cluster under load. Without a place it serves only reads that name it.
struct cluster_region {
  std::string name;
  std::optional<place> where;
};

/// The place of a cloud region by its name, e.g. "eu-central-1"; nothing when the name is unknown.
std::optional<place> place_of(std::string_view region);

/// Index of the region of `cluster` that serves the readers of `region`: the one of that name, otherwise the nearest.
/// Nothing when `region` is neither in the cluster nor a known cloud region, or when no region of the cluster has a
/// place.
std::optional<size_t> home_of(std::string_view region, const std::vector<cluster_region>& cluster);

} // namespace gnomon::replay
