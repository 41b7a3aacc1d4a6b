#pragma once

#include "tests/wan/region_process.hpp"
#include "tests/wan/workload.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gnomon::wan {

/// What a test cluster is made of.
struct plan {
  std::string gnomond;
  std::string round_trips; // file
  std::string directory;
  std::vector<std::string> settings; // of every node
};

/// Five regions with a node and its applications each, as far apart as the round trips say.
class regions {
public:
  /// Throws not_possible, std::runtime_error.
  explicit regions(const plan& how);
  size_t size() const {
    return names_.size();
  }
  const std::string& name(size_t i) const {
    return names_[i];
  }
  network& net() {
    return net_;
  }
  region_client& client(size_t i) {
    return *clients_[i];
  }
  region_process& node(size_t i) {
    return *nodes_[i];
  }
  /// Starts the node of a region, also again with the disk that it had.
  void start(size_t i);
  /// Those whose node has not been killed.
  std::vector<size_t> running() const;

  /// What region `from` says of the state of each other node: "live", "suspect", "down", "unknown".
  std::map<std::string, std::string> states_at(size_t from);
  /// Waits until `from` calls all of `nodes` `state`; nothing when it does not within `bound`.
  std::optional<std::chrono::milliseconds> wait_for(size_t from, const std::vector<size_t>& nodes,
                                                    const std::string& state, std::chrono::milliseconds bound);
  /// A metric, over all running nodes.
  uint64_t sum_of(const std::string& metric);
  uint64_t resident_bytes() const;

  struct copies {
    size_t durable = 0;
    size_t all = 0;
  };
  /// Ids that begin so and that the node of a region holds, at most `limit`.
  std::vector<std::string> ids_at(size_t at, const std::string& prefix, size_t limit);
  /// How many running nodes say that they hold each id.
  std::map<std::string, copies> count_copies();

private:
  std::string page_of(size_t at, const std::string& target);

  plan how_;
  std::vector<std::string> names_;
  network net_;
  std::vector<std::unique_ptr<region_process>> nodes_;
  std::vector<std::unique_ptr<region_client>> clients_;
};

/// Calls `check` until it answers true or `bound` is over, and answers how long that took.
template <class F>
std::optional<std::chrono::milliseconds> time_until(std::chrono::milliseconds bound, F check) {
  auto begin = steady::now();
  for (;;) {
    auto good = check();
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begin);
    if (good)
      return took;
    if (took > bound)
      return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

} // namespace gnomon::wan
