#pragma once

#include "storage/versions.hpp"

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gnomon {

/// One attempt to make a durable copy that policy does not ask for a shadow, as the steward makes it. First the other
/// durable holders promise to stay durable; when enough of them have, the leaver is told to go. In the end those that
/// promised are free again. Pure: the shadow sends what `next` says.
class demotion {
public:
  enum class step { wait, demote, give_up };

  /// `others`: the durable holders that can be reached, without the steward. `leaver`: one of them, or the steward.
  /// `min_copies`: how many have to stay, the steward among them unless it leaves.
  demotion(version_vector context, std::vector<std::string> others, std::string leaver, uint32_t min_copies);

  const version_vector& context() const {
    return context_;
  }
  /// The holder that is to go.
  const std::string& leaver() const {
    return leaver_;
  }
  /// Those that are asked to promise.
  const std::vector<std::string>& asked() const {
    return asked_;
  }
  /// Those that did.
  const std::vector<std::string>& guards() const {
    return guards_;
  }
  void heard(const std::string& node, bool promises);
  void failed();
  step next() const;

private:
  version_vector context_;
  std::string leaver_;
  std::vector<std::string> asked_, guards_;
  size_t open_; // questions
  uint32_t promises_needed_;
};

/// How much an item is wanted at its durable copies, by node, as `access_count` counts: per day or so.
using demands = std::map<std::string, double>;

/// Under the policy `durable: follows`: true when a shadow that is wanted `here` times becomes durable in place of the
/// durable copy that is wanted least. It must be wanted twice as much. So readers who alternate between two regions
/// move nothing, and the copies that a move makes are few beside the reads that asked for it.
bool takes_over(double here, const demands& durable);

/// The durable copy to become a shadow when there is one too many: the one that is wanted least; of several, the one
/// that comes last in `ranked`, which names all of them.
std::string least_wanted(const demands& durable, const std::vector<std::string>& ranked);

/// To whom this copy has promised to stay durable, and until when.
class guard_promises {
public:
  using time_point = caf::actor_clock::time_point;

  void give(const std::string& steward, time_point until);
  void release(const std::string& steward);
  /// True while any promise holds.
  bool hold(time_point now);

private:
  std::map<std::string, time_point> until_;
};

} // namespace gnomon
