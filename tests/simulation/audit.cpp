#include "tests/simulation/audit.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::simulation {

void audit::ask() {
  for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
    for (const auto& id : ids_) {
      get_route question;
      question.id = id;
      engine_.asker()
          ->request(cluster_.router_of(node), caf::infinite, question)
          .then(
              [this, node, id](const route_list& regions) {
                auto& holders = believed_[{node, id}];
                holders.clear();
                for (const auto& choice : regions.choices)
                  if (choice.holds)
                    holders.insert(choice.node);
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

std::optional<violation> audit::judge_catalog(int node, const std::string& id) const {
  std::set<std::string> holders;
  for (int other = 0; other < static_cast<int>(cluster_.size()); ++other)
    if (is_copy(other, cluster_.disk_of(other).record(id)))
      holders.insert(node_name(other));
  auto believed = believed_.find({node, id});
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
  return violation{"read indexes agree with the disks in the end", id,
                   fmt::format("{} has {} ready for readers", node_name(node), record ? "another state" : "a copy"),
                   engine_.now()};
}

} // namespace gnomon::simulation
