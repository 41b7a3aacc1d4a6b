#include "actors/cluster/cluster_memory.hpp"

#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon {

namespace {

constexpr frame_kind member_frame{'M', 1, "member"};
constexpr frame_kind removal_frame{'X', 1, "removal"};
constexpr frame_kind catalog_frame{'C', 1, "catalog"};
constexpr size_t page = 1000;

std::string member_key(const std::string& node) {
  return keys::meta("member/" + node);
}

std::string removal_key(const removed_node& removed) {
  return keys::meta("removed/" + removed.node + "/" + std::to_string(removed.incarnation));
}

std::string catalog_key() {
  return keys::meta("catalog");
}

/// Calls `take` with each readable entry whose name starts with `prefix`; a damaged one is as good as forgotten.
template <class T, class F>
caf::error read_all(kv_store& store, const frame_kind& frame, std::string_view prefix, F take) {
  auto range = keys::metas(prefix);
  for (;;) {
    auto found = store.scan(range.first, range.last, page, false);
    if (!found)
      return found.error();
    for (const auto& [key, value] : found->entries)
      if (auto entry = decode_as<T>(frame, value))
        take(*entry);
    if (!found->more || found->entries.empty())
      return {};
    range.first = found->entries.back().first + '\0';
  }
}

} // namespace

expected<cluster_memory> recall_cluster(kv_store& store) {
  cluster_memory memory;
  auto member = [&](const node_identity& who) { memory.members.push_back(who); };
  auto removal = [&](const removed_node& who) { memory.removed.add(who); };
  if (auto err = read_all<removed_node>(store, removal_frame, "removed/", removal))
    return err;
  if (auto err = read_all<node_identity>(store, member_frame, "member/", member))
    return err;
  for (const auto& who : memory.members)
    memory.addresses.push_back(who.address);
  std::erase_if(memory.members,
                [&](const node_identity& who) { return memory.removed.refuses(who.node, who.incarnation); });
  return memory;
}

expected<std::optional<catalog_memory>> take_catalog(kv_store& store) {
  auto key = catalog_key();
  auto found = store.get(key);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return std::optional<catalog_memory>{};
  kv_write gone{key, std::nullopt};
  if (!store.apply({&gone, 1})) // it would be taken twice
    return std::optional<catalog_memory>{};
  auto memory = decode_as<catalog_memory>(catalog_frame, **found);
  auto sound = memory && memory->incarnation == store.identity().incarnation && memory->heads.size() == shard_count
               && memory->digests.size() == shard_count;
  return sound ? std::optional{std::move(*memory)} : std::nullopt;
}

expected<void> keep_catalog(kv_store& store, const node_counters& counters) {
  catalog_memory memory;
  memory.incarnation = store.identity().incarnation;
  memory.generation = counters.catalog_generation;
  memory.heads.assign(counters.catalog_heads.begin(), counters.catalog_heads.end());
  memory.digests.assign(counters.catalog_digests.begin(), counters.catalog_digests.end());
  auto key = catalog_key();
  auto value = encode_as(catalog_frame, memory);
  kv_write entry{key, value};
  return store.apply({&entry, 1});
}

store_batch remember(const node_identity& member) {
  store_batch batch;
  batch.puts.emplace_back(member_key(member.node), blob{encode_as(member_frame, member)});
  return batch;
}

store_batch remember(const removed_node& removed) {
  store_batch batch;
  batch.puts.emplace_back(removal_key(removed), blob{encode_as(removal_frame, removed)});
  return batch;
}

} // namespace gnomon
