#pragma once

#include "learning/user/user_training.hpp"

#include <random>
#include <string>
#include <vector>

/// Reads that follow a pattern, and trainings that are quick.
namespace gnomon::learning {

/// Users walk through one of five stories of ten pages each; one step in ten goes astray. `turn` changes the stories.
/// Calls `step(user, item, time)`.
template <class Step>
void walk(size_t users, size_t steps, size_t turn, Step step) {
  std::mt19937_64 random{1};
  std::vector<size_t> page(users, 0);
  for (size_t k = 0; k < users * steps; ++k) {
    const size_t u = k % users;
    page[u] = random() % 10 == 0 ? random() % 50 : (u % 5) * 10 + (page[u] + turn) % 10;
    step("user" + std::to_string(u), "page/" + std::to_string(page[u]), static_cast<uint32_t>(1'000'000 + k * 10));
  }
}

inline training_config quick_training(size_t epochs, size_t contexts) {
  training_config config;
  config.network.units = 16;
  config.network.epochs = epochs;
  config.network.lanes = 16;
  config.ranker_contexts = contexts;
  config.calibration_contexts = 400;
  config.ranker.epochs = epochs;
  return config;
}

} // namespace gnomon::learning
