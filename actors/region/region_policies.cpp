// The policies of a node: kept, set, and made equal with the peers'.
#include "actors/region/region.hpp"

#include "storage/archive.hpp"
#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

namespace gnomon {

namespace {

constexpr frame_kind policy_frame{'P', 1, "policy"};

} // namespace

void region_state::read_policies() {
  auto range = keys::policies();
  self_
      ->request(node_->handles.get()->stores.front(), node_->config.request_timeout,
                store_scan{range.first, range.last, UINT32_MAX, false})
      .then(
          [this](const store_entries& found) {
            auto table = *node_->policies.get();
            for (const auto& [key, value] : found.entries)
              if (auto entry = decode_as<policy_entry>(policy_frame, value.view()))
                table.merge(*entry);
            for (const auto& entry : table.all_entries())
              stamps_.observe(entry.stamp);
            node_->policies.set(std::move(table));
            node_->counters.rules_known = true;
          },
          [this](const caf::error& reason) { self_->quit(reason); });
}

policy_list region_state::policies() const {
  return {node_->policies.get()->entries_in_force()};
}

void region_state::set_policy(const put_policy& request, answer<policy_list> reply) {
  std::string warning;
  if (!request.text.empty()) {
    auto rule = policy_rule::from_json(request.text);
    if (!rule)
      return reply.fail(std::move(rule.error()));
    warning = doubts_about(rule->residency.value_or(std::vector<std::string>{}));
  }
  if (request.text.empty() && !node_->policies.get()->find(request.scope, request.name))
    return reply.fail(make_error(ec::not_found, "there is no policy for " + std::string{gnomon::name(request.scope)}
                                                    + " '" + request.name + "'"));
  std::vector<policy_entry> entries{{request.scope, request.name, request.text, stamps_.next(node_->time->now())}};
  auto table = *node_->policies.get();
  take_over(table, entries.front());
  node_->policies.set(std::move(table));
  tell_peers({entries});
  policy_list result;
  if (!request.text.empty())
    result.entries = entries;
  result.warning = std::move(warning);
  save_policies(entries, reply, std::move(result));
}

/// True when the entry is news. Notes whether it changes where items may be kept.
bool region_state::take_over(policy_table& table, const policy_entry& entry) {
  auto before = table.residency(entry.scope, entry.name);
  if (!table.merge(entry))
    return false;
  if (table.residency(entry.scope, entry.name) != before)
    moved_.push_back(entry);
  return true;
}

/// What the read index may no longer show goes at once; copies leave in the background, since a shadow has to see to
/// each. All other rules concern nothing that is held.
void region_state::follow_residency() {
  auto moved = std::exchange(moved_, {});
  auto one = [](const policy_entry& entry) { return entry.scope == policy_scope::item; };
  auto handles = node_->handles.get();
  for (const auto& entry : moved)
    if (one(entry)) {
      if (!node_->effective_policy(entry.name, {}).allows(node_->self.region))
        node_->index.erase(entry.name);
      self_->send(node_->shard(entry.name), expire_a_v, entry.name);
    }
  std::erase_if(moved, one);
  if (moved.empty())
    return;
  auto concerned = [&](const policy_entry& entry, const item_versions& item) {
    auto by_user = [&](const sibling& s) { return s.user == entry.name; };
    const auto& all = item.versions.siblings;
    return entry.scope == policy_scope::user
               ? std::any_of(all.begin(), all.end(), by_user)
               : entry.scope == policy_scope::fallback || data_type(item.id) == entry.name;
  };
  auto forbidden = [&](const item_versions& item) {
    const auto& all = item.versions.siblings;
    return std::any_of(all.begin(), all.end(), [&](const sibling& s) {
      return !node_->effective_policy(item.id, s.user).allows(node_->self.region);
    });
  };
  node_->index.erase_if([&](const item_versions& item) {
    auto is_concerned = [&](const auto& entry) { return concerned(entry, item); };
    return std::any_of(moved.begin(), moved.end(), is_concerned) && forbidden(item);
  });
  if (handles->repair)
    self_->send(handles->repair, rules_a_v);
}

/// A rule may name a region before it joins. One whose name is misspelt never will, and its items find no place.
std::string region_state::doubts_about(const std::vector<std::string>& residency) const {
  std::set<std::string> known{node_->self.region};
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers)
    known.insert(peer.identity.region);
  std::vector<std::string> unknown;
  std::copy_if(residency.begin(), residency.end(), std::back_inserter(unknown),
               [&](const auto& region) { return known.count(region) == 0; });
  if (unknown.empty())
    return {};
  auto result = fmt::format("residency names {}, where no node is known; the regions with nodes are {}",
                            fmt::join(unknown, ", "), fmt::join(known, ", "));
  if (unknown.size() == residency.size())
    result += "; until a node joins there, no item of this policy can be written";
  return result;
}

void region_state::merge_policies(const exchange_policies& theirs, answer<policy_list> reply) {
  auto table = *node_->policies.get();
  std::vector<policy_entry> news;
  std::set<std::pair<policy_scope, std::string_view>> known; // to the sender, as new as here
  policy_list newer;                                         // what the sender has not got
  for (const auto& entry : theirs.entries) {
    stamps_.observe(entry.stamp);
    auto readable = entry.text.empty() || policy_rule::from_json(entry.text);
    if (readable && take_over(table, entry))
      news.push_back(entry);
    auto ours = table.find(entry.scope, entry.name);
    if (!ours || ours->stamp <= entry.stamp)
      known.emplace(entry.scope, entry.name);
    else if (!theirs.all)
      newer.entries.push_back(*ours);
  }
  if (theirs.all)
    for (const auto& entry : table.all_entries())
      if (known.count({entry.scope, entry.name}) == 0)
        newer.entries.push_back(entry);
  node_->policies.set(std::move(table));
  newer.removed = merge_removed(theirs.removed);
  auto unknown_tokens = merge_tokens(theirs.tokens);
  if (theirs.with_tokens)
    newer.tokens = std::move(unknown_tokens);
  if (theirs.tell_peers)
    tell_peers({news});
  save_policies(news, reply, std::move(newer));
}

void region_state::save_policies(const std::vector<policy_entry>& entries, answer<policy_list> reply,
                                 policy_list result) {
  if (entries.empty())
    return reply.give(std::move(result));
  follow_residency();
  store_batch batch;
  for (const auto& entry : entries)
    batch.puts.emplace_back(keys::policy(static_cast<uint8_t>(entry.scope), entry.name),
                            blob{encode_as(policy_frame, entry)});
  self_->request(node_->handles.get()->stores.front(), node_->config.request_timeout, std::move(batch))
      .then([reply, result](const store_receipt&) { reply.give(result); },
            [reply](const caf::error& reason) { reply.fail(reason); });
}

/// Every live peer hears of a change at once; one that is away hears of it when it greets again.
void region_state::tell_peers(const exchange_policies& news, traffic urgency) {
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers) {
    auto node = peer.identity.node;
    if (!peer.usable() || !peer.link) {
      greeted_.erase(node);
      continue;
    }
    self_->request(peer.link, node_->config.peer_timeout, urgency, news)
        .then([](const policy_list&) {}, [this, node](const caf::error&) { greeted_.erase(node); });
  }
}

} // namespace gnomon
