#pragma once

#include "actors/shadow/hint_book.hpp"
#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// The other holders that still need the current versions. The record names those that are owed them. A holder that
/// could not take them gets a hint on disk, which serves it when it is back.
class shadow_debts : public shadow_part {
public:
  explicit shadow_debts(shadow_core& core) : shadow_part(core) {}

  /// Remembers on disk that `node` has not got the current versions; they are sent as they are when it is back, or,
  /// when it answered with an error, after a pause that grows. An error that does not pass by itself is the item's
  /// trouble: the node's other items do not wait for it. The update counts as under way until the hint is synced.
  void leave_hint(const std::string& node, ec reason, std::shared_ptr<deliveries::update> update = {});
  /// `node` did not answer to news. What it is owed, or was to join, is left to a hint from now on.
  void not_told(const std::string& node, ec reason);
  /// A rule has come to keep the versions away from `node`: what it has is of the past, and goes.
  void tell_forbidden(const std::string& node);
  /// `node` has the current versions, or is no holder any more.
  void settle_debt(const std::string& node);
  /// Asks other holders what they have: those that this copy owes something, those that may release it from its pin,
  /// and those that joined and have not been heard of since. Their answers settle the debt, or tell what to send. A
  /// holder with a hint is not asked; the hint takes care of it.
  void review_debts();

  /// The store had a hint when the shadow woke.
  void found_hint(const std::string& node, std::string_view value);
  /// `node` missed an update: it gets the versions as they are now. Without a copy the hint has lost its meaning.
  void hand_off(const std::string& node);
  /// `node` has refused the item a short while ago.
  bool is_resting(const std::string& node) const {
    return hints_.is_resting(node, now());
  }

private:
  void tell_behind(const std::string& node);

  hint_book hints_;
};

} // namespace gnomon
