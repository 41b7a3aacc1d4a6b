#include "runtime/virtual_replay/demand.hpp"

namespace gnomon::virtual_replay {

using learning::demand_parts;

demand::demand(const scene& on) : on_(on), model_({.max_items = std::max<size_t>(on.items.size(), 1)}) {}

void demand::read(const scene_read& read) {
  model_.read(on_.items[read.item], read.region, time_of(read.t));
}

bool demand::due(uint32_t item, double now) {
  return model_.due(on_.items[item], time_of(now));
}

const std::vector<learning::demand_estimate>& demand::estimate(uint32_t item, double now) {
  model_.estimate(on_.items[item], on_.regions.size(), time_of(now), estimates_);
  return estimates_;
}

void demand::train_when_due(size_t reads) {
  if (reads == std::max<size_t>(on_.measured_from / 2, 1) || reads == on_.measured_from)
    train(reads);
}

void demand::train(size_t reads) {
  learning::access_log log;
  log.item_names = on_.items;
  log.items = static_cast<uint32_t>(on_.items.size());
  log.users = static_cast<uint32_t>(on_.users);
  for (size_t k = 0; k < reads; ++k) {
    const auto& read = on_.reads[k];
    log.accesses.push_back({read.user, read.item, time_of(read.t), static_cast<uint8_t>(read.region)});
  }
  if (auto parts = learning::train_demand(log, {}))
    model_.adopt(std::move(*parts));
}

} // namespace gnomon::virtual_replay
