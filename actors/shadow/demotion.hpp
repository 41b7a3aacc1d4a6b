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
/// durable holders promise to stay durable; when enough of them have, the last in rank is told to go. In the end those
/// that promised are free again. Pure: the shadow sends what `next` says.
class demotion {
public:
  enum class step { wait, demote, give_up };

  /// `others`: the durable holders that can be reached, first in rank first, without the steward. At least one.
  /// `min_copies`: how many have to stay, the steward among them.
  demotion(version_vector context, std::vector<std::string> others, uint32_t min_copies);

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
  uint32_t min_copies_;
};

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
