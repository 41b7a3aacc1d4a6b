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
        return state.when_loaded<write_receipt>([&, x](auto reply) { state.write(x, reply); });
      },
      [&](const place_copies& x) {
        return state.when_loaded<shadow_plan>([&, x](auto reply) { state.place(x, reply); });
      },
      [&](const fetch_item& x) { return state.when_loaded<item_copy>([&, x](auto reply) { state.give(x, reply); }); },
      [&](const fetch_value& x) {
        return state.when_loaded<version_value>([&, x](auto reply) { state.give_value(x, reply); });
      },
      [&](const replicate_item& x) {
        return state.when_loaded<replicate_ack>([&, x](auto reply) { state.merge(x, reply); });
      },
      [&](const invite_copy& x) {
        return state.when_loaded<invite_answer>([&, x](auto reply) { state.accept(x, reply); });
      },
      [&](const update_holders& x) {
        return state.when_loaded<holders_ack>([&, x](auto reply) { state.learn_holders(x, reply); });
      },
      [&](const get_copy_report&) { return state.when_loaded<copy_report>([&](auto reply) { state.report(reply); }); },
      [&](const load_item& x) {
        return state.when_loaded<load_receipt>([&, x](auto reply) { state.load_versions(x, reply); });
      },
      [&](const access_batch& x) { state.once_loaded([&, x] { state.note_access(x); }); },
      [&](expire_a) { state.once_loaded([&] { state.check_expiry(); }); },
      [&](const expiry_due& x) { x.make_room ? state.make_room() : state.expiry_due(x.at); },
      [&](refresh_a, const std::string& peer) { state.once_loaded([&, peer] { state.hand_off(peer); }); },
      [&](meet_a, const std::string& peer) { state.once_loaded([&, peer] { state.meet_twin(peer); }); },
      [&](verify_a, const std::string& peer) { state.once_loaded([&, peer] { state.verify(peer); }); },
      [&](deadline_a) { state.check_deadlines(); },
      [&](const steward_order& x) {
        return state.when_loaded<steward_answer>([&, x](auto reply) { state.execute_order(x, reply); });
      },
      [&](compare_a, const std::string& peer) { state.once_loaded([&, peer] { state.compare_with(peer); }); },
      [&](reap_a) { state.once_loaded([&] { state.do_steward_duty(); }); },
      [&](deadline_a, uint64_t number) { state.holder_is_late(number); },
      [&](hedge_a, uint64_t number) { state.hedge_early(number); },
      [&](tick_a) { return state.stop_if_idle(); },
  };
}

void shadow_state::start(self_pointer self, context_ptr node, shadow_config config) {
  self_ = self;
  node_ = std::move(node);
  shard_ = std::move(config.shard);
  in_catalog_ = config.in_catalog;
  writes_ = std::make_unique<pending_writes>(config.id, node_->self.node, node_->self.region);
  item_ = std::make_unique<replica>(std::move(config.id), node_->self.node);
  // The shard is not monitored: it ends its shadows when it ends itself, and would remember each that monitored it for
  // good.
  load();
}

// -- loading

void shadow_state::load() {
  auto store = node_->store(item_->record().id);
  self_
      ->request(store, caf::infinite, store_get{{keys::record(item_->record().id)}}) // always answers
      .then([this](store_values& got) { got.found[0] ? load_values(got.values[0].view()) : loaded({}); },
            [this](caf::error& reason) { code_of(reason) == ec::store_corrupt ? load_values({}) : loaded(reason); });
}

void shadow_state::loaded(caf::error problem) {
  if (problem) {
    broken_ = make_error(code_of(problem), "item '" + item_->record().id + "': " + sentence_of(problem));
    log::error("shadow", "unreadable", {{"id", item_->record().id}, {"reason", sentence_of(problem)}});
  }
  loaded_ = true;
  item_->begin_incarnation(node_->self.incarnation);
  auto joins_anew = item_->limit_join(now());
  if (item_->present()) {
    visible_ = std::make_shared<const item_versions>(item_->snapshot());
    synced_ = std::make_shared<const item_copy>(item_->copy());
  }
  if (!broken_)
    agree_with_catalog();
  for (const auto& s : item_->versions().siblings)
    stamps_.observe(s.stamp);
  auto waiting = std::move(waiting_for_load_);
  for (auto& run : waiting)
    run();
  if (item_->needs_review())
    review_debts();
  if (joins_anew)
    persist();
  // Only damage lasts. A store that could not answer may have an answer for the next shadow.
  if (broken_ && code_of(broken_) != ec::store_corrupt)
    self_->quit(broken_);
}

