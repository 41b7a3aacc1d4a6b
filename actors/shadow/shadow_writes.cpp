#include "actors/shadow/shadow_writes.hpp"

#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

void shadow_writes::start() {
  pending_ = std::make_unique<pending_writes>(item().record().id, this_node().self.node, this_node().self.region);
}

void shadow_writes::write(const write_item& request, answer<write_receipt> reply) {
  if (!this_node()
           .effective_policy(request.id, request.user)
           .allows(this_node().self.region)) // forwarded by an older policy
    return reply.fail(this_node().kept_away());
  // A region that forwarded the request has to hear in time to tell its client.
  auto base = request.forwarded ? this_node().config.peer_timeout * 3 / 4 : this_node().config.request_timeout * 4 / 5;
  auto deadline = self()->clock().now() + this_node().config.patience(base, request.value.size());
  if (item().present() && !may_hold(this_node().self.node))
    return pass_to_permitted(request, reply);
  if (item().present())
    return passed_on(request, reply) ? void() : decide(request, deadline, std::move(reply));
  await_others(deadline, reply);
  write_where_it_is(request, deadline, std::move(reply));
}

/// A rule has come to forbid the copy that is here: a holder that may keep the item takes the write.
void shadow_writes::pass_to_permitted(const write_item& request, const answer<write_receipt>& reply) {
  auto candidates = item().record().holders.durable_by_rank(item().record().id);
  auto rest = others();
  candidates.insert(candidates.end(), rest.begin(), rest.end());
  auto view = this_node().cluster.get();
  for (const auto& node : candidates)
    if (!request.forwarded && may_hold(node) && view->reachable(node))
      return pass_to<write_receipt>(node, request, reply);
  reply.fail(make_error(ec::unavailable, "a residency rule has come to keep the item away from region "
                                             + this_node().self.region
                                             + ", and it is on its way to another; try again"));
}

/// Every region that writes adds an entry to the item's context. Once that is full, those that keep the item for good
/// write for the others. True when the request was taken care of.
bool shadow_writes::passed_on(const write_item& request, const answer<write_receipt>& reply) {
  const auto& record = item().record();
  if (item().role() == holder_state::durable || record.holding != holding_id{} || request.forwarded
      || record.versions.context.size() < max_context_entries)
    return false;
  auto view = this_node().cluster.get();
  for (const auto& node : record.holders.durable_by_rank(record.id))
    if (view->reachable(node)) {
      pass_to<write_receipt>(node, request, reply);
      return true;
    }
  reply.fail(make_error(ec::unavailable, "the item's context is full, so that only a region that keeps it for good can "
                                         "take the write, and none of those is reachable; try again"));
  return true;
}

/// Another region may hold the item: becomes a holder first, so that its versions meet this write. A context says that
/// somebody holds it.
void shadow_writes::write_where_it_is(const write_item& request, time_point deadline, answer<write_receipt> reply) {
  if (reply.given())
    return;
  if (item().present())
    return decide_with_all(request, deadline, std::move(reply));
  if (shadow().search.is_under_way() && must_know(request)) // what that one has heard may have changed since
    return shadow().search.await_end(
        [this, request, deadline, reply](const copy_search&) { write_where_it_is(request, deadline, reply); });
  stay keep{true, holder_state::shadow, {lease_reason::access, 1.0, now(), now(), rules().ttl}};
  auto whom = must_know(request) || !request.seen.empty() ? audience::all : audience::all_while_unsure;
  shadow().search.find_copy(keep, whom, traffic::client, {}, [this, request, deadline, reply](const copy_search& s) {
    if (!reply.given())
      begin_or_pass(request, s, deadline, reply);
  });
}

/// A condition, and a delete of whatever there is, are about what others may have. Where the last writer wins there are
/// no conditions.
bool shadow_writes::must_know(const write_item& request) const {
  auto conditional = request.condition != write_condition::none && rules().conflicts != conflict_rule::lww;
  return (conditional || (request.deleted && request.seen.empty()))
         && this_node().config.fault != deliberate_fault::delete_without_asking;
}

/// When nobody is known to hold the item the write begins it here; so does one that need not know, when nobody can be
/// reached. Where a holder may not give the item, or cannot say that it has the newest versions, the write goes there.
void shadow_writes::begin_or_pass(const write_item& request, const copy_search& s, time_point deadline,
                                  answer<write_receipt> reply) {
  if (item().present())
    return decide_with_all(request, deadline, reply);
  if (!s.deleted_at.empty()) // has to come after the delete, and a tombstone gets no new holders
    return pass_to<write_receipt>(s.deleted_at, request, reply);
  if (!s.refused_by.empty() && request.forwarded)
    return reply.fail(this_node().kept_away());
  if (!s.refused_by.empty())
    return pass_to<write_receipt>(s.refused_by, request, reply);
  if (!s.stale_at.empty())
    return pass_to<write_receipt>(s.stale_at, request, reply);
  if (auto reason = shadow().search.why_not_found(s); must_know(request) && code_of(reason) == ec::unavailable)
    return reply.fail(make_error(ec::unavailable, "whether the item exists is not known: " + sentence_of(reason)));
  for (const auto& node : s.believed())
    if (s.unreachable().contains(node))
      item().expect_holder(node); // what begins here is a twin of what it has
  apply(request, deadline, reply);
}

