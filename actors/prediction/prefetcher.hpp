#pragma once

#include "actors/node/node_context.hpp"
#include "actors/prediction/prefetch_budget.hpp"
#include "learning/base/calibration.hpp"

#include <deque>
#include <map>
#include <string>

namespace gnomon {

/// Turns wishes into copies in this region, as far as the budget allows, and finds out what became of each.
class prefetcher_state {
public:
  using self_pointer = prefetcher_actor::stateful_pointer<prefetcher_state>;

  prefetcher_state() : budget_({}) {}
  const char* name = "prefetcher";

  void start(self_pointer self, context_ptr node);
  void consider(const prefetch_wishes& batch);
  void note_reads(const access_batch& batch);
  void look();

private:
  /// A copy made ahead of its first read.
  struct ahead {
    timestamp made{};
    timestamp due{};
    float confidence = 0;
    uint64_t expected = 0; // bytes taken from the budget
    uint64_t bytes = 0;    // as its report said; 0 before
    bool there = false;    // its report has arrived
    bool used = false;
    caf::actor_clock::time_point given_up{}; // when it is not there by then, it will not come
  };
  using copies = std::map<std::string, ahead>;

  void ask(const prefetch_wish& wish);
  bool pays(const prefetch_wish& wish, const std::string& giver) const;
  void invite(const prefetch_wish& wish, const std::string& giver);
  void inspect(const std::string& id);
  void note_use(ahead& copy, timestamp when);
  copies::iterator settle(copies::iterator copy);
  copies::iterator withdraw(copies::iterator copy);
  void publish();
  duration lifetime(const std::string& id) const;
  timestamp now() const {
    return node_->time->now();
  }

  self_pointer self_ = nullptr;
  context_ptr node_;
  prefetch_budget budget_;
  copies ahead_;
  std::map<std::string, timestamp> declined_; // ids that are held here or nowhere, and until when that is assumed
  size_t asking_ = 0;
  double mean_bytes_ = 4096; // of a copy, fading
  learning::calibration_table said_;
};

prefetcher_actor::behavior_type prefetcher(prefetcher_actor::stateful_pointer<prefetcher_state> self, context_ptr node);

} // namespace gnomon
