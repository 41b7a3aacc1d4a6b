#pragma once

#include "learning/demand/demand_model.hpp"
#include "runtime/virtual_replay/scene.hpp"

namespace gnomon::virtual_replay {

/// The demand model as a node uses it, fed from a scene. Everything that the replay asks of it is here.
class demand {
public:
  explicit demand(const scene& on);

  void read(const scene_read& read);
  /// True when it is time to decide about the item again.
  bool due(uint32_t item, double now);
  /// By region: the chance of a read within each of `demand_horizons`. Valid until the next call.
  const std::vector<learning::demand_estimate>& estimate(uint32_t item, double now);
  /// Call it with the number of reads so far. Trains at half of the warm-up and at its end on the reads until then, as
  /// a node does once a day, and serves the result. Until then, and without enough reads, the fixed formula estimates.
  void train_when_due(size_t reads);

private:
  void train(size_t reads);
  uint32_t time_of(double now) const {
    return static_cast<uint32_t>(static_cast<double>(on_.epoch) + now);
  }

  const scene& on_;
  learning::demand_model model_;
  std::vector<learning::demand_estimate> estimates_;
};

} // namespace gnomon::virtual_replay