/// What the shard knows of this copy was noted and counted when it was found in the store, or by an earlier shadow.
/// While the stores are being read this one may come first. And what has been lost since is taken back.
void shadow_state::agree_with_catalog() {
  if (item_->present() && in_catalog_) {
    counted_role_ = item_->role();
    counted_bytes_ = item_->bytes();
    counted_versions_ = item_->versions().siblings.size();
    counted_deleted_ = is_tombstone(item_->versions());
    noted_ = current_note();
  } else if (in_catalog_) {
    log::warn("shadow", "copy-lost", {{"id", item_->record().id}});
    node_->index.erase(item_->record().id);
    counted_role_ = holder_state::durable;
    noted_.held = true;
  }
  adjust_counters();
  if (item_->present() || in_catalog_)
    note_copy();
}

// -- reading

void shadow_state::read(const read_item& request, answer<item_versions> reply) {
  if (visible_ && satisfies(request)) {
    node_->counters.reads_local.fetch_add(1, std::memory_order_relaxed);
    item_->note_reads(1, now(), 0);
    unsaved_ = true;
    if (!node_->index.peek(request.id))
      publish();
    follow_demand();
    return answer_reader({request, reply, 0}, *visible_, !node_->is_fresh());
  }
  if (request.forwarded) {
    if (!visible_)
      return reply.fail(make_error(ec::not_here, "no copy here"));
    if (self_->clock().now() - std::exchange(asked_around_, self_->clock().now()) >= node_->config.collect_every)
      tell_holders(others(), item_->record().holders); // somebody has a newer one
    return reply.fail(make_error(ec::too_old, "the copy here is older than the context; try again"));
  }
  readers_.push_back({request, std::move(reply), next_search_});
  search_for_readers();
}

void shadow_state::search_for_readers() {
  auto wanted = !item_->present() && node_->config.shadow_on_read && may_hold(node_->self.node)
                && !node_->is_full() // a copy that cannot be kept must not fail the read
                && node_->counters.stores_full.load() == 0;
  stay keep{wanted, holder_state::shadow, {lease_reason::access, 1.0, now(), now(), rules().ttl}};
  find_copy(keep, audience::all, traffic::client, {}, {});
}

/// Tells those who follow the item of each write that became visible, and of what came from other copies. `before`:
/// what was visible; a copy that is just being made is no change.
void shadow_state::tell_feed(const item_versions* before) {
  auto written = std::exchange(written_, {});
  const auto& id = item_->record().id;
  if (!node_->follows.matches(id))
    return;
  auto feed = node_->handles.get()->feed;
  const auto& is = visible_->versions;
  auto known = before ? before->versions.context : version_vector{};
  auto expired = before && known == is.context;
  for (auto& step : written) {
    if (!is.context.covers(step.after)) {
      written_.push_back(std::move(step)); // visible after the next sync
      continue;
    }
    known.merge(step.after);
    self_->send(feed, std::move(step));
  }
  if (expired || (before && !known.covers(is.context)))
    self_->send(feed, item_step{id, known, is.context, is.etag(), now(), is.deleted(), expired});
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
  return visible_->versions.context.covers(request.seen) && !is_behind();
}

bool shadow_state::is_behind() const {
  return visible_ && !visible_->versions.context.covers(behind_);
}

void shadow_state::answer_reader(const waiting_reader& reader, const item_versions& found, bool stale) {
  auto result = found;
  result.id = item_->record().id;
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
  node_->counters.reads_stale.fetch_add(result.stale ? 1 : 0, std::memory_order_relaxed);
  reader.reply.give(std::move(result));
}

/// Answers every waiting reader whom the local copy satisfies now.
void shadow_state::answer_readers() {
  if (visible_ && !is_behind())
    answer_readers(*visible_, !node_->is_fresh());
}

void shadow_state::answer_readers(const item_versions& found, bool stale) {
  std::erase_if(readers_, [&](const waiting_reader& reader) {
    if (!found.versions.context.covers(reader.request.seen))
      return false;
    if (found.copy == copy_kind::remote)
      node_->counters.reads_remote.fetch_add(1, std::memory_order_relaxed);
    answer_reader(reader, found, stale);
    return true;
  });
}

void shadow_state::fail_readers(const caf::error& reason) {
  auto waiting = std::move(readers_);
  for (auto& reader : waiting)
    reader.reply.fail(reason);
}

