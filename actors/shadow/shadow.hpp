#pragma once

#include "actors/shadow/shadow_damage.hpp"
#include "actors/shadow/shadow_debts.hpp"
#include "actors/shadow/shadow_demotion.hpp"
#include "actors/shadow/shadow_feed.hpp"
#include "actors/shadow/shadow_holders.hpp"
#include "actors/shadow/shadow_lifetime.hpp"
#include "actors/shadow/shadow_listing.hpp"
#include "actors/shadow/shadow_placing.hpp"
#include "actors/shadow/shadow_residency.hpp"
#include "actors/shadow/shadow_search.hpp"
#include "actors/shadow/shadow_snapshot.hpp"
#include "actors/shadow/shadow_steward.hpp"
#include "actors/shadow/shadow_transfer.hpp"
#include "actors/shadow/shadow_updates.hpp"
#include "actors/shadow/shadow_writes.hpp"

namespace gnomon {

struct shadow_config {
  std::string id;
  shard_actor shard;       // its supervisor and its way to the catalog
  bool in_catalog = false; // the shard counts a copy of the item
};

/// The state of one item's shadow. It loads the copy, answers reads, persists changes and shows what is synced. Its
/// parts do the rest, each with a header of its own; `shadow(...)` below hands each message to the part that answers
/// it. What waits for an outcome is in `readers_`, `search`, `writes` or `updates`.
class shadow_state : public shadow_part {
public:
  shadow_state() : shadow_part(own_core_) {}
  const char* name = "shadow";

  void start(shadow_actor::pointer self, context_ptr node, shadow_config config);

  /// Runs `step` with an answer of type `T` as soon as the record has been read. When the record cannot be read, the
  /// answer fails.
  template <class T, class F>
  caf::result<T> when_loaded(F step) {
    answer<T> reply{self()->make_response_promise<T>()};
    load_again_if_damaged();
    after_loading([=, this] { broken_ ? reply.fail(broken_) : step(reply); });
    return caf::delegated<T>{};
  }
  /// The same for messages that need no answer.
  template <class F>
  void once_loaded(F step) {
    load_again_if_damaged();
    after_loading([=, this] {
      if (!broken_)
        step();
    });
  }
  /// The record has been read. `problem`: why the copy cannot be used.
  void loaded(caf::error problem);
  void expiry_due(timestamp at);
  /// Quits when nothing is under way. The shard sends nothing more until we have answered.
  caf::result<bool> stop_if_idle();

  // -- reading
  void read(const read_item& request, answer<item_versions> reply);
  bool has_readers() const {
    return !readers_.empty();
  }
  void search_for_readers();
  /// Answers every waiting reader whom the local copy, or `found`, satisfies now.
  void answer_readers();
  void answer_readers(const item_versions& found, bool stale);
  /// The search with this number has found nothing. Who came while it was under way cannot take its word: the item may
  /// have begun since.
  void fail_readers_of(uint64_t search, const caf::error& reason);

  // -- what follows a change
  /// Sends what changed to the store; once it is synced, the state of now becomes visible and `after` runs. One batch
  /// is under way at a time: a later record names the values of an earlier one, so it must not be stored where that
  /// failed.
  void persist(std::function<void()> after = {});
  bool is_syncing() const {
    return syncing_;
  }
  /// No write, search or sync is under way.
  bool is_quiet() const {
    return writes.empty() && !search.is_under_way() && !syncing_;
  }
  /// Puts the synced copy into the read index, or takes it out.
  void publish();
  /// The copy goes: readers get it no more.
  void hide();

private:
  struct waiting_reader {
    read_item request;
    answer<item_versions> reply;
    uint64_t search = 0; // the first one that began after it
  };

  void load();
  /// Runs `step` once the record has been read, or could not be.
  template <class F>
  void after_loading(F step) {
    if (loaded_)
      step();
    else
      waiting_for_load_.push_back(std::move(step));
  }
  void load_again_if_damaged();
  bool satisfies(const read_item& request) const;
  void answer_reader(const waiting_reader& reader, const item_versions& found, bool stale);
  void fail_readers(const caf::error& reason);
  void sync();
  void show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy);
  bool is_busy();
  void look_for_newer();
  void fall_asleep();

  shadow_core own_core_{*this};
  bool loaded_ = false;
  caf::error broken_;
  std::vector<std::function<void()>> waiting_for_load_;
  std::vector<waiting_reader> readers_;
  time_point asked_around_{}; // when a forwarded read last found this copy too old

public:
  // -- the parts
  shadow_search search{own_core_};
  shadow_writes writes{own_core_};
  shadow_updates updates{own_core_};
  shadow_transfer transfer{own_core_};
  shadow_holders holders{own_core_};
  shadow_debts debts{own_core_};
  shadow_placing placing{own_core_};
  shadow_steward steward{own_core_};
  shadow_demotion demoting{own_core_};
  shadow_residency residency{own_core_};
  shadow_lifetime lifetime{own_core_};
  shadow_damage damage{own_core_};
  shadow_snapshot snapshot{own_core_};
  shadow_listing listing{own_core_};
  shadow_feed feed{own_core_};

private:
  bool syncing_ = false;
  std::vector<std::function<void()>> after_sync_; // work that waits for the sync after the one under way
};

shadow_actor::behavior_type shadow(shadow_actor::stateful_pointer<shadow_state> self, context_ptr node,
                                   shadow_config config);

} // namespace gnomon
