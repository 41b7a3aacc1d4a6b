#pragma once

#include "actors/shadow/copy_search.hpp"
#include "actors/shadow/shadow_part.hpp"

namespace gnomon {

/// How a shadow finds a copy of its item: the holders that the catalog names, nearest first, then every region. One
/// search is under way at a time, and all who want the item share it. `copy_search` decides whom to ask next.
class shadow_search : public shadow_part {
public:
  explicit shadow_search(shadow_core& core) : shadow_part(core) {}

  /// Starts a search or joins the one under way; `then` runs when it ends, found or not. Returns that search, for what
  /// it has to know besides.
  copy_search& find_copy(stay keep, audience whom, traffic urgency, std::string first, copy_search::after then);
  bool is_under_way() const {
    return search_ != nullptr;
  }
  /// `then` runs when the search under way ends.
  void await_end(copy_search::after then);
  /// Of the next search that begins.
  uint64_t next_number() const {
    return next_;
  }
  /// What to say when a search has found nothing.
  caf::error why_not_found(const copy_search& s) const;

  // -- timers
  /// A holder takes long; it may be frozen. The next one is asked as well, and the first answer counts. When there is
  /// no next one, readers get what there is.
  void holder_is_late(uint64_t number);
  /// It takes longer than 99 % of the reads at that holder: some of these are hedged.
  void hedge_early(uint64_t number);

private:
  // in the order of a search
  void ask_next();
  void ask_holder(const std::string& holder);
  void hedge();
  void answered_by(const std::string& holder, item_copy copy);
  void failed_at(const std::string& holder, ec reason);
  void refused(const std::string& holder);
  bool is_over(uint64_t number) const;
  void ask_everyone();
  void found(item_copy copy, const std::string& giver);
  void answer_with(const item_copy& copy, const std::string& giver);
  void set_aside(const item_copy& copy, const std::string& giver);
  void show_aside();
  void repair_older(const item_copy& newer);
  void kept_away(const std::string& giver);
  void settle(const item_copy& copy);
  void go_on();
  void search_failed();
  void drop_joining_record();
  void end_search();

  std::unique_ptr<copy_search> search_;
  uint64_t next_ = 0;
};

} // namespace gnomon
