#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// The holders that lack the current versions of an item, as far as a note on disk says so: a hint. One that could not
/// be reached gets them as it comes back. One that answered with an error gets them after a pause that doubles, from 4
/// s to `keys::longest_pause`. Pure: the shadow writes what `failed` says.
class hint_book {
public:
  /// What the hint says on disk.
  struct entry {
    std::string value;
    bool refused; // the error will not pass by itself: it is a problem of the item
  };

  /// An update to `node` failed. Nothing when the hint on disk says so already.
  std::optional<entry> failed(const std::string& node, ec reason, timestamp now);
  /// The store had a hint when the shadow woke.
  void found_on_disk(const std::string& node, std::string_view value);
  /// The collector has found a hint on the disk and is handing the item to `node`.
  void handed_off(const std::string& node);
  /// The store did not take the hint.
  void not_written(const std::string& node);
  /// `node` needs nothing any more. True when there was a hint.
  bool erase(const std::string& node);

  bool contains(const std::string& node) const;
  /// It is on disk, or being written.
  bool is_written(const std::string& node) const;
  /// `node` has refused the item a short while ago.
  bool is_resting(const std::string& node, timestamp now) const;

private:
  struct hint {
    bool written = false;
    duration pause{};
    bool refused = false;
    timestamp next{}; // time of the next try for one that answered with an error
  };

  std::map<std::string, hint> hints_;
};

} // namespace gnomon
