#pragma once

#include "tests/simulation/cluster.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gnomon::simulation {

/// What the nodes believe about who holds what, and what they have ready for readers, compared with the disks once
/// everything has come to rest.
class audit {
public:
  audit(engine& on, cluster& of, std::vector<std::string> ids) : engine_(on), cluster_(of), ids_(std::move(ids)) {}

  /// Asks all nodes where they would look for each item.
  void ask();
  /// What is wrong, once they have answered.
  std::optional<violation> judge() const;

private:
  /// The disk has a record that cannot be read.
  bool is_damaged(int node, const std::string& id) const;
  std::optional<violation> judge_catalog(int node, const std::string& id) const;
  std::optional<violation> judge_index(int node, const std::string& id) const;

  engine& engine_;
  cluster& cluster_;
  std::vector<std::string> ids_;
  std::map<std::pair<int, std::string>, std::set<std::string>> believed_;
};

} // namespace gnomon::simulation
