#include "actors/shadow/store.hpp"

#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <map>

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t hint_page = 10'000;
constexpr auto space_pause = std::chrono::seconds{1};

size_t bytes_of(const store_batch& batch) {
  size_t bytes = 0;
  for (const auto& [key, value] : batch.puts)
    bytes += key.size() + value.size();
  for (const auto& key : batch.erases)
    bytes += key.size();
  return bytes;
}

void append(std::vector<kv_write>& writes, const store_batch& batch) {
  for (const auto& [key, value] : batch.puts)
    writes.push_back({key, value.view()});
  for (const auto& key : batch.erases)
    writes.push_back({key, std::nullopt});
}

} // namespace

store_state::~store_state() {
  if (node) {
    node->counters.hints -= hints;
    node->counters.stores_full -= full ? 1 : 0;
  }
  for (auto& w : waiting)
    w.promise.deliver(make_error(ec::unavailable, "the store is stopping or being restarted; try again"));
}

caf::result<store_receipt> store_state::enqueue(store_batch&& batch) {
  if (waiting.empty())
    self->send(self, tick_a_v);
  waiting_bytes += bytes_of(batch);
  for (const auto& [key, value] : batch.puts)
    waiting_keys.insert(key);
  waiting_keys.insert(batch.erases.begin(), batch.erases.end());
  waiting.push_back({std::move(batch), self->make_response_promise<store_receipt>()});
  auto promise = waiting.back().promise;
  if (waiting_bytes >= max_group_bytes)
    commit();
  return promise;
}

void store_state::commit() {
  if (waiting.empty())
    return; // the group was full before the tick came
  std::vector<kv_write> writes;
  for (const auto& w : waiting)
    append(writes, w.batch);
  auto more_hints = hints_added_by(writes);
  auto synced = database->apply(writes); // if it throws, the destructor answers
  auto group = std::exchange(waiting, {});
  auto bytes = std::exchange(waiting_bytes, 0);
  waiting_keys.clear();
  if (synced) {
    ++groups;
    hints += static_cast<uint64_t>(more_hints);
    node->counters.hints += static_cast<uint64_t>(more_hints);
    ++node->counters.store_syncs;
    node->counters.store_writes += group.size();
  } else {
    ++node->counters.store_failures;
    log::error("store", "write-failed",
               {{"batches", group.size()}, {"bytes", bytes}, {"error", sentence_of(synced.error())}});
  }
  note_full(!synced && code_of(synced.error()) == ec::store_failed);
  tell_losses();
  for (auto& w : group)
    if (synced)
      w.promise.deliver(store_receipt{groups});
    else
      w.promise.deliver(synced.error());
}

void store_state::tell_losses() {
  const auto& all = database->losses();
  for (; losses < all.size(); ++losses) {
    const auto& loss = all[losses];
    ++node->counters.store_losses;
    node->lost.update([&](std::vector<kv_loss>& known) { known.push_back(loss); });
    auto handles = node->handles.get();
    for (const auto& [first, last] : keys::ids_between(loss.first, loss.last))
      for (const auto& shard : handles->shards)
        if (shard)
          self->send(shard, lost_ids{first, last});
  }
}

/// Reads that would leave a copy here have to know beforehand, and nobody else may write for long.
void store_state::look_at_space() {
  if (full)
    note_full(!database->apply({}));
  else if (!database->takes_writes())
    note_full(true);
  memory.set(database->memory_bytes() + waiting_bytes);
  self->delayed_send(self, space_pause, flush_a_v);
}

void store_state::note_full(bool now) {
  if (std::exchange(full, now) == now)
    return;
  now ? ++node->counters.stores_full : --node->counters.stores_full;
  log::warn("store", now ? "takes-no-writes" : "takes-writes-again", {{"path", node->config.store_path}});
}

void store_state::count_hints() {
  auto range = keys::hints();
  for (auto more = true; more;) {
    auto page = database->scan(range.first, range.last, hint_page, true);
    if (!page) // who reads them will hear of it
      return;
    hints += page->entries.size();
    more = page->more;
    if (more)
      range.first = page->entries.back().first + '\0';
  }
  node->counters.hints += hints;
}

/// Shadows put a hint again that is there, and erase one that is not: only the store knows.
int64_t store_state::hints_added_by(const std::vector<kv_write>& writes) {
  std::map<std::string_view, bool> there;
  int64_t change = 0;
  for (const auto& w : writes) {
    if (!keys::is_hint(w.key))
      continue;
    auto [entry, first] = there.try_emplace(w.key, false);
    if (first) {
      auto stored = database->get(w.key);
      entry->second = stored && stored->has_value();
    }
    change += static_cast<int64_t>(w.value.has_value()) - static_cast<int64_t>(entry->second);
    entry->second = w.value.has_value();
  }
  return change;
}

caf::result<store_values> store_state::get(const store_get& request) {
  // A reader that follows a write, such as the shadow after one that died, must not see what was before it.
  if (std::any_of(request.keys.begin(), request.keys.end(),
                  [this](const auto& k) { return waiting_keys.count(k) > 0; }))
    commit();
  store_values answer;
  for (const auto& key : request.keys) {
    auto value = database->get(key);
    if (!value)
      return value.error();
    answer.found.push_back(value->has_value());
    answer.values.push_back(*value ? blob{std::move(**value)} : blob{});
  }
  tell_losses();
  return answer;
}

caf::result<store_entries> store_state::scan(const store_scan& request) {
  auto page = database->scan(request.first, request.last, request.limit, request.keys_only);
  tell_losses();
  if (!page)
    return page.error();
  store_entries answer;
  answer.more = page->more;
  for (auto& [key, value] : page->entries)
    answer.entries.emplace_back(std::move(key), blob{std::move(value)});
  return answer;
}

store_actor::behavior_type store(store_actor::stateful_pointer<store_state> self, context_ptr node,
                                 std::shared_ptr<kv_store> database) {
  auto& state = self->state;
  state.self = self;
  state.node = std::move(node);
  state.database = std::move(database);
  state.memory = {state.node->memory, memory_part::store};
  state.count_hints();
  state.tell_losses();
  self->delayed_send(self, space_pause, flush_a_v);
  return {
      [=](store_batch& batch) { return self->state.enqueue(std::move(batch)); },
      [=](const store_get& request) { return self->state.get(request); },
      [=](const store_scan& request) { return self->state.scan(request); },
      [=](tick_a) { self->state.commit(); },
      [=](flush_a) { self->state.look_at_space(); },
  };
}

} // namespace gnomon
