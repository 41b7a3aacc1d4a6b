// The ids that a node holds, in order: one page out of a page of each of its stores. How many there are, the catalog
// knows.
#include "actors/region/router.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon {

namespace {

/// Pages of several stores on their way to one page.
struct merged_page {
  size_t open = 0;
  std::map<std::string, item_summary> items;
  bool more = false;
  std::string least_last; // the smallest last id of the stores that have more: beyond it the page is not complete
};

void add_page(merged_page& all, const store_entries& page, const std::string& self, bool deleted) {
  for (const auto& [key, value] : page.entries) {
    auto record = decode_record(value.view());
    if (!record)
      continue;
    auto role = record->holders.state_of(self);
    const auto& versions = record->versions;
    auto absent = role == holder_state::joining || role == holder_state::left || versions.siblings.empty();
    if (absent || (versions.deleted() && !deleted))
      continue;
    item_summary summary{record->id, versions.bytes(), versions.siblings.front().content_type, role,
                         static_cast<uint32_t>(versions.siblings.size())};
    all.items.emplace(record->id, std::move(summary));
  }
  if (!page.more || page.entries.empty())
    return;
  auto last = keys::record_id(page.entries.back().first).value_or(std::string{});
  all.least_last = all.more ? std::min(all.least_last, last) : last;
  all.more = true;
}

item_page cut(merged_page& all, uint32_t limit) {
  item_page result;
  result.more = all.more;
  for (auto& [id, summary] : all.items) {
    if (all.more && id > all.least_last)
      break;
    if (result.items.size() == limit) {
      result.more = true;
      break;
    }
    result.items.push_back(std::move(summary));
  }
  return result;
}

} // namespace

void router_state::list(const list_items& request, answer<item_page> reply) {
  auto limit = std::clamp(request.limit, 1u, 10'000u);
  auto all = std::make_shared<merged_page>();
  auto range = keys::records(request.prefix, request.after);
  auto handles = node_->handles.get();
  all->open = handles->stores.size();
  for (const auto& store : handles->stores)
    self_->request(store, node_->config.request_timeout, store_scan{range.first, range.last, limit, false})
        .then(
            [=, this](const store_entries& page) {
              add_page(*all, page, node_->self.node, request.deleted);
              if (--all->open > 0)
                return;
              auto result = cut(*all, limit);
              if (result.items.empty() && result.more) // a page of nothing but tombstones: go on behind it
                list({request.prefix, all->least_last, request.limit, request.deleted}, reply);
              else
                reply.give(std::move(result));
            },
            [reply](const caf::error& reason) { reply.fail(reason); });
}

void router_state::count(const count_items& request, answer<item_count> reply) {
  auto sum = std::make_shared<item_count>();
  auto open = std::make_shared<size_t>(shard_count);
  auto handles = node_->handles.get();
  for (const auto& shard : handles->shards)
    self_->request(shard, node_->config.peer_timeout, request)
        .then(
            [=](const item_count& part) {
              sum->here += part.here;
              sum->everywhere += part.everywhere;
              sum->complete &= part.complete;
              if (--*open == 0)
                reply.give(*sum);
            },
            [reply](const caf::error& reason) { reply.fail(reason); });
}

} // namespace gnomon
