#include "actors/shadow/shadow_search.hpp"

#include "actors/node/known_nodes.hpp"
#include "actors/shadow/shadow.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

bool may_be_lost(const std::string& id, const std::vector<kv_loss>& lost) {
  auto key = keys::record(id);
  return std::any_of(lost.begin(), lost.end(),
                     [&](const kv_loss& part) { return part.first <= key && (part.last.empty() || key < part.last); });
}

} // namespace

copy_search& shadow_search::find_copy(stay keep, audience whom, traffic urgency, std::string first,
                                      copy_search::after then) {
  auto running = search_ != nullptr;
  if (running)
    search_->widen(keep, whom);
  else
    search_ = std::make_unique<copy_search>(next_++, this_node().self.node, std::move(keep), whom, urgency);
  if (then)
    search_->then.push_back(std::move(then));
  if (running)
    return *search_;
  search_->add_first(std::move(first));
  self()
      ->request(core_.shard, caf::infinite, locate_a_v, item().record().id)
      .then(
          [this](const std::vector<std::string>& nodes, bool whole) {
            search_->take_candidates(nodes, others(), whole, *this_node().cluster.get());
            ask_next();
          },
          [this](caf::error&) { ask_next(); });
  return *search_;
}

void shadow_search::await_end(copy_search::after then) {
  search_->widen({}, audience::known);
  search_->then.push_back(std::move(then));
}

void shadow_search::ask_next() {
  switch (search_->next()) {
  case copy_search::step::wait:
    return;
  case copy_search::step::ask_everyone:
    return ask_everyone();
  case copy_search::step::give_up:
    return search_failed();
  case copy_search::step::ask_holder:
    break;
  }
  // The record is synced while the question is under way: whatever arrives is synced behind it. While the drop of an
  // earlier copy is being synced, it would be synced together with what arrives.
  auto joins = search_->keep.wanted && !search_->joined && !item().present();
  if (joins && shadow().is_syncing())
    return persist([this, number = search_->number] {
      if (!is_over(number))
        ask_next();
    });
  if (joins) {
    item().join(search_->keep.terms);
    search_->joined = true;
    persist();
  }
  ask_holder(search_->take_holder());
}

/// A read that takes longer than 99 % of those at this holder may be hedged; one that takes `hedge_after` always is.
void shadow_search::ask_holder(const std::string& holder) {
  auto number = search_->number;
  auto asked_at = self()->clock().now();
  ask_peer<item_copy>(
      holder, search_->urgency,
      fetch_item{.id = item().record().id, .requester = this_node().self.node, .join = search_->joined},
      [this, holder, number, asked_at](item_copy& copy) {
        this_node().latencies.note(holder, std::chrono::duration_cast<duration>(self()->clock().now() - asked_at));
        if (is_over(number))
          return;
        auto whole = std::make_shared<item_copy>(std::move(copy));
        shadow().transfer.fetch_values(
            whole, holder, search_->urgency, [this, holder, number, whole](const caf::error& problem) {
              if (is_over(number))
                return;
              problem ? failed_at(holder, code_of(problem)) : answered_by(holder, std::move(*whole));
            });
      },
      [this, holder, number](const caf::error& reason) {
        if (!is_over(number))
          failed_at(holder, code_of(reason));
      });
  if (is_over(number) || !search_->is_asking())
    return;
  self()->delayed_send(self(), this_node().config.hedge_after, deadline_a_v, number);
  auto slow = this_node().latencies.p99(holder);
  if (slow && *slow < this_node().config.hedge_after && search_->urgency == traffic::client
      && search_->has_more_to_ask())
    self()->delayed_send(self(), *slow, hedge_a_v, number);
}

void shadow_search::answered_by(const std::string& holder, item_copy copy) {
  search_->holder_answered();
  if (!search_->settling)
    found(std::move(copy), holder);
  else if (item().present())
    shadow().updates.take_newer(copy, holder, {});
}

void shadow_search::failed_at(const std::string& holder, ec reason) {
  search_->holder_failed(holder, reason);
  if (search_->settling)
    return; // the search goes on by itself
  if (reason == ec::gone) {
    search_->deleted_at = holder;
    return search_failed();
  }
  if (reason == ec::forbidden_region && search_->joined)
    return refused(holder);
  ask_next();
}

bool shadow_search::is_over(uint64_t number) const {
  return !search_ || search_->number != number;
}

void shadow_search::holder_is_late(uint64_t number) {
  if (is_over(number) || search_->settling)
    return;
  search_->is_asking() && search_->has_more_to_ask() ? hedge() : show_aside();
}

