#pragma once

#include "actors/shadow/demotion.hpp"
#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// How a durable copy that policy does not ask for becomes a shadow again, how durable copies follow those who want the
/// item, and how a shadow that an outage left goes. `demotion` decides what comes next.
class shadow_demotion : public shadow_part {
public:
  explicit shadow_demotion(shadow_core& core) : shadow_part(core) {}

  // -- the steward
  bool has_to_demote() const;
  /// The last in rank that can be reached is to go, or the one that is wanted least, once enough others have promised
  /// to stay.
  void demote_one();
  /// What was made while a region was away, or was durable until now, goes when there are enough others. The first
  /// durable holder in rank asks one shadow after the other, the last in rank first; those that were read stay.
  void dismiss_surplus();

  // -- the other durable holders
  /// Promises `from` to stay durable, for longer than it may take to demote another one.
  bool guard(const steward_order& order);
  /// That promise is over.
  void release(const std::string& steward) {
    promises_.release(steward);
  }
  void be_demoted(const steward_order& order, answer<steward_answer> reply);
  void be_dismissed(const steward_order& order, answer<steward_answer> reply);
  /// A client wants the copy gone. What readers want comes back with their next read.
  void be_dropped(answer<steward_answer> reply);
  /// This copy has to stay durable: it has promised that, or demotes another one.
  bool is_guarding();

  // -- durable copies that follow
  /// A shadow that is wanted much more than a durable copy becomes durable itself. Then there is one too many, and the
  /// steward sees to that.
  void follow_demand();

private:
  bool may_demote() const;
  std::vector<std::string> durable_in_reach() const;
  void begin_demotion(std::vector<std::string> others, std::string leaver);
  void go_on_demoting();
  void step_down();
  void end_demotion();
  bool may_become_shadow(const version_vector& context) const;
  void become_shadow(std::function<void()> then);
  void hear_demands(const std::vector<std::string>& nodes, std::function<void(demands)> then);
  bool may_take_over() const;
  void dismiss(std::vector<std::string> shadows);

  std::unique_ptr<demotion> demotion_;
  guard_promises promises_;
  bool weighing_ = false; // durable holders are being asked how much the item is wanted there
  time_point weighs_next_{};
};

} // namespace gnomon
