#pragma once

#include "actors/shadow/shadow_part.hpp"

#include <set>

namespace gnomon {

/// How a shadow takes in what a snapshot has of its item: as an update that arrives very late. It is merged where the
/// item is, here or at a peer, and begins here when nobody has it.
class shadow_snapshot : public shadow_part {
public:
  explicit shadow_snapshot(shadow_core& core) : shadow_part(core) {}

  void load_versions(const load_item& request, answer<load_receipt> reply);

private:
  struct loading {
    enum class stage { catalog, everyone, nobody };

    item_copy copy;
    bool dry_run = false;
    answer<load_receipt> reply;
    stage next = stage::catalog; // whom to ask next who has the item
    std::set<std::string> asked;
    bool found = false; // later answers change nothing

    void done(load_outcome outcome) const {
      reply.give({copy.id, outcome});
    }
  };

  void merge_loaded(const std::shared_ptr<loading>& job);
  void ask_who_has(const std::shared_ptr<loading>& job);
  void compare_at(const std::shared_ptr<loading>& job, std::vector<std::string> nodes);
  void merge_at(const std::shared_ptr<loading>& job, std::string node, const item_copy& there);
  void begin_loaded(const std::shared_ptr<loading>& job);
};

} // namespace gnomon