void shadow_search::hedge_early(uint64_t number) {
  if (!is_over(number) && !search_->settling && search_->is_asking() && search_->has_more_to_ask()
      && this_node().latencies.may_hedge())
    hedge();
}

void shadow_search::hedge() {
  this_node().counters.reads_hedged.fetch_add(1, std::memory_order_relaxed);
  ask_next();
}

/// A rule that only the holder knows keeps the item away from here: it is read there, and written there.
void shadow_search::refused(const std::string& holder) {
  search_->keep_away(holder);
  if (!shadow().has_readers())
    return search_failed();
  drop_joining_record();
  search_->ask_again(holder);
  ask_next();
}

/// Nobody the catalog names has the item, but the catalog may be behind: asks all nodes at once who holds it. Those
/// that cannot be reached may hold it as well.
void shadow_search::ask_everyone() {
  auto with_unreachable = this_node().config.fault != deliberate_fault::absent_for_unreachable;
  auto nodes = search_->take_everyone(*this_node().cluster.get(), with_unreachable);
  if (nodes.empty())
    return search_failed();
  for (const auto& node : nodes) {
    auto heard = [this, node, number = search_->number](ec reason) {
      if (!is_over(number) && search_->node_answered(node, reason))
        ask_next();
    };
    ask_peer<item_copy>(
        node, search_->urgency,
        fetch_item{.id = item().record().id, .requester = this_node().self.node, .without_values = true},
        [heard](item_copy&) { heard({}); }, [heard](const caf::error& reason) { heard(code_of(reason)); });
  }
}

/// Readers are answered at once; then the copy stays here, if it is to.
void shadow_search::found(item_copy copy, const std::string& giver) {
  for (const auto& value : copy.values)
    this_node().counters.bytes_in.fetch_add(value.size(), std::memory_order_relaxed);
  if (is_behind() && shadow().has_readers()) { // what it could not take before is left to who sends it again
    answer_with(copy, giver);
    if (!shadow().has_readers() && search_->then.empty())
      return end_search();
  }
  if (item().present() && may_take(copy.versions)) { // a newer version was wanted
    search_->settling = true;
    return shadow().updates.take_newer(copy, giver, [this] { go_on(); });
  }
  if (copy.stale)
    return set_aside(copy, giver);
  if (auto aside = std::move(search_->aside)) { // it may have what is still on its way to this giver
    aside->merge(copy, rules().conflicts);
    copy = aside->copy();
    if (is_tombstone(copy.versions)) {
      search_->deleted_at = search_->stale_at;
      return search_failed();
    }
    search_->stale_at.clear();
  }
  search_->holder = giver;
  answer_with(copy, giver);
  if (!shadow().has_readers())
    repair_older(copy);
  else
    search_->older[giver] = copy.versions.context;
  if (search_->keep.wanted && !may_take(copy.versions))
    return kept_away(giver);
  if (search_->joined)
    return settle(copy);
  if (search_->keep.wanted) { // someone came to want it here while the question was under way
    search_->ask_again(giver);
    return ask_next();
  }
  shadow().has_readers() ? ask_next() : end_search();
}

void shadow_search::answer_with(const item_copy& copy, const std::string& giver) {
  replica there{copy.id, giver};
  there.merge(copy, rules().conflicts);
  auto answer = there.snapshot();
  answer.copy = copy_kind::remote;
  shadow().answer_readers(answer, copy.stale);
}

void shadow_search::set_aside(const item_copy& copy, const std::string& giver) {
  search_->set_aside(copy, giver, rules().conflicts);
  self()->delayed_send(self(), this_node().config.hedge_after, deadline_a_v, search_->number);
  ask_next();
}

/// Readers hear that it may be old.
void shadow_search::show_aside() {
  if (!search_->aside)
    return;
  auto answer = search_->aside->snapshot();
  answer.served_by = search_->stale_at;
  answer.copy = copy_kind::remote;
  shadow().answer_readers(answer, true);
}

/// The copy that was found may not stay here: it is read and written where it is.
void shadow_search::kept_away(const std::string& giver) {
  search_->keep_away(giver);
  drop_joining_record();
  shadow().has_readers() ? ask_next() : end_search();
}

