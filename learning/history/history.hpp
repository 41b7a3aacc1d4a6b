#pragma once

#include "learning/base/archive.hpp"
#include "learning/base/pooled_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Who read what, in bounded memory: names become small dense numbers, and the last accesses of every user are kept.
namespace gnomon::learning {

inline constexpr uint32_t no_index = UINT32_MAX;

/// Names to dense indices and back, in order of arrival, up to a limit. A name may be removed. Its index goes to
/// another name once the owner says that nothing refers to it any more. Not thread-safe.
class id_table {
public:
  explicit id_table(size_t limit) : limit_(limit) {}
  id_table(id_table&&) = default;
  id_table& operator=(id_table&&) = default; // no copies: the names point into the map
  /// The index of `name`, which is added when new; `no_index` when the table is full.
  uint32_t index_of(std::string_view name);
  /// `no_index` when unknown.
  uint32_t find(std::string_view name) const;
  /// Empty for an index whose name was removed.
  std::string_view name(uint32_t index) const {
    return names_[index] == nullptr ? std::string_view{} : *names_[index];
  }
  bool has(uint32_t index) const {
    return index < names_.size() && names_[index] != nullptr;
  }
  /// Number of indices given out so far, including those of removed names.
  size_t size() const {
    return names_.size();
  }
  /// Names that are there.
  size_t names() const {
    return indices_->size();
  }
  size_t limit() const {
    return limit_;
  }
  /// Of memory, about.
  size_t bytes() const {
    return indices_->size() * 120 + names_.capacity() * sizeof(names_[0]);
  }
  /// Removes the name. Its index stays taken until `reuse`.
  void erase(uint32_t index);
  void reuse(uint32_t index) {
    free_.push_back(index);
  }
  /// Puts a name where it was before: for tables that are read from a file. False when that is impossible.
  bool place(uint32_t index, std::string_view name);

private:
  struct hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const {
      return std::hash<std::string_view>{}(s);
    }
  };
  size_t limit_;
  pooled_map<std::pmr::string, uint32_t, hash, std::equal_to<>> indices_;
  std::vector<const std::pmr::string*> names_; // keys of the map: they do not move
  std::vector<uint32_t> free_;
};

/// One access of a user: item, and seconds since 1970 UTC (0 where only the order is known).
struct visit {
  uint32_t item = 0;
  uint32_t time = 0;
};

/// A user's last accesses, newest first, and how many there ever were. At most 400 bytes of accesses.
class user_history {
public:
  static constexpr size_t kept = 50;

  void push(visit v);
  size_t size() const {
    return ring_.size();
  }
  bool empty() const {
    return ring_.empty();
  }
  /// The access `steps` before the last one; 0 is the last.
  const visit& ago(size_t steps) const {
    return ring_[(next_ + ring_.size() - 1 - steps) % ring_.size()];
  }
  uint32_t total() const {
    return total_;
  }
  /// True when `item` is among the last `steps` accesses.
  bool read_lately(uint32_t item, size_t steps) const;
  void clear();
  /// Removes the accesses of the items that `gone` marks.
  void remove(const std::vector<bool>& gone);
  /// The accesses of both in order of time, as many of the last as fit. An access that both have counts once.
  static user_history merged(const user_history& one, const user_history& other);
  void save(writer& out) const;
  void load(reader& in);

private:
  std::vector<visit> ring_; // grows to `kept`, then wraps
  uint32_t next_ = 0;       // where the next access goes
  uint32_t total_ = 0;
};

/// What the predictor keeps of one user.
struct user_record {
  user_history history;
  uint8_t region = 0;       // of the last access
  uint32_t model = 0;       // which sequence model `state` belongs to
  std::vector<float> state; // of the sequence network
};

/// Users by name, up to a limit. Beyond it, one of the users not seen for the longest time makes room (the clock
/// algorithm, Corbató 1968). Not thread-safe.
class history_store {
public:
  explicit history_store(size_t max_users) : limit_(max_users) {}
  /// The user's record, created when new. Marks the user as seen. Valid until the next call of `touch` or `forget`.
  user_record& touch(std::string_view user);
  const user_record* find(std::string_view user) const;
  /// False when there was nothing to forget.
  bool forget(std::string_view user);
  size_t size() const {
    return index_.size();
  }
  std::vector<std::string> names() const;
  /// Of memory, about.
  size_t bytes() const {
    return slots_.capacity() * sizeof(slot) + index_.size() * (120 + user_history::kept * sizeof(visit));
  }
  /// Records lie in slots; those of a free one are empty.
  size_t slots() const {
    return slots_.size();
  }
  const std::string& name_in(size_t k) const {
    return slots_[k].name;
  }
  user_record& record_in(size_t k) {
    return slots_[k].record;
  }

private:
  struct slot {
    std::string name; // empty: free
    bool seen = false;
    user_record record;
  };
  size_t free_slot();

  size_t limit_;
  size_t hand_ = 0;
  std::vector<slot> slots_;
  std::vector<size_t> free_;
  struct hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const {
      return std::hash<std::string_view>{}(s);
    }
  };
  std::unordered_map<std::string, size_t, hash, std::equal_to<>> index_;
};

} // namespace gnomon::learning
