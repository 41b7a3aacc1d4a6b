#include "actors/shadow/shadow.hpp"

#include "actors/node/known_nodes.hpp"
#include "runtime/base/byte_range.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

shadow_actor::behavior_type shadow(shadow_actor::stateful_pointer<shadow_state> self, context_ptr node,
                                   shadow_config config) {
  auto& state = self->state;
  state.start(self, std::move(node), std::move(config));
  return {
      [&](const read_item& x) {
        return state.when_loaded<item_versions>([&, x](auto reply) { state.read(x, reply); });
      },
      [&](const write_item& x) {
        return state.when_loaded<write_receipt>([&, x](auto reply) { state.writes.write(x, reply); });
      },
      [&](const place_copies& x) {
        return state.when_loaded<shadow_plan>([&, x](auto reply) { state.placing.place(x, reply); });
      },
      [&](const fetch_item& x) {
        return state.when_loaded<item_copy>([&, x](auto reply) { state.transfer.give(x, reply); });
      },
      [&](const fetch_value& x) {
        return state.when_loaded<version_value>([&, x](auto reply) { state.transfer.give_value(x, reply); });
      },
      [&](const replicate_item& x) {
        return state.when_loaded<replicate_ack>([&, x](auto reply) { state.updates.merge(x, reply); });
      },
      [&](const invite_copy& x) {
        return state.when_loaded<invite_answer>([&, x](auto reply) { state.placing.accept(x, reply); });
      },
      [&](const update_holders& x) {
        return state.when_loaded<holders_ack>([&, x](auto reply) { state.holders.learn_holders(x, reply); });
      },
      [&](const get_copy_report&) {
        return state.when_loaded<copy_report>([&](auto reply) { state.lifetime.report(reply); });
      },
      [&](const load_item& x) {
        return state.when_loaded<load_receipt>([&, x](auto reply) { state.snapshot.load_versions(x, reply); });
      },
      [&](const access_batch& x) { state.once_loaded([&, x] { state.lifetime.note_access(x); }); },
      [&](expire_a) { state.once_loaded([&] { state.lifetime.check_expiry(); }); },
      [&](const expiry_due& x) { x.make_room ? state.lifetime.make_room() : state.expiry_due(x.at); },
      [&](refresh_a, const std::string& peer) { state.once_loaded([&, peer] { state.debts.hand_off(peer); }); },
      [&](meet_a, const std::string& peer) { state.once_loaded([&, peer] { state.holders.meet_twin(peer); }); },
      [&](verify_a, const std::string& peer) { state.once_loaded([&, peer] { state.holders.verify(peer); }); },
      [&](deadline_a) { state.writes.check_deadlines(); },
      [&](const steward_order& x) {
        return state.when_loaded<steward_answer>([&, x](auto reply) { state.steward.execute_order(x, reply); });
      },
      [&](compare_a, const std::string& peer) { state.once_loaded([&, peer] { state.holders.compare_with(peer); }); },
      [&](reap_a) { state.once_loaded([&] { state.steward.do_steward_duty(); }); },
      [&](deadline_a, uint64_t number) { state.search.holder_is_late(number); },
      [&](hedge_a, uint64_t number) { state.search.hedge_early(number); },
      [&](tick_a) { return state.stop_if_idle(); },
  };
}

void shadow_state::start(shadow_actor::pointer self, context_ptr node, shadow_config config) {
  core_.self = self;
  core_.node = std::move(node);
  core_.shard = std::move(config.shard);
  listing.start(config.in_catalog);
  core_.item = std::make_unique<replica>(std::move(config.id), this_node().self.node);
  writes.start();
  // The shard is not monitored: it ends its shadows when it ends itself, and would remember each that monitored it for
  // good.
  load();
}

// -- loading

void shadow_state::load() {
  auto store = this_node().store(item().record().id);
  self()
      ->request(store, caf::infinite, store_get{{keys::record(item().record().id)}}) // always answers
      .then([this](store_values& got) { got.found[0] ? damage.load_values(got.values[0].view()) : loaded({}); },
            [this](caf::error& reason) {
              code_of(reason) == ec::store_corrupt ? damage.load_values({}) : loaded(reason);
            });
}

