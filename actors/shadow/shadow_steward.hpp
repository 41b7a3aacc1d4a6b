#pragma once

#include "actors/shadow/reaping.hpp"
#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// What the steward of an item sees to, and what the other holders do on its orders: the end of a tombstone, and of
/// copies beyond those that the policy asks for (`shadow_demotion`). `reaping` decides whom to order what.
class shadow_steward : public shadow_part {
public:
  explicit shadow_steward(shadow_core& core) : shadow_part(core) {}

  /// Anti-entropy reminds the steward of its duty.
  void do_steward_duty();
  bool is_reaping() const {
    return reaping_ != nullptr;
  }

  // -- the other holders
  void execute_order(const steward_order& order, answer<steward_answer> reply);
  steward_answer how_things_stand(bool done) const;

private:
  void reap();
  void go_on_reaping();
  void send_order(const std::string& node, steward_word word);
  void answered(const std::string& node, steward_word word, uint32_t epoch, const steward_answer& answer);
  bool holds_exactly(const version_vector& context) const;
  void forget(std::function<void()> after);

  std::unique_ptr<reaping> reaping_; // under way
};

} // namespace gnomon