void shadow_search::settle(const item_copy& copy) {
  uint64_t moved = 0;
  for (const auto& value : copy.values)
    moved += value.size();
  if (this_node().config.fault == deliberate_fault::install_fetched_over_update) {
    item() = replica{copy.id, this_node().self.node};
    item().join(search_->keep.terms);
  }
  take_in(copy);
  item().add_cost(moved);
  item().settle(search_->keep.as, shadow().lifetime.settled(search_->keep.terms));
  search_->settling = true;
  auto invited = search_->keep.terms.reason != lease_reason::access; // by someone who sees to the other copies
  persist([this, invited] {
    this_node().counters.shadows_created.fetch_add(1, std::memory_order_relaxed);
    auto rest = others();
    std::erase_if(rest, [this](const std::string& node) { return search_->inviters.count(node) > 0; });
    for (const auto& node : search_->believed()) // the item may have begun there as well: then the two meet now
      if (node != this_node().self.node && item().record().holders.state_of(node) == holder_state::left)
        rest.push_back(node);
    shadow().holders.tell_holders(rest, item().record().holders);
    if (!invited && item().record().holders.current().size() < rules().factor)
      shadow().placing.place_first_copies();
    go_on();
  });
}

/// Those who were asked before and had less than this get it, too. Without a copy that stays here nobody else would
/// bring the two together.
void shadow_search::repair_older(const item_copy& newer) {
  for (const auto& [node, had] : search_->older)
    if (!had.covers(newer.versions.context) && !is_forbidden(node, newer.versions))
      ask_peer<replicate_ack>(
          node, traffic::repair, replicate_item{newer, this_node().self.node, newer.holders.current()},
          [](const replicate_ack&) {}, [](const caf::error&) {});
  search_->older.clear();
}

void shadow_search::go_on() {
  search_->settling = false;
  shadow().answer_readers();
  !shadow().has_readers() && item().versions().context.covers(search_->needs) ? end_search() : ask_next();
}

/// Drops the record of a copy that never came.
void shadow_search::drop_joining_record() {
  if (item().role() != holder_state::joining)
    return;
  std::vector<std::string> asked(search_->asked().begin(), search_->asked().end());
  auto told = item().drop();
  persist([this, asked, told] { shadow().holders.tell_holders(asked, told); });
}

void shadow_search::search_failed() {
  shadow().answer_readers(); // a write or an update may have brought what they wait for
  auto& s = *search_;
  if (item().present() && !visible() && shadow().is_syncing()) { // the item has begun here meanwhile
    persist([this] {
      shadow().answer_readers();
      if (shadow().has_readers() && !search_)
        shadow().search_for_readers();
    });
    return end_search();
  }
  if (is_behind()) // nobody has a newer one who can be asked
    shadow().answer_readers(*visible(), true);
  auto arrived = item().role() == holder_state::joining && !item().versions().siblings.empty(); // with an update
  if (s.deleted_at.empty() && s.joined && !s.aside && arrived)
    return settle({item().record().id, {}, {}, {}});
  if (s.deleted_at.empty() && s.aside) {
    show_aside();
    auto keeps = s.may_keep_aside(this_node().is_fresh());
    auto copy = std::exchange(s.aside, nullptr)->copy();
    if (keeps && may_take(copy.versions))
      return settle(copy);
  }
  auto reason = why_not_found(s);
  drop_joining_record();
  shadow().fail_readers_of(s.number, reason);
  end_search();
  if (shadow().has_readers() && !search_)
    shadow().search_for_readers();
}

caf::error shadow_search::why_not_found(const copy_search& s) const {
  std::string unreachable;
  for (const auto& node : s.unreachable())
    unreachable += (unreachable.empty() ? "" : ", ") + node;
  auto held = item().present() || !s.holder.empty() || !s.stale_at.empty();
  if (held && s.deleted_at.empty())
    return make_error(ec::too_old, "all copies that could be had are older than the context"
                                       + (unreachable.empty() ? "" : ", and " + unreachable + " cannot be reached")
                                       + "; try again");
  if (!s.deleted_at.empty())
    return make_error(ec::gone, "the item was deleted");
  if (!unreachable.empty())
    return make_error(ec::unavailable, "nodes that may hold the item do not answer (" + unreachable + "); try again");
  if (!knows_all_nodes(this_node()))
    return not_all_nodes_known(this_node());
  if (may_be_lost(item().record().id, *this_node().lost.get()))
    return make_error(ec::store_corrupt,
                      "no region holds the item, unless it lay in a damaged part of the store of region "
                          + this_node().self.region + "; what lay there is lost");
  return nobody_holds_it();
}

void shadow_search::end_search() {
  auto ended = std::move(search_);
  for (auto& run : ended->then)
    run(*ended);
}

} // namespace gnomon