/// A sound copy may have been out of reach. What asks for the item makes the shadow look for it again, now and then.
void shadow_state::load_again_if_damaged() {
  if (!loaded_ || !broken_ || !damage.may_try_again())
    return;
  loaded_ = false;
  broken_ = {};
  load();
}

void shadow_state::loaded(caf::error problem) {
  if (problem) {
    broken_ = make_error(code_of(problem), "item '" + item().record().id + "': " + sentence_of(problem));
    log::error("shadow", "unreadable", {{"id", item().record().id}, {"reason", sentence_of(problem)}});
  }
  loaded_ = true;
  item().begin_incarnation(this_node().self.incarnation);
  auto joins_anew = item().limit_join(now());
  if (item().present()) {
    core_.visible = std::make_shared<const item_versions>(item().snapshot());
    core_.synced = std::make_shared<const item_copy>(item().copy());
  }
  if (!broken_)
    listing.agree_with_catalog();
  for (const auto& s : item().versions().siblings)
    core_.stamps.observe(s.stamp);
  auto waiting = std::move(waiting_for_load_);
  for (auto& run : waiting)
    run();
  if (item().needs_review())
    debts.review_debts();
  if (joins_anew)
    persist();
  // Only damage lasts. A store that could not answer may have an answer for the next shadow.
  if (broken_ && code_of(broken_) != ec::store_corrupt)
    self()->quit(broken_);
}

void shadow_state::expiry_due(timestamp at) {
  after_loading([this, at] { lifetime.expiry_due(at, broken_); });
}

// -- reading

void shadow_state::read(const read_item& request, answer<item_versions> reply) {
  if (visible() && satisfies(request)) {
    this_node().counters.reads_local.fetch_add(1, std::memory_order_relaxed);
    item().note_reads(1, now(), 0);
    core_.unsaved = true;
    if (!this_node().index.peek(request.id))
      publish();
    demoting.follow_demand();
    return answer_reader({request, reply, 0}, *visible(), !this_node().is_fresh());
  }
  if (request.forwarded) {
    if (!visible())
      return reply.fail(make_error(ec::not_here, "no copy here"));
    if (self()->clock().now() - std::exchange(asked_around_, self()->clock().now()) >= this_node().config.collect_every)
      holders.tell_holders(others(), item().record().holders); // somebody has a newer one
    return reply.fail(make_error(ec::too_old, "the copy here is older than the context; try again"));
  }
  readers_.push_back({request, std::move(reply), search.next_number()});
  search_for_readers();
}

void shadow_state::search_for_readers() {
  auto wanted = !item().present() && this_node().config.shadow_on_read && may_hold(this_node().self.node)
                && !this_node().is_full() // a copy that cannot be kept must not fail the read
                && this_node().counters.stores_full.load() == 0;
  stay keep{wanted, holder_state::shadow, {lease_reason::access, 1.0, now(), now(), rules().ttl}};
  search.find_copy(keep, audience::all, traffic::client, {}, {});
}

namespace {

/// What the reader has not asked for.
void leave_out_values(const read_item& request, item_versions& found) {
  auto same = request.condition != read_condition::none && request.etag == found.versions.etag();
  auto unwanted = request.condition == read_condition::if_match ? !same : same;
  if (request.without_values || unwanted)
    found.values.assign(found.values.size(), blob{});
  else if (!request.range.empty() && found.values.size() == 1) {
    const auto& value = found.values.front().view();
    auto part = parse_range(request.range, value.size());
    if (part.what != byte_range::kind::whole)
      found.values.front() = blob{value.substr(part.first, part.count)};
  }
}

} // namespace

bool shadow_state::satisfies(const read_item& request) const {
  return visible()->versions.context.covers(request.seen) && !is_behind();
}

