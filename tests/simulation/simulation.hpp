#pragma once

#include "actors/node/deliberate_fault.hpp"
#include "tests/simulation/history.hpp"

#include <optional>
#include <string>

namespace gnomon::simulation {

/// What one run is made of. All else follows from the seed.
struct plan {
  uint64_t seed = 1;
  deliberate_fault fault = deliberate_fault::none;
  size_t nodes = 5;
  size_t ids = 16;
  size_t operations = 520;
  size_t faults = 30;
  size_t guesses = 60; // of models that know nothing
  moment settling{std::chrono::seconds{15}};
  moment active{std::chrono::seconds{420}};
  moment quiet{std::chrono::seconds{180}};
};

struct outcome {
  std::optional<violation> broken;
  std::string story;       // of the item that the violation is about
  uint64_t trace = 0;      // equal for equal runs
  uint64_t steps = 0;      // messages that were handled
  size_t acknowledged = 0; // writes
  size_t answered = 0;     // reads
  size_t faults = 0;
};

/// Runs a whole cluster through operations and faults, lets it heal and checks what it promised.
outcome simulate(const plan& what);

/// "skip_sync" and so on; empty for one that does not exist.
std::optional<deliberate_fault> fault_from(std::string_view name);
std::vector<std::pair<std::string_view, deliberate_fault>> all_faults();

} // namespace gnomon::simulation
