#pragma once

#include "actors/shadow/copy_search.hpp"
#include "actors/shadow/pending_writes.hpp"
#include "actors/shadow/shadow_part.hpp"

#include <optional>

namespace gnomon {

/// What a shadow does with a client's write: becoming a holder, the dot, the acks. `pending_writes` knows which writes
/// have their acks.
class shadow_writes : public shadow_part {
public:
  explicit shadow_writes(shadow_core& core) : shadow_part(core) {}
  void start();

  /// Answers when enough holders have the write on disk.
  void write(const write_item& request, answer<write_receipt> reply);
  /// `node` has synced everything that `context` covers. A copy stays pinned until `min_copies` durable holders have
  /// its versions.
  void acknowledge(const std::string& node, const version_vector& context, bool node_counts);
  /// `node` has left the holders.
  void forget_holder(const std::string& node) {
    pending_->forget(node);
  }
  /// True when `node` has confirmed everything that is here.
  bool has_all(const std::string& node) const {
    return pending_->has_confirmed(node, item().versions().context);
  }
  void check_deadlines();
  void fail_all(const caf::error& reason) {
    pending_->fail_all(reason);
  }
  /// No write waits for its acks.
  bool empty() const {
    return pending_->empty();
  }

private:
  /// A client's write that waits for other regions before it can be applied here.
  struct unapplied_write {
    time_point deadline;
    answer<write_receipt> reply;
  };

  // in the order in which a write meets them
  void pass_to_permitted(const write_item& request, const answer<write_receipt>& reply);
  bool passed_on(const write_item& request, const answer<write_receipt>& reply);
  void write_where_it_is(const write_item& request, time_point deadline, answer<write_receipt> reply);
  bool must_know(const write_item& request) const;
  void begin_or_pass(const write_item& request, const copy_search& s, time_point deadline, answer<write_receipt> reply);
  void decide(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void decide_with_all(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void delete_everywhere(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void hear_all(const write_item& request, time_point deadline, answer<write_receipt> reply,
                const std::function<void(const version_vector&)>& then);
  caf::error too_crowded(const write_item& request, conflict_rule conflicts) const;
  void apply(const write_item& request, time_point deadline, answer<write_receipt> reply);
  dot make_version(const write_item& request, conflict_rule conflicts);
  void describe(pending_writes::write& w, const write_item& request) const;
  void catch_up(const write_item& request, const version_vector& needs, time_point deadline,
                answer<write_receipt> reply);
  void write_synced(uint64_t number);
  void await_others(time_point deadline, const answer<write_receipt>& reply);
  void look_again_at(time_point deadline);

  std::vector<unapplied_write> unapplied_;
  std::optional<time_point> next_look_; // at deadlines
  std::unique_ptr<pending_writes> pending_;
};

} // namespace gnomon