void shadow_state::answer_reader(const waiting_reader& reader, const item_versions& found, bool stale) {
  auto result = found;
  result.id = item().record().id;
  for (size_t i = result.versions.siblings.size(); i-- > 0;) {
    if (!result.versions.siblings[i].ended(now()))
      continue;
    result.versions.siblings.erase(result.versions.siblings.begin() + static_cast<ptrdiff_t>(i));
    result.values.erase(result.values.begin() + static_cast<ptrdiff_t>(i));
  }
  if (result.versions.siblings.empty())
    return reader.reply.fail(make_error(ec::gone, "the item has expired"));
  leave_out_values(reader.request, result);
  if (result.versions.context.size() > max_context_entries) { // longer than a client may send back
    result.versions.context = {};
    for (const auto& s : found.versions.siblings)
      result.versions.context.add(s.id);
  }
  result.stale = stale;
  this_node().counters.reads_stale.fetch_add(result.stale ? 1 : 0, std::memory_order_relaxed);
  reader.reply.give(std::move(result));
}

void shadow_state::answer_readers() {
  if (visible() && !is_behind())
    answer_readers(*visible(), !this_node().is_fresh());
}

void shadow_state::answer_readers(const item_versions& found, bool stale) {
  std::erase_if(readers_, [&](const waiting_reader& reader) {
    if (!found.versions.context.covers(reader.request.seen))
      return false;
    if (found.copy == copy_kind::remote)
      this_node().counters.reads_remote.fetch_add(1, std::memory_order_relaxed);
    answer_reader(reader, found, stale);
    return true;
  });
}

void shadow_state::fail_readers(const caf::error& reason) {
  auto waiting = std::move(readers_);
  for (auto& reader : waiting)
    reader.reply.fail(reason);
}

void shadow_state::fail_readers_of(uint64_t search, const caf::error& reason) {
  if (code_of(reason) == ec::unavailable)
    this_node().counters.reads_failed.fetch_add(readers_.size(), std::memory_order_relaxed);
  auto later = std::stable_partition(readers_.begin(), readers_.end(),
                                     [&](const waiting_reader& reader) { return reader.search <= search; });
  std::vector<waiting_reader> late(std::make_move_iterator(later), std::make_move_iterator(readers_.end()));
  readers_.erase(later, readers_.end());
  fail_readers(reason);
  readers_ = std::move(late);
}

// -- what follows a change

void shadow_state::persist(std::function<void()> after) {
  after_sync_.push_back(std::move(after));
  if (!syncing_)
    sync();
}

/// A store that fails ends this shadow: the next one starts from what the disk really has.
void shadow_state::sync() {
  auto batch = item().take_changes(now(), this_node().config.join_timeout);
  auto run_all = [steps = std::exchange(after_sync_, {})] {
    for (const auto& run : steps)
      if (run)
        run();
  };
  if (batch.puts.empty() && batch.erases.empty())
    return run_all();
  syncing_ = true;
  auto next = item().present() ? std::make_shared<const item_versions>(item().snapshot()) : nullptr;
  auto copy = item().present() ? std::make_shared<const item_copy>(item().copy()) : nullptr;
  if (this_node().config.fault == deliberate_fault::publish_before_sync)
    show(next, copy);
  self()
      ->request(this_node().store(item().record().id), caf::infinite, std::move(batch))
      .then(
          [this, next, copy, drops = item().drops(), run_all = std::move(run_all)](store_receipt&) {
            syncing_ = false;
            if (drops == item().drops()) // else readers would find what the next sync takes from the disk
              show(next, copy);
            run_all();
            residency.apply_residency();
            if (!syncing_ && !after_sync_.empty())
              sync();
          },
          [this](const caf::error& reason) {
            log::error("shadow", "not-stored", {{"id", item().record().id}, {"reason", sentence_of(reason)}});
            fail_readers(reason);
            writes.fail_all(reason);
            updates.fail_merging(reason);
            self()->quit(reason);
          });
}

void shadow_state::hide() {
  core_.visible = nullptr;
  core_.synced = nullptr;
  this_node().index.erase(item().record().id);
}

