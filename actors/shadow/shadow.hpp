#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/node_context.hpp"
#include "actors/node/patience.hpp"
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

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gnomon {

struct shadow_config {
  std::string id;
  shard_actor shard;       // its supervisor and its way to the catalog
  bool in_catalog = false; // the shard counts a copy of the item
};

/// The state of one item's shadow. The members stand in the order in which a request meets them. Work of several steps
/// waits in `readers_`, `search` or `writes` for its outcome.
class shadow_state : public shadow_part {
public:
  using self_pointer = shadow_actor::stateful_pointer<shadow_state>;

  shadow_state()
      : shadow_part(own_core_), search(own_core_), writes(own_core_), updates(own_core_), placing(own_core_),
        transfer(own_core_), holders(own_core_), debts(own_core_), steward(own_core_), demoting(own_core_),
        residency(own_core_), lifetime(own_core_), damage(own_core_), snapshot(own_core_), listing(own_core_),
        feed(own_core_) {}
  const char* name = "shadow";

  void start(self_pointer self, context_ptr node, shadow_config config);

  /// Runs `step` with an answer of type `T` as soon as the record has been read. When the record cannot be read, the
  /// answer fails.
  template <class T, class F>
  caf::result<T> when_loaded(F step) {
    answer<T> reply{self()->make_response_promise<T>()};
    load_again_if_damaged();
    if (broken_)
      reply.fail(broken_);
    else if (loaded_)
      step(reply);
    else
      waiting_for_load_.push_back([=, this] { broken_ ? reply.fail(broken_) : step(reply); });
    return caf::delegated<T>{};
  }

  /// The same for messages that need no answer.
  template <class F>
  void once_loaded(F step) {
    load_again_if_damaged();
    if (loaded_ && !broken_)
      step();
    else if (!loaded_)
      waiting_for_load_.push_back([=, this] {
        if (!broken_)
          step();
      });
  }

  // a client's requests: shadow.cpp, shadow_writes.cpp, shadow_placing.cpp
  void read(const read_item& request, answer<item_versions> reply);
  caf::result<bool> stop_if_idle();

  // what other holders ask: shadow_peers.cpp
  void expiry_due(timestamp at);

  /// Sends what changed to the store; once it is synced, the state of now becomes visible and `after` runs. One batch
  /// is under way at a time: a later record names the values of an earlier one, so it must not be stored where that
  /// failed.
  void persist(std::function<void()> after = {});
  /// No write, search or sync is under way.
  bool is_quiet() const {
    return writes.empty() && !search.is_under_way() && !syncing_;
  }
  bool is_syncing() const {
    return syncing_;
  }
  /// The copy goes: readers get it no more.
  void hide();

  // anti-entropy and tombstones: shadow_tombstones.cpp

  // what a snapshot brings: shadow_load.cpp

  struct waiting_reader {
    read_item request;
    answer<item_versions> reply;
    uint64_t search = 0; // the first one that began after it
  };
  bool is_busy();

  // loading: shadow.cpp, shadow_damage.cpp
  void load();
  void load_again_if_damaged();
  void loaded(caf::error problem);

  // reading: shadow.cpp
  bool satisfies(const read_item& request) const;
  void look_for_newer();
  void answer_reader(const waiting_reader& reader, const item_versions& found, bool stale);
  void answer_readers();
  void answer_readers(const item_versions& found, bool stale);
  bool has_readers() const {
    return !readers_.empty();
  }
  void fail_readers(const caf::error& reason);
  /// The search with this number has found nothing. Who came while it was under way cannot take its word: the item may
  /// have begun since.
  void fail_readers_of(uint64_t search, const caf::error& reason);
  void search_for_readers();

  // what follows a change: shadow_peers.cpp, shadow_updates.cpp
  void sync();
  void show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy);
  void publish();

  // anti-entropy and tombstones: shadow_tombstones.cpp

  // copies that policy does not ask for: shadow_demotion.cpp

private:
  shadow_core own_core_{*this};
  bool loaded_ = false;
  caf::error broken_;
  std::vector<std::function<void()>> waiting_for_load_;
  std::vector<waiting_reader> readers_;

public:
  shadow_search search;
  shadow_writes writes;

private:
  bool syncing_ = false;
  std::vector<std::function<void()>> after_sync_; // work that waits for the sync after the one under way
  caf::actor_clock::time_point asked_around_{};   // when a forwarded read last found this copy too old

public:
  shadow_updates updates;
  shadow_placing placing;
  shadow_transfer transfer;
  shadow_holders holders;
  shadow_debts debts;
  shadow_steward steward;
  shadow_demotion demoting;
  shadow_residency residency;
  shadow_lifetime lifetime;
  shadow_damage damage;
  shadow_snapshot snapshot;
  shadow_listing listing;
  shadow_feed feed;
};

shadow_actor::behavior_type shadow(shadow_actor::stateful_pointer<shadow_state> self, context_ptr node,
                                   shadow_config config);

} // namespace gnomon
