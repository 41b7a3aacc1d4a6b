#pragma once

#include "actors/messages/protocol.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <set>

/// A router that keeps items in memory: what clients are tested against where no node is needed.
namespace gnomon::testing {

struct fake_items {
  struct entry {
    version_set versions;
    std::map<dot, blob> values;
  };
  std::map<std::string, entry> items;
  std::atomic<bool> silent = false; // takes writes of ids that begin with "slow" and never answers
  std::atomic<uint64_t> writes = 0;
  std::atomic<uint64_t> subscriptions = 0; // ever asked for
};

struct fake_router_state {
  std::shared_ptr<fake_items> kept;
  std::map<std::string, std::vector<caf::typed_response_promise<change_page>>> followers; // by id
  std::vector<caf::typed_response_promise<write_receipt>> unanswered;
  std::string trained_with;
};

inline item_versions find(fake_items& kept, const read_item& request) {
  auto& entry = kept.items.at(request.id);
  item_versions found;
  found.id = request.id;
  found.versions = entry.versions;
  for (auto& s : entry.versions.siblings)
    found.values.push_back(request.without_values ? blob{} : entry.values[s.id]);
  found.served_by = "fake";
  return found;
}

inline write_receipt apply(router_actor::stateful_pointer<fake_router_state> self, const write_item& request) {
  auto& kept = *self->state.kept;
  auto& entry = kept.items[request.id];
  write_receipt receipt;
  receipt.created = entry.versions.siblings.empty();
  sibling next;
  next.content_type = request.content_type;
  next.request_id = request.request_id;
  next.user = request.user;
  next.deleted = request.deleted;
  entry.values[entry.versions.write(request.seen, holding_id{1, 1}, next)] = request.value;
  receipt.id = request.id;
  receipt.context = entry.versions.context;
  receipt.etag = entry.versions.etag();
  receipt.acks = 1;
  receipt.served_by = "fake";
  ++kept.writes;
  change news;
  news.kind = request.deleted ? "deleted" : "written";
  news.id = request.id;
  news.position = "1-" + std::to_string(kept.writes.load());
  for (auto& follower : std::exchange(self->state.followers[request.id], {}))
    follower.deliver(change_page{{news}, news.position});
  return receipt;
}

inline item_page list(fake_items& kept, const list_items& request) {
  item_page page;
  for (auto i = kept.items.upper_bound(request.after); i != kept.items.end(); ++i) {
    if (i->first.rfind(request.prefix, 0) != 0)
      continue;
    if (page.items.size() == request.limit) {
      page.more = true;
      break;
    }
    item_summary summary;
    summary.id = i->first;
    page.items.push_back(summary);
  }
  return page;
}

inline item_copy copy_of(fake_items& kept, const std::string& id) {
  auto& entry = kept.items.at(id);
  item_copy copy;
  copy.id = id;
  copy.versions = entry.versions;
  for (auto& s : copy.versions.siblings)
    copy.values.push_back(entry.values[s.id]);
  return copy;
}

inline load_receipt load(fake_items& kept, const load_item& request) {
  auto& entry = kept.items[request.copy.id];
  auto changed = entry.versions.sync(request.copy.versions);
  for (size_t i = 0; i < request.copy.values.size(); ++i)
    entry.values[request.copy.versions.siblings[i].id] = request.copy.values[i];
  return {request.copy.id, changed ? load_outcome::restored : load_outcome::known};
}

inline training_status train(fake_router_state& state, const train_piece& piece) {
  state.trained_with += piece.text.view();
  training_status status;
  status.job = 7;
  return status;
}

inline training_status training_of(const fake_router_state& state, uint64_t job) {
  training_status status;
  status.job = job;
  status.phase = training_phase::adopted;
  status.accesses = state.trained_with.size();
  return status;
}

inline cluster_report report() {
  cluster_report about;
  about.self = "fake";
  return about;
}

inline prediction prediction_for(const std::string& user) {
  return {user, "fake", 0, {{"next", 0.5, 0.625, {"fake"}, {}}}};
}

inline caf::result<node_removal> removal_of(const std::string& node) {
  if (node != "gone")
    return make_error(ec::not_found, "there is no node " + node + " in this cluster");
  return node_removal{node, 7, 3};
}

inline caf::result<item_copy> give(fake_items& kept, const fetch_item& request) {
  if (kept.items.count(request.id) == 0)
    return make_error(ec::not_here, "no copy here");
  return copy_of(kept, request.id);
}

inline router_actor::behavior_type fake_router(router_actor::stateful_pointer<fake_router_state> self,
                                               std::shared_ptr<fake_items> given) {
  auto& state = self->state;
  state.kept = std::move(given);
  auto kept = state.kept.get();
  return {
      [=](const read_item& request) -> caf::result<item_versions> {
        if (kept->items.count(request.id) == 0)
          return make_error(ec::not_found, "there is no item '" + request.id + "'");
        return find(*kept, request);
      },
      [=, &state](const write_item& request) -> caf::result<write_receipt> {
        if (!kept->silent || request.id.rfind("slow", 0) != 0)
          return apply(self, request);
        return state.unanswered.emplace_back(self->make_response_promise<write_receipt>());
      },
      [=](const list_items& request) { return list(*kept, request); },
      [](const create_shadow& request) {
        return shadow_plan{.id = request.id, .factor = request.factor, .copies = {}, .shortfall = {}};
      },
      [](const get_shadow_status&) -> caf::result<shadow_report> { return make_error(ec::not_found, "no such item"); },
      [](const put_policy&) { return policy_list{}; },
      [](const get_policies&) { return policy_list{}; },
      [=](const fetch_item& request) { return give(*kept, request); },
      [=](const load_item& request) { return load(*kept, request); },
      [](const exchange_policies&) { return policy_list{}; },
      [](const get_route&) { return route_list{}; },
      [](const get_cluster&) { return report(); },
      [](const remove_node& request) { return removal_of(request.node); },
      [](deadline_a, uint64_t) {},
      [](flush_a) {},
      [](const get_prediction& request) { return prediction_for(request.user); },
      [](const find_actor&) -> caf::result<found_actor> { return make_error(ec::not_found, "nobody"); },
      [](const forget_user& request) {
        return forget_receipt{request.user, 1};
      },
      [&state](const train_piece& piece) { return train(state, piece); },
      [&state](const get_training& request) { return training_of(state, request.job); },
      [](const access_batch&) {},
      [=, &state](const follow_changes& request) -> caf::result<change_page> {
        if (request.wait == duration{}) // who begins
          return change_page{{}, "1-0"};
        ++kept->subscriptions;
        state.followers[request.name].push_back(self->make_response_promise<change_page>());
        return caf::delegated<change_page>{};
      },
      [](const get_effective_policy& request) {
        return effective_policy{request.id, request.user, R"({"factor":3})", {{"factor", "config", ""}}};
      },
      [](const list_trainings&) { return training_list{}; },
      [](const report_reads& request) { return reads_receipt{request.reads.size()}; },
      [](const drop_shadow&) -> caf::result<shadow_drop> { return make_error(ec::not_found, "no such copy"); },
      [=](const count_items&) {
        return item_count{kept->items.size(), kept->items.size(), true};
      },
      [](const put_token& request) { return token_list{{request.token}}; },
      [](const revoke_token&) { return token_list{}; },
      [](const get_tokens&) { return token_list{}; },
  };
}

} // namespace gnomon::testing