void shadow_state::report(answer<copy_report> reply) {
  if (item_->role() == holder_state::left)
    return reply.fail(make_error(ec::not_here, "no copy here"));
  const auto& record = item_->record();
  auto last_read = record.lease.last_read;
  if (auto entry = node_->index.peek(record.id))
    last_read = std::max(last_read, timestamp{duration{entry->last_read_ms.load(std::memory_order_relaxed)}});
  copy_report r;
  r.node = node_->self.node;
  r.region = node_->self.region;
  r.role = item_->role();
  r.reason = record.lease.reason;
  r.confidence = record.lease.confidence;
  r.context = record.versions.context;
  r.etag = record.versions.etag();
  r.created = record.lease.created;
  auto endless = r.role != holder_state::shadow || record.lease.ttl.count() == 0;
  r.expires = endless ? timestamp::max() : last_read + record.lease.ttl;
  r.bytes = item_->bytes();
  r.reads = record.reads;
  r.demand = record.wanted.at(now());
  r.cost_bytes = record.cost_bytes;
  r.saved_ms = record.saved_ms;
  auto balance = balance_of(*node_, facts(), record.saved_ms);
  r.spent_usd = balance.spent_usd;
  r.saved_usd = balance.saved_usd;
  r.why = why_kept();
  r.pinned = record.pinned;
  r.deleted = record.versions.deleted();
  reply.give(std::move(r));
}

void shadow_state::note_access(const access_batch& batch) {
  last_used_ = self_->clock().now();
  double nearest = -1; // what a read would cost without this copy
  auto view = node_->cluster.get();
  for (const auto& node : others())
    if (auto peer = view->find(node); peer && peer->rtt_ms >= 0 && (nearest < 0 || peer->rtt_ms < nearest))
      nearest = peer->rtt_ms;
  for (const auto& sample : batch.samples) {
    auto own = sample.count - std::min(sample.count, sample.elsewhere);
    item_->note_reads(own, sample.at, nearest > 0 ? static_cast<uint64_t>(nearest * own) : 0);
    item_->note_demand(sample.count - own, sample.at);
  }
  unsaved_ = true;
  review_lifetime();
  follow_demand();
}

bool shadow_state::is_busy() {
  return !loaded_ || !readers_.empty() || search_ || !writes_->empty() || syncing_ || questions_under_way_ > 0
         || reaping_ || is_guarding() || is_behind();
}

/// What a peer had, and this copy could not take, may have gone with that peer's disk. Once every node has said what it
/// has, this copy is behind these only.
void shadow_state::look_for_newer() {
  rests_until_ = now() + keys::longest_pause;
  auto theirs = std::make_shared<version_vector>();
  auto all_heard = std::make_shared<bool>(knows_all_nodes(*node_));
  ask_each<item_copy>(
      node_->cluster.get()->names(), traffic::repair,
      fetch_item{.id = item_->record().id, .requester = node_->self.node, .without_values = true, .tombstones = true},
      [theirs, all_heard](const std::string&, const expected<item_copy>& there) {
        if (there)
          theirs->merge(there->versions.context);
        else
          *all_heard &= code_of(there.error()) == ec::not_here;
      },
      [this, theirs, all_heard, before = behind_] {
        if (!*all_heard || behind_ != before)
          return;
        behind_ = std::move(*theirs);
        if (visible_)
          publish();
      });
}

/// Quits when nothing is under way and what was counted is saved. The shard sends nothing more until we have answered.
caf::result<bool> shadow_state::stop_if_idle() {
  if (is_behind() && !search_ && now() >= rests_until_)
    look_for_newer();
  if (is_busy())
    return false;
  if (!std::exchange(unsaved_, false) || !item_->present()) {
    self_->quit();
    return true;
  }
  answer<bool> reply{self_->make_response_promise<bool>()};
  item_->touch();
  persist([this, reply] {
    auto stops = !is_busy() && after_sync_.empty() && !unsaved_;
    if (stops)
      self_->quit();
    reply.give(stops);
  });
  return caf::delegated<bool>{};
}

// -- small helpers ----------------------------------------------------------------------------------------------------

policy shadow_state::rules() const {
  return node_->policy_of(item_->record().id, item_->versions());
}

bool shadow_state::counts() const {
  return item_->role() == holder_state::durable || item_->record().pinned;
}

std::vector<std::string> shadow_state::others() const {
  auto all = item_->record().holders.current();
  std::erase(all, node_->self.node);
  return all;
}

} // namespace gnomon
