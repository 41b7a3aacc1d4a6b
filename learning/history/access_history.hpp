#pragma once

#include "learning/history/access_log.hpp"

#include <algorithm>

namespace gnomon::learning {

/// The last accesses, to train from: 16 bytes each, and each name of a user or item once. Beyond its limit the oldest
/// quarter goes. Not thread-safe.
class access_history {
public:
  explicit access_history(size_t limit) : limit_(std::max<size_t>(limit, 4)) {}

  /// `user` may be empty: such an access only teaches where items are read.
  void add(std::string_view user, std::string_view item, std::string_view region, uint32_t time);
  /// A write, which has no user here.
  void add_write(std::string_view item, std::string_view region, uint32_t time);
  /// Removes all accesses of the user, and the name. False when there were none.
  bool forget(std::string_view user);

  size_t size() const {
    return accesses_.size();
  }
  /// Of memory, about.
  size_t bytes() const {
    return accesses_.capacity() * sizeof(access) + users_.bytes() + items_.bytes();
  }
  /// Accesses ever added.
  uint64_t added() const {
    return added_;
  }
  /// Positions of all accesses in order of time, and what each of them is.
  std::vector<uint32_t> in_order() const;
  struct named {
    std::string_view user, item, region;
    uint32_t time = 0;
  };
  named at(uint32_t position) const;
  /// In order of time: those with a user, for the user model; all, for the demand model.
  access_log of_users() const;
  access_log all() const;

private:
  /// Copies the accesses for which `keep` is true into new tables, so that names without accesses go.
  template <class Keep>
  void rebuild(Keep keep);
  access_log log_of(bool with_anonymous) const;
  void make_room();

  size_t limit_;
  uint64_t added_ = 0;
  std::vector<access> accesses_; // in order of arrival
  id_table users_{no_index - 1}, items_{no_index - 1}, regions_{255};
};

} // namespace gnomon::learning
