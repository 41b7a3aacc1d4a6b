#include "tests/simulation/audit.hpp"

#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::simulation {

void audit::ask() {
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
    for (const auto& id : ids_) {
      auto& node_of = cluster_.context_of(node);
      if (!node_of || !cluster_.router_of(node))
        continue;
      engine_.asker()
          ->request(node_of->shard(id), caf::infinite, locate_a_v, id)
          .then(
              [this, node, id](const std::vector<std::string>& holders, bool) {
                believed_[{node, id}] = {holders.begin(), holders.end()};
              },
              [](const caf::error&) {});
    }
}

std::optional<violation> audit::judge() const {
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
    for (const auto& id : ids_) {
      if (auto wrong = judge_catalog(node, id))
        return wrong;
      if (auto wrong = judge_index(node, id))
        return wrong;
    }
  return std::nullopt;
}

bool audit::is_damaged(int node, const std::string& id) const {
  auto& disk = cluster_.disk_of(node);
  return !disk.record(id) && disk.seen().contains(keys::record(id));
}

std::optional<violation> audit::judge_catalog(int node, const std::string& id) const {
  std::set<std::string> holders;
  auto believed = believed_.find({node, id});
  for (int other = 0; other < static_cast<int>(cluster_.size()); ++other) {
    auto record = cluster_.disk_of(other).record(id);
    auto unsure = is_damaged(other, id) && believed != believed_.end(); // it is a holder that can give nothing
    auto counts = unsure ? believed->second.contains(node_name(other)) : is_copy(other, record);
    if (counts)
      holders.insert(node_name(other));
  }
  if (believed != believed_.end() && believed->second == holders)
    return std::nullopt;
  auto where = believed == believed_.end() ? "nowhere, for it does not answer"
                                           : fmt::format("at [{}]", fmt::join(believed->second, " "));
  return violation{"catalogs agree with the disks in the end", id,
                   fmt::format("{} looks {}, and [{}] have it", node_name(node), where, fmt::join(holders, " ")),
                   engine_.now()};
}

std::optional<violation> audit::judge_index(int node, const std::string& id) const {
  auto entry = cluster_.context_of(node)->index.peek(id);
  auto record = cluster_.disk_of(node).record(id);
  if (!entry || (is_copy(node, record) && record->versions.distinct() == entry->versions.versions))
    return std::nullopt;
  if (is_damaged(node, id)) // since it was last read: what is ready for readers is from before
    return std::nullopt;
  return violation{"read indexes agree with the disks in the end", id,
                   fmt::format("{} has {} ready for readers", node_name(node), record ? "another state" : "a copy"),
                   engine_.now()};
}

} // namespace gnomon::simulation
