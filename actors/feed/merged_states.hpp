#pragma once

#include "actors/messages/change_messages.hpp"

#include <map>
#include <string>

namespace gnomon {

/// One page out of a page of each source. An id of several sources has all their versions.
class merged_states {
public:
  void add(const state_page& page);
  state_page cut(uint32_t limit) const;

private:
  std::map<std::string, version_set> items_;
  bool more_ = false;
  std::string complete_until_; // the smallest last id of the pages that are not the last ones
};

} // namespace gnomon
