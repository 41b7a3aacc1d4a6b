#pragma once

#include "actors/messages/answer.hpp"
#include "actors/node/copy_economy.hpp"
#include "actors/node/node_context.hpp"
#include "actors/node/patience.hpp"
#include "actors/shadow/copy_search.hpp"
#include "actors/shadow/demotion.hpp"
#include "actors/shadow/hint_book.hpp"
#include "actors/shadow/pending_writes.hpp"
#include "actors/shadow/reaping.hpp"
#include "actors/shadow/replica.hpp"

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
/// waits in `readers_`, `search_` or `writes_` for its outcome. `item_` is the pending state, `visible_` the synced
/// one.
class shadow_state {
public:
  using self_pointer = shadow_actor::stateful_pointer<shadow_state>;

  shadow_state() = default;
  const char* name = "shadow";

  void start(self_pointer self, context_ptr node, shadow_config config);

  /// Runs `step` with an answer of type `T` as soon as the record has been read. When the record cannot be read, the
  /// answer fails.
  template <class T, class F>
  caf::result<T> when_loaded(F step) {
    answer<T> reply{self_->make_response_promise<T>()};
    last_used_ = self_->clock().now();
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
    last_used_ = self_->clock().now();
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
  void write(const write_item& request, answer<write_receipt> reply);
  void place(const place_copies& request, answer<shadow_plan> reply);
  void report(answer<copy_report> reply);
  void note_access(const access_batch& batch);
  caf::result<bool> stop_if_idle();
  void check_deadlines();

  // what other holders ask: shadow_peers.cpp
  void give(const fetch_item& request, answer<item_copy> reply);
  void give_value(const fetch_value& request, const answer<version_value>& reply); // shadow_values.cpp
  bool may_be_behind() const;
  void merge(const replicate_item& request, answer<replicate_ack> reply);
  void accept(const invite_copy& request, answer<invite_answer> reply);
  void note_reader_elsewhere();
  void learn_holders(const update_holders& request, answer<holders_ack> reply);
  void hand_off(const std::string& node);
  void meet_twin(const std::string& node);
  void verify(const std::string& node);
  void check_expiry();
  void expiry_due(timestamp at);
  void make_room(); // shadow_economy.cpp

  void holder_is_late(uint64_t number); // shadow_search.cpp
  void hedge_early(uint64_t number);

  // anti-entropy and tombstones: shadow_tombstones.cpp
  void compare_with(const std::string& node);
  void do_steward_duty();
  void execute_order(const steward_order& order, answer<steward_answer> reply);

  // what a snapshot brings: shadow_load.cpp
  void load_versions(const load_item& request, answer<load_receipt> reply);

private:
  struct waiting_reader {
    read_item request;
    answer<item_versions> reply;
    uint64_t search = 0; // the first one that began after it
  };
  /// A client's write that waits for other regions before it can be applied here.
  struct unapplied_write {
    caf::actor_clock::time_point deadline;
    answer<write_receipt> reply;
  };
  bool is_busy();

  // loading: shadow.cpp, shadow_damage.cpp
  void load();
  void load_again_if_damaged();
  void load_values(const std::string& record);
  void take_values(const std::string& record, const std::vector<dot>& dots, const std::set<std::string>& owed,
                   store_values& got);
  void loaded(caf::error problem);
  struct damage;
  void damaged(damage found);
  void ask_for_sound_copy(const std::shared_ptr<damage>& found);
  void give_versions_up(const damage& found);
  void note_sound_copy(damage& found, const item_copy& copy, const std::string& node) const;
  bool mend(const damage& found, const item_copy& sound);
  void clear_for(const item_copy& sound, const std::string& giver);
  void join_anew(const std::string& giver, holder_state as);
  void agree_with_catalog();

  // reading: shadow.cpp
  bool satisfies(const read_item& request) const;
  bool is_behind() const;
  void look_for_newer();
  void answer_reader(const waiting_reader& reader, const item_versions& found, bool stale);
  void answer_readers();
  void answer_readers(const item_versions& found, bool stale);
  void fail_readers(const caf::error& reason);
  void search_for_readers();

  // searching: shadow_search.cpp
  void find_copy(stay keep, audience whom, traffic urgency, std::string first, copy_search::after then);
  void ask_next();
  void hedge();
  void ask_holder(const std::string& holder);
  bool is_over(uint64_t number) const;
  void ask_everyone();
  void refused(const std::string& holder);
  void answered_by(const std::string& holder, item_copy copy);
  void failed_at(const std::string& holder, ec reason);
  void found(item_copy copy, const std::string& giver);
  void answer_with(const item_copy& copy, const std::string& giver);
  void kept_away(const std::string& giver);
  void set_aside(const item_copy& copy, const std::string& giver);
  void show_aside();
  void take_newer(const item_copy& copy, const std::string& giver, std::function<void()> then);
  void repair_older(const item_copy& newer);
  void go_on();
  void drop_joining_record();
  void settle(const item_copy& copy);
  void search_failed();
  caf::error why_not_found(const copy_search& s) const;
  void end_search();

  // writing: shadow_writes.cpp
  using time_point = caf::actor_clock::time_point;
  bool passed_on(const write_item& request, const answer<write_receipt>& reply);
  void pass_to_permitted(const write_item& request, const answer<write_receipt>& reply);
  caf::error too_crowded(const write_item& request, conflict_rule conflicts) const;
  void write_where_it_is(const write_item& request, time_point deadline, answer<write_receipt> reply);
  bool must_know(const write_item& request) const;
  void begin_or_pass(const write_item& request, const copy_search& s, time_point deadline, answer<write_receipt> reply);
  void decide(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void decide_with_all(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void delete_everywhere(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void hear_all(const write_item& request, time_point deadline, answer<write_receipt> reply,
                const std::function<void(const version_vector&)>& then);
  void apply(const write_item& request, time_point deadline, answer<write_receipt> reply);
  void catch_up(const write_item& request, const version_vector& needs, time_point deadline,
                answer<write_receipt> reply);
  dot make_version(const write_item& request, conflict_rule conflicts);
  void describe(pending_writes::write& w, const write_item& request) const;
  void write_synced(uint64_t number);
  void acknowledge(const std::string& node, const version_vector& context, bool counts);

  // loading a snapshot's item: shadow_load.cpp
  struct loading;
  void merge_loaded(const std::shared_ptr<loading>& job);
  void ask_who_has(const std::shared_ptr<loading>& job);
  void compare_at(const std::shared_ptr<loading>& job, std::vector<std::string> nodes);
  void merge_at(const std::shared_ptr<loading>& job, std::string node, const item_copy& there);
  void begin_loaded(const std::shared_ptr<loading>& job);

  // values that travel by themselves: shadow_values.cpp
  using after_values = std::function<void(const caf::error&)>;
  void complete_update(const replicate_item& request, answer<replicate_ack> reply);
  void fetch_values(std::shared_ptr<item_copy> copy, const std::string& giver, traffic urgency, after_values then);

  // what follows a change: shadow_peers.cpp, shadow_updates.cpp
  void persist(std::function<void()> after = {});
  void sync();
  void show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy);
  void tell_feed(const item_versions* before);
  bool take_in(const item_copy& copy);
  void merge_holders(const std::string& node, const holder_map& theirs);
  void compare(const std::string& node, const version_vector& theirs, bool node_counts);
  void answered(const std::string& node, uint32_t epoch, const holders_ack& ack);
  holders_ack standing() const;
  void pass_along(const std::string& source);
  void publish();
  void replicate(traffic urgency);
  void send_update(const std::string& node, traffic urgency);
  void update_acknowledged(const std::string& node, const replicate_ack& ack, traffic urgency);
  void update_failed(const std::string& node, uint32_t epoch, ec reason, std::shared_ptr<deliveries::update> update);
  void pull_from(const std::string& node);
  void leave_hint(const std::string& node, ec reason, std::shared_ptr<deliveries::update> update = {});
  void tell_behind(const std::string& node);
  void tell_forbidden(const std::string& node);
  void settle_debt(const std::string& node);
  void mark_left(const std::string& node, uint32_t epoch);
  void review_debts();
  void tell_holders(const std::vector<std::string>& nodes, const holder_map& news);
  void tell_holder(const std::string& node, const holder_map& news, std::function<void(const holders_ack&)> then = {});
  void not_told(const std::string& node, ec reason);
  void place_elsewhere(const place_copies& request, answer<shadow_plan> reply);
  void invite(std::shared_ptr<std::deque<std::string>> candidates, invite_copy invitation,
              std::shared_ptr<shadow_plan> plan = {}, traffic urgency = traffic::repair);
  void place_first_copies();
  void drop();
  void move_away();
  void apply_residency();
  void adjust_counters();

  // what it costs and saves: shadow_economy.cpp
  copy_facts facts() const;
  lease settled(lease terms) const;
  bool lives_adaptively() const;
  void review_lifetime();
  std::string why_kept() const;
  bool is_needed() const;

  // anti-entropy and tombstones: shadow_tombstones.cpp
  copy_note current_note() const;
  void note_copy();
  bool holds_exactly(const version_vector& context) const;
  steward_answer how_things_stand(bool done) const;
  void reap();
  void go_on_reaping();
  void send_order(const std::string& node, steward_word word);
  void answered(const std::string& node, steward_word word, uint32_t epoch, const steward_answer& answer);
  void forget(std::function<void()> after);

  // copies that policy does not ask for: shadow_demotion.cpp
  bool has_to_demote() const;
  bool may_demote() const;
  std::vector<std::string> durable_in_reach() const;
  void demote_one();
  void begin_demotion(std::vector<std::string> others, std::string leaver);
  void step_down();
  bool may_become_shadow(const version_vector& context) const;
  void become_shadow(std::function<void()> then);
  void hear_demands(const std::vector<std::string>& nodes, std::function<void(demands)> then);
  void follow_demand();
  bool may_take_over() const;
  void go_on_demoting();
  void end_demotion();
  bool is_guarding();
  bool guard(const steward_order& order);
  void be_demoted(const steward_order& order, answer<steward_answer> reply);
  void dismiss_surplus();
  void dismiss(std::vector<std::string> shadows);
  void be_dismissed(const steward_order& order, answer<steward_answer> reply);
  void be_dropped(answer<steward_answer> reply);

  template <class Reply, class Message, class Done, class Failed>
  void ask_peer(const std::string& peer, traffic urgency, Message message, Done done, Failed failed);
  template <class Reply, class Message, class Hear>
  void ask_each(const std::vector<std::string>& nodes, traffic urgency, const Message& question, Hear hear,
                std::function<void()> then);
  template <class Reply, class Message>
  void pass_to(const std::string& peer, const Message& message, const answer<Reply>& reply);
  policy rules() const;
  bool may_hold(const std::string& node) const;
  bool may_hold(const std::string& node, const version_set& versions) const;
  bool may_take(const version_set& versions) const; // here, beside what is here
  bool is_forbidden(const std::string& node,
                    const version_set& versions) const; // known to be where a rule keeps it away
  bool counts() const;                                  // durable or pinned
  std::vector<std::string> others() const;
  timestamp now() const {
    return node_->time->now();
  }

  self_pointer self_ = nullptr;
  context_ptr node_;
  shard_actor shard_;
  std::unique_ptr<replica> item_;
  std::shared_ptr<const item_versions> visible_; // null: no copy here
  std::shared_ptr<const item_copy> synced_;      // the same with all that other holders need
  version_vector behind_;                        // what a peer has and this copy could not take
  timestamp rests_until_{};                      // until then it does not try to fetch that again
  bool loaded_ = false;
  caf::error broken_;
  caf::actor_clock::time_point mended_next_{}; // when to look for a sound copy again
  std::vector<std::function<void()>> waiting_for_load_;
  std::vector<waiting_reader> readers_;
  std::unique_ptr<copy_search> search_;
  std::vector<unapplied_write> unapplied_;
  std::unique_ptr<pending_writes> writes_;
  uint64_t next_search_ = 0;
  bool syncing_ = false;
  std::vector<std::function<void()>> after_sync_;  // work that waits for the sync after the one under way
  std::vector<answer<replicate_ack>> merging_;     // updates that are being synced
  size_t questions_under_way_ = 0;                 // requests to peers that are not answered yet
  bool unsaved_ = false;                           // counts and settled debts that the record on disk lacks
  holder_state counted_role_ = holder_state::left; // what this copy adds to the node's counters
  uint64_t counted_bytes_ = 0;
  size_t counted_versions_ = 0;
  bool counted_deleted_ = false;
  uint32_t counted_until_ = 0;
  copy_note noted_; // what anti-entropy knows of this copy
  std::unique_ptr<demotion> demotion_;
  guard_promises promises_;
  bool weighing_ = false; // durable holders are being asked how much the item is wanted there
  caf::actor_clock::time_point weighs_next_{};
  std::unique_ptr<reaping> reaping_; // under way
  hlc_source stamps_;
  std::map<std::string, bool> updates_; // one under way to each of these; true: another has to follow
  std::set<std::string> pulling_;       // nodes whose newer versions are being fetched
  hint_book hints_;
  caf::actor_clock::time_point asked_around_{}; // when a forwarded read last found this copy too old
  bool in_catalog_ = false;
  std::vector<item_step> written_; // followed writes that are not visible yet
  caf::actor_clock::time_point last_used_;
  caf::actor_clock::time_point next_move_{}; // when to look again for a region that takes the copy over
};

/// Leaves out the values that do not fit into one message.
item_copy within_a_message(item_copy copy);

shadow_actor::behavior_type shadow(shadow_actor::stateful_pointer<shadow_state> self, context_ptr node,
                                   shadow_config config);

/// Sends `message` over the link to `peer`. Without a usable link, `failed` gets peer_gone. The question counts as
/// under way.
template <class Reply, class Message, class Done, class Failed>
void shadow_state::ask_peer(const std::string& peer, traffic urgency, Message message, Done done, Failed failed) {
  auto view = node_->cluster.get();
  auto known = view->reachable(peer);
  if (!known)
    return failed(make_error(ec::peer_gone, "region of node " + peer + " is not reachable"));
  ++questions_under_way_;
  // The link answers the question, or fails it in time. CAF's own timer for each question would live until its end,
  // answered or not.
  self_->request(known->link, caf::infinite, urgency, std::move(message))
      .then(
          [this, done](Reply& reply) {
            --questions_under_way_;
            done(reply);
          },
          [this, failed, urgency](caf::error& reason) {
            --questions_under_way_;
            if (auto code = code_of(reason);
                urgency != traffic::client && (code == ec::timeout || code == ec::overloaded))
              node_->pace.peer_is_late();
            failed(reason);
          });
}

/// Asks each of these nodes, all at once. `hear` gets a node's name, and its answer or error; `then` follows the last.
template <class Reply, class Message, class Hear>
void shadow_state::ask_each(const std::vector<std::string>& nodes, traffic urgency, const Message& question, Hear hear,
                            std::function<void()> then) {
  auto open = std::make_shared<size_t>(nodes.size() + 1);
  auto one_less = [open, then = std::move(then)] {
    if (--*open == 0)
      then();
  };
  for (const auto& node : nodes) {
    auto answered = [hear, one_less, node](expected<Reply> there) {
      hear(node, there);
      one_less();
    };
    ask_peer<Reply>(
        node, urgency, question, [answered](Reply& there) { answered(std::move(there)); },
        [answered](const caf::error& reason) { answered(reason); });
  }
  one_less();
}

/// `peer` answers in our place.
template <class Reply, class Message>
void shadow_state::pass_to(const std::string& peer, const Message& message, const answer<Reply>& reply) {
  ask_peer<Reply>(
      peer, traffic::client, message, [reply](Reply& got) { reply.give(std::move(got)); },
      [reply](const caf::error& reason) { reply.fail(reason); });
}

} // namespace gnomon
