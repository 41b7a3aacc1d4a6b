#include "tests/simulation/disk.hpp"

#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon::simulation {

/// The disk as one process sees it: dead once another process has opened it, or it crashed.
class open_disk final : public kv_store {
public:
  open_disk(disk& on, uint64_t process) : disk_(on), process_(process) {}

  void begin() {
    identity_ = *begin_start(*this);
  }
  expected<void> apply(std::span<const kv_write> writes) override {
    if (dead())
      return make_error(ec::store_failed, "the process that opened this disk is gone");
    return disk_.apply(writes);
  }
  expected<std::optional<std::string>> get(std::string_view key) override {
    if (dead() || disk_.fails_reads)
      return make_error(ec::store_failed, "the simulated disk fails reads");
    auto i = disk_.seen_.find(key);
    return i != disk_.seen_.end() ? std::optional{i->second} : std::nullopt;
  }
  expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) override {
    if (dead() || disk_.fails_reads)
      return make_error(ec::store_failed, "the simulated disk fails reads");
    return test::page_of(disk_.seen_, first, last, limit, keys_only);
  }
  store_identity identity() const override {
    return identity_;
  }

private:
  bool dead() const {
    return process_ != disk_.process_;
  }
  disk& disk_;
  uint64_t process_;
  store_identity identity_;
};

std::shared_ptr<kv_store> disk::open() {
  crash();
  auto store = std::make_shared<open_disk>(*this, process_);
  auto failed = std::exchange(fails_writes, false);
  auto unreadable = std::exchange(fails_reads, false);
  store->begin();
  fails_writes = failed;
  fails_reads = unreadable;
  return store;
}

void disk::crash() {
  ++process_;
  unsynced_.clear();
  for (const auto& [key, value] : doubtful_)
    change({key, value}, kept_);
  doubtful_.clear();
  seen_ = kept_;
  read_records();
}

void disk::lose(bool keep_incarnation) {
  image empty;
  if (auto stored = kept_.find(keys::meta("identity")); keep_incarnation && stored != kept_.end()) {
    constexpr frame_kind kind{'I', 1, "store identity"};
    auto identity = *decode_as<store_identity>(kind, stored->second);
    identity.start = 0;
    empty.emplace(stored->first, encode_as(kind, identity));
  }
  restore(empty, true);
}

void disk::restore(const image& older, bool keep_identity) {
  doubtful_.clear();
  kept_ = older;
  if (!keep_identity)
    kept_.erase(keys::meta("identity"));
  crash();
}

/// A write that fails may be found after a restart all the same, but only one, and only unless another has succeeded
/// since: after a failed sync LevelDB takes no more writes until it is opened again.
expected<void> disk::apply(std::span<const kv_write> writes) {
  if (fails_writes) {
    if (dice_.chance(30) && doubtful_.empty())
      for (const auto& w : writes)
        doubtful_.emplace_back(w.key, w.value ? std::optional<std::string>{*w.value} : std::nullopt);
    return make_error(ec::store_failed, "the simulated disk fails writes");
  }
  doubtful_.clear();
  if (!lies)
    for (const auto& w : writes)
      change(w, kept_);
  else {
    for (const auto& w : writes)
      unsynced_.emplace_back(w.key, w.value ? std::optional<std::string>{*w.value} : std::nullopt);
    for (; unsynced_.size() > 40; unsynced_.erase(unsynced_.begin()))
      change({unsynced_.front().first, unsynced_.front().second}, kept_);
  }
  for (const auto& w : writes) {
    change(w, seen_);
    look_at(w);
  }
  return caf::unit;
}

void disk::change(const kv_write& write, image& in) {
  if (write.value)
    in.insert_or_assign(std::string{write.key}, std::string{*write.value});
  else if (auto i = in.find(write.key); i != in.end())
    in.erase(i);
}

void disk::look_at(const kv_write& write) {
  if (auto id = keys::record_id(write.key)) {
    auto before = record(*id);
    record_ptr after;
    if (write.value)
      if (auto decoded = decode_record(*write.value))
        after = std::make_shared<const item_record>(std::move(*decoded));
    if (after)
      records_[*id] = after;
    else
      records_.erase(*id);
    observer_.record_changed(node_, *id, before, after);
  } else if (auto name = keys::parse_value(write.key); name && write.value) {
    observer_.value_stored(node_, name->id, name->version, *write.value);
  }
}

/// What is found at the start of a process may differ from what the last one saw.
void disk::read_records() {
  auto before = std::exchange(records_, {});
  auto range = keys::records();
  for (auto i = seen_.lower_bound(range.first); i != seen_.end() && (range.last.empty() || i->first < range.last); ++i)
    if (auto id = keys::record_id(i->first))
      if (auto decoded = decode_record(i->second))
        records_[*id] = std::make_shared<const item_record>(std::move(*decoded));
  for (const auto& [id, record] : records_)
    if (auto known = before.find(id); known == before.end() || known->second->versions != record->versions)
      observer_.record_changed(node_, id, known == before.end() ? nullptr : known->second, record);
}

} // namespace gnomon::simulation