/// A copy is here.
void shadow_writes::decide(const write_item& request, time_point deadline, answer<write_receipt> reply) {
  auto blind_delete = request.deleted && request.seen.empty() && must_know(request) && !item().repeated(request, now());
  blind_delete ? delete_everywhere(request, deadline, reply) : apply(request, deadline, reply);
}

/// A copy has just come here. What gave it may be behind the others, and a condition is about what these have as well.
void shadow_writes::decide_with_all(const write_item& request, time_point deadline, answer<write_receipt> reply) {
  if (request.deleted || !must_know(request) || item().repeated(request, now()))
    return decide(request, deadline, reply);
  hear_all(request, deadline, reply, [this, request, deadline, reply](const version_vector& theirs) {
    item().versions().context.covers(theirs) ? apply(request, deadline, reply)
                                             : catch_up(request, theirs, deadline, reply);
  });
}

/// A delete without a context means whatever there is: also what has not arrived here yet, or began elsewhere at the
/// same time.
void shadow_writes::delete_everywhere(const write_item& request, time_point deadline, answer<write_receipt> reply) {
  hear_all(request, deadline, reply, [this, request, deadline, reply](version_vector theirs) {
    auto all = request;
    all.seen = std::move(theirs);
    all.seen.merge(item().versions().context);
    apply(all, deadline, reply);
  });
}

/// All peers that can be reached say what they have of the item. One whose copy is damaged cannot. The lease of the
/// copy here may end meanwhile: then it is not known any more what there is, and the write begins anew.
void shadow_writes::hear_all(const write_item& request, time_point deadline, answer<write_receipt> reply,
                             const std::function<void(const version_vector&)>& then) {
  auto theirs = std::make_shared<version_vector>();
  await_others(deadline, reply);
  ask_each<item_copy>(
      this_node().cluster.get()->names(), traffic::client,
      fetch_item{.id = request.id, .requester = this_node().self.node, .without_values = true, .tombstones = true},
      [this, theirs, reply](const std::string& node, const expected<item_copy>& there) {
        if (!there && code_of(there.error()) == ec::store_corrupt && !reply.given())
          reply.fail(make_error(ec::unavailable, "the copy at node " + node
                                                     + " is damaged, so that it is not known what there is; try again, "
                                                       "or send the Gnomon-Context of what you have read"));
        if (!there)
          return;
        theirs->merge(there->versions.context);
        if (item().present())
          item().merge(there->holders);
      },
      [this, request, theirs, deadline, reply, then] {
        if (reply.given())
          return;
        item().present() ? then(*theirs) : write_where_it_is(request, deadline, reply);
      });
}

/// The item may have too many versions all the same, from other regions: merging never loses any.
caf::error shadow_writes::too_crowded(const write_item& request, conflict_rule conflicts) const {
  const auto& here = item().versions();
  auto [versions, bytes] = item().left_beside(request, conflicts);
  auto many = versions >= this_node().config.max_versions && versions >= here.siblings.size();
  bytes += request.value.size();
  auto large = versions > 0 && bytes > this_node().config.max_versions_bytes && bytes > here.bytes();
  if (!many && !large)
    return {};
  this_node().counters.writes_refused.fetch_add(1, std::memory_order_relaxed);
  return make_error(ec::rejected, "the item has " + std::to_string(here.siblings.size()) + " versions of "
                                      + std::to_string(here.bytes())
                                      + " bytes together, none of which replaces another, and may not have more; read "
                                        "it, and write with the Gnomon-Context of the answer");
}

void shadow_writes::apply(const write_item& request, time_point deadline, answer<write_receipt> reply) {
  if (this_node().config.fault != deliberate_fault::ignore_new_residency
      && (!this_node().effective_policy(request.id, request.user).allows(this_node().self.region)
          || (item().present() && !may_hold(this_node().self.node)))) // since `write` looked
    return pass_to_permitted(request, reply);
  item().expire_versions(now());
  auto conflicts = rules().conflicts;
  auto before = item().repeated(request, now()); // what it did is done, whatever its condition finds now
  auto problem = before ? caf::error{} : item().check(request, conflicts);
  if (!before && !problem)
    problem = too_crowded(request, conflicts);
  if (problem)
    return reply.fail(std::move(problem));
  if (!before && conflicts == conflict_rule::lww && !item().versions().context.covers(request.seen))
    return catch_up(request, request.seen, deadline, reply);
  pending_writes::write w;
  w.created = !before && (!item().present() || item().versions().siblings.empty() || item().versions().deleted());
  w.deadline = deadline;
  w.reply = std::move(reply);
  w.made = before ? *before : make_version(request, conflicts);
  describe(w, request);
  auto acks = request.acks != 0 ? request.acks : this_node().effective_policy(request.id, request.user).acks;
  w.need = acks == acks_all ? 1 : acks;
  if (acks == acks_all)
    w.named = item().record().holders.durable();
  persist([this, number = pending_->add(std::move(w))] { write_synced(number); });
}

