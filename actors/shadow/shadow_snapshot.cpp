#include "actors/shadow/shadow_snapshot.hpp"

#include "actors/shadow/shadow.hpp"

#include <algorithm>

namespace gnomon {

namespace {

/// Versions that have expired stay away; the context goes on covering them.
item_copy without_expired(item_copy copy, timestamp now) {
  auto& siblings = copy.versions.siblings;
  for (size_t i = siblings.size(); i-- > 0;)
    if (siblings[i].expires != timestamp{} && siblings[i].expires <= now) {
      siblings.erase(siblings.begin() + static_cast<ptrdiff_t>(i));
      copy.values.erase(copy.values.begin() + static_cast<ptrdiff_t>(i));
    }
  return copy;
}

} // namespace

void shadow_snapshot::load_versions(const load_item& request, answer<load_receipt> reply) {
  if (!replica::complete(request.copy) || request.copy.versions.siblings.empty())
    return reply.fail(make_error(ec::bad_message, "what was to be loaded of '" + request.copy.id + "' lacks values"));
  auto job = std::make_shared<loading>();
  job->copy = without_expired(request.copy, now());
  job->copy.holders = {}; // who held it then says nothing of who holds it now
  job->dry_run = request.dry_run;
  job->reply = std::move(reply);
  job->asked.insert(this_node().self.node);
  if (job->copy.versions.siblings.empty())
    return job->done(load_outcome::expired);
  merge_loaded(job);
}

void shadow_snapshot::merge_loaded(const std::shared_ptr<loading>& job) {
  if (shadow().search.is_under_way()) // a copy is being made here: wait how that ends
    return shadow().search.await_end([this, job](const copy_search&) { merge_loaded(job); });
  if (!item().present() || !may_take(job->copy.versions))
    return ask_who_has(job);
  if (job->dry_run)
    return job->done(item().versions().context.covers(job->copy.versions.context) ? load_outcome::known
                                                                                  : load_outcome::merged);
  auto changed = take_in(job->copy);
  if (changed) {
    item().set_pinned(item().role() == holder_state::shadow);
    item().owe(others());
  }
  persist([this, job, changed] {
    job->done(changed ? load_outcome::merged : load_outcome::known);
    if (changed)
      shadow().updates.replicate(traffic::repair);
  });
}

/// First those that the catalog names, all at once; when none of them has the item, all others.
void shadow_snapshot::ask_who_has(const std::shared_ptr<loading>& job) {
  switch (job->next) {
  case loading::stage::catalog:
    job->next = loading::stage::everyone;
    self()
        ->request(core_.shard, this_node().config.peer_timeout, locate_a_v, item().record().id)
        .then([this, job](const std::vector<std::string>& nodes, bool) { compare_at(job, nodes); },
              [job](const caf::error& reason) { job->reply.fail(reason); });
    return;
  case loading::stage::everyone:
    job->next = loading::stage::nobody;
    return compare_at(job, this_node().cluster.get()->names());
  case loading::stage::nobody:
    return begin_loaded(job);
  }
}

/// The first that has the item decides.
void shadow_snapshot::compare_at(const std::shared_ptr<loading>& job, std::vector<std::string> nodes) {
  std::erase_if(nodes, [&](const std::string& node) { return !job->asked.insert(node).second; });
  ask_each<item_copy>(
      nodes, traffic::repair,
      fetch_item{
          .id = item().record().id, .requester = this_node().self.node, .without_values = true, .tombstones = true},
      [this, job](const std::string& node, const expected<item_copy>& there) {
        if (there && !std::exchange(job->found, true))
          merge_at(job, node, *there);
      },
      [this, job] {
        if (!job->found)
          ask_who_has(job);
      });
}

/// `node` has the item: the versions go there as an update, or to a durable holder that it names.
void shadow_snapshot::merge_at(const std::shared_ptr<loading>& job, std::string node, const item_copy& there) {
  if (there.versions.context.covers(job->copy.versions.context))
    return job->done(load_outcome::known);
  if (job->dry_run)
    return job->done(load_outcome::merged);
  auto view = this_node().cluster.get();
  for (const auto& durable : there.holders.durable())
    if (view->reachable(durable) && !is_forbidden(durable, job->copy.versions)) {
      node = durable;
      break;
    }
  ask_peer<replicate_ack>(
      node, traffic::repair, replicate_item{job->copy, this_node().self.node, {}},
      [job](const replicate_ack&) { job->done(load_outcome::merged); },
      [job](const caf::error& reason) { job->reply.fail(reason); });
}

/// Nobody who can be reached has the item: it begins here, with the dots it had.
void shadow_snapshot::begin_loaded(const std::shared_ptr<loading>& job) {
  if (!may_take(job->copy.versions))
    return job->reply.fail(this_node().kept_away());
  if (shadow().search.is_under_way() || item().present()) // it came while the others were asked
    return merge_loaded(job);
  if (job->dry_run)
    return job->done(load_outcome::restored);
  lease terms{lease_reason::request, 1.0, now(), now(), {}};
  item().join(terms);
  item().settle(holder_state::durable, terms);
  take_in(job->copy);
  persist([this, job] {
    job->done(load_outcome::restored);
    if (!item().versions().deleted())
      shadow().placing.place_first_copies();
  });
}

} // namespace gnomon
