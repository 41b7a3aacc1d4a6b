#include "actors/cluster_memory.hpp"

#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon {

namespace {

constexpr frame_kind member_frame{'M', 1, "member"};
constexpr frame_kind removal_frame{'X', 1, "removal"};
constexpr size_t page = 1000;

std::string member_key(const std::string& node) {
  return keys::meta("member/" + node);
}

std::string removal_key(const removed_node& removed) {
  return keys::meta("removed/" + removed.node + "/" + std::to_string(removed.incarnation));
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
  std::erase_if(memory.members,
                [&](const node_identity& who) { return memory.removed.refuses(who.node, who.incarnation); });
  return memory;
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