dot shadow_writes::make_version(const write_item& request, conflict_rule conflicts) {
  auto fault = this_node().config.fault;
  auto drawn = fault == deliberate_fault::reuse_dot_after_drop ? 1 : this_node().next_holding_sequence();
  auto applied = request;
  if (fault == deliberate_fault::forget_context)
    applied.seen = item().versions().context;
  auto followed = this_node().follows.matches(request.id);
  auto seen = followed ? item().versions().context : version_vector{};
  auto made = item().write(applied, conflicts, core_.stamps.next(now()), {this_node().self.incarnation, drawn}, now());
  item().set_pinned(item().role() == holder_state::shadow && fault != deliberate_fault::expire_unreplicated_write);
  if (followed)
    shadow().feed.note_write(std::move(seen));
  return made;
}

/// Context, ETag and number of versions of the answer. A context that covers what other writers put beside this write
/// would have the next one replace it unseen; so would an ETag of what came after it.
void shadow_writes::describe(pending_writes::write& w, const write_item& request) const {
  const auto& versions = item().versions();
  auto alone = versions.siblings.size() == 1 && versions.find(w.made);
  w.context = alone ? versions.context : request.seen;
  w.context.add(w.made);
  if (w.context.size() > max_context_entries) { // longer than a client may send back
    w.context = {};
    w.context.add(w.made);
  }
  version_set once;
  once.siblings.emplace_back().id = w.made;
  w.etag = versions.find(w.made) ? versions.etag() : once.etag(); // the latter where it was replaced since
  auto stands = [](const sibling& s) { return !s.deleted; };
  w.siblings = static_cast<uint32_t>(std::count_if(versions.siblings.begin(), versions.siblings.end(), stands));
}

/// Applies the write once the copy here has what `needs` covers. The last writer wins by stamps, which follow the order
/// of cause and effect only where a write comes after all that its context covers.
void shadow_writes::catch_up(const write_item& request, const version_vector& needs, time_point deadline,
                             answer<write_receipt> reply) {
  await_others(deadline, reply);
  auto& catches_up = shadow().search.find_copy(
      {}, audience::all, traffic::client, {}, [this, request, needs, deadline, reply](const copy_search&) {
        if (reply.given())
          return;
        if (item().versions().context.covers(needs))
          return apply(request, deadline, reply);
        reply.fail(make_error(ec::too_old,
                              "the copy here is older than what is known of the item, and no newer one could "
                              "be had; try again, or read the item for a new context"));
      });
  catches_up.needs.merge(needs);
}

void shadow_writes::write_synced(uint64_t number) {
  this_node().counters.writes.fetch_add(1, std::memory_order_relaxed);
  auto created = pending_->synced(number);
  if (auto deadline = pending_->first_deadline())
    look_again_at(*deadline);
  shadow().updates.replicate(traffic::client);
  if (created)
    shadow().placing.place_first_copies();
  shadow().demoting.follow_demand();
}

void shadow_writes::acknowledge(const std::string& node, const version_vector& context, bool node_counts) {
  if (!node_counts)
    return;
  pending_->confirm(node, context);
  if (!item().record().pinned)
    return;
  auto durable = item().record().holders.durable();
  auto has_it = [this](const std::string& holder) { return holder == this_node().self.node || has_all(holder); };
  if (std::count_if(durable.begin(), durable.end(), has_it) >= static_cast<ptrdiff_t>(rules().min_copies)) {
    item().set_pinned(false);
    persist();
  }
}

void shadow_writes::await_others(time_point deadline, const answer<write_receipt>& reply) {
  unapplied_.push_back({deadline, reply});
  look_again_at(deadline);
}

/// Timers are dear, and most writes are done before they would need one: only those that wait for other nodes have it.
void shadow_writes::look_again_at(time_point deadline) {
  if (next_look_ && *next_look_ <= deadline)
    return;
  next_look_ = deadline;
  self()->delayed_send(self(), deadline - self()->clock().now(), deadline_a_v);
}

void shadow_writes::check_deadlines() {
  next_look_.reset();
  auto late = self()->clock().now();
  pending_->fail_late(late);
  // After those that were applied since, which are still listed here: they know better what has become of them.
  std::erase_if(unapplied_, [&](const unapplied_write& w) {
    if (w.deadline <= late)
      w.reply.fail(make_error(ec::timeout, "the regions that hold the item did not answer in time; try again, with the "
                                           "same request id in case one of them has stored the write"));
    return w.reply.given();
  });
  for (const auto& w : unapplied_)
    look_again_at(w.deadline);
  if (auto deadline = pending_->first_deadline())
    look_again_at(*deadline);
}

} // namespace gnomon
