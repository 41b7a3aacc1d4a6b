#pragma once

#include "actors/shadow/shadow_part.hpp"

#include <deque>

namespace gnomon {

/// How a shadow sees to the copies of its item, and takes one when another holder invites it. The plan is made by
/// `plan_copies_of`, and carried out here.
class shadow_placing : public shadow_part {
public:
  explicit shadow_placing(shadow_core& core) : shadow_part(core) {}

  /// Answers which copies there will be; with `wait`, once they are there.
  void place(const place_copies& request, answer<shadow_plan> reply);
  /// First access of the item here: other regions get copies.
  void place_first_copies();
  /// Invites the first candidate; when it refuses or does not answer, the next.
  void invite(std::shared_ptr<std::deque<std::string>> candidates, invite_copy invitation,
              std::shared_ptr<shadow_plan> plan = {}, traffic urgency = traffic::repair);

  /// Another holder invites this node.
  void accept(const invite_copy& request, answer<invite_answer> reply);

private:
  void place_elsewhere(const place_copies& request, answer<shadow_plan> reply);
  void note_reader_elsewhere();
};

} // namespace gnomon