/// What is synced becomes visible: to readers, the read index, the catalog and the feed.
void shadow_state::show(std::shared_ptr<const item_versions> versions, std::shared_ptr<const item_copy> copy) {
  auto changed = !versions != !visible() || (versions && versions->versions != visible()->versions);
  auto before = std::exchange(core_.visible, std::move(versions));
  core_.synced = std::move(copy);
  listing.adjust_counters();
  listing.note_copy();
  if (visible() || changed)
    publish();
  if (!changed || !visible())
    return;
  answer_readers();
  feed.tell(before.get());
}

/// Several versions, tombstones, versions that expire by themselves and those with a context that is too long for a
/// client are left to the shadow.
void shadow_state::publish() {
  const auto& id = item().record().id;
  auto plain = visible() && !is_behind() && visible()->versions.siblings.size() == 1 && !visible()->versions.deleted()
               && visible()->versions.siblings.front().expires == timestamp{}
               && visible()->versions.context.size() <= max_context_entries;
  if (!plain || !may_hold(this_node().self.node))
    return this_node().index.erase(id);
  auto ttl = item().role() == holder_state::shadow && !item().record().pinned ? item().record().lease.ttl : duration{};
  auto last_read = static_cast<int64_t>(item().record().lease.last_read.time_since_epoch().count());
  if (auto before = this_node().index.peek(id)) {
    last_read = std::max(last_read, before->last_read_ms.load(std::memory_order_relaxed));
    if (before->ttl == ttl && before->versions.versions == visible()->versions)
      return;
  }
  auto entry = std::make_shared<index_entry>();
  entry->versions = *visible();
  entry->ttl = ttl;
  entry->costs = costs_of(this_node(), lifetime.facts());
  entry->prefetched = visible()->copy == copy_kind::prefetched;
  entry->last_read_ms.store(last_read, std::memory_order_relaxed);
  this_node().index.put(std::move(entry));
}

// -- falling asleep

bool shadow_state::is_busy() {
  return !loaded_ || !readers_.empty() || !is_quiet() || core_.questions > 0 || steward.is_reaping()
         || demoting.is_guarding() || is_behind();
}

/// What a peer had, and this copy could not take, may have gone with that peer's disk. Once every node has said what it
/// has, this copy is behind these only.
void shadow_state::look_for_newer() {
  core_.rests_until = now() + keys::longest_pause;
  auto theirs = std::make_shared<version_vector>();
  auto all_heard = std::make_shared<bool>(knows_all_nodes(this_node()));
  ask_each<item_copy>(
      this_node().cluster.get()->names(), traffic::repair,
      fetch_item{
          .id = item().record().id, .requester = this_node().self.node, .without_values = true, .tombstones = true},
      [theirs, all_heard](const std::string&, const expected<item_copy>& there) {
        if (there)
          theirs->merge(there->versions.context);
        else
          *all_heard &= code_of(there.error()) == ec::not_here;
      },
      [this, theirs, all_heard, before = core_.behind] {
        if (!*all_heard || core_.behind != before)
          return;
        core_.behind = std::move(*theirs);
        if (visible())
          publish();
      });
}

/// What was only written here takes little memory while it is idle: its first read may have to load it.
void shadow_state::fall_asleep() {
  if (item().role() == holder_state::durable && item().record().reads == 0)
    this_node().index.let_go(item().record().id);
  self()->quit();
}

caf::result<bool> shadow_state::stop_if_idle() {
  if (is_behind() && !search.is_under_way() && now() >= core_.rests_until)
    look_for_newer();
  if (is_busy())
    return false;
  if (!std::exchange(core_.unsaved, false) || !item().present()) {
    fall_asleep();
    return true;
  }
  answer<bool> reply{self()->make_response_promise<bool>()};
  item().touch();
  persist([this, reply] {
    auto stops = !is_busy() && after_sync_.empty() && !core_.unsaved;
    if (stops)
      fall_asleep();
    reply.give(stops);
  });
  return caf::delegated<bool>{};
}

} // namespace gnomon
