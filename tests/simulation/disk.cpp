#include "tests/simulation/disk.hpp"

#include "runtime/base/ids.hpp"
#include "storage/archive.hpp"
#include "storage/keys.hpp"

#include <algorithm>

namespace gnomon::simulation {

namespace {

/// The id of the item that a key is about; empty for those of the store itself.
std::string item_of(std::string_view key) {
  auto nul = key.find('\0');
  switch (key.front()) {
  case 'r':
    return std::string{key.substr(1)};
  case 'v':
    return std::string{key.substr(1, nul - 1)};
  case 'e':
    return keys::parse_expiry(key)->id;
  case 'h':
    return std::string{key.substr(nul + 1)};
  }
  return {};
}

} // namespace

/// One store of the disk as one process sees it: dead once another process has opened it, or it crashed.
class open_disk final : public kv_store {
public:
  open_disk(disk& on, size_t number, size_t of) : disk_(on), process_(on.process_), number_(number), of_(of) {}

  void begin() {
    identity_ = *begin_start(*this);
  }
  expected<void> apply(std::span<const kv_write> writes) override {
    if (dead())
      return make_error(ec::store_failed, "the process that opened this disk is gone");
    std::vector<std::string> names;
    for (const auto& w : writes) {
      if (!is_here(w.key))
        disk_.observer_.wrong_store(disk_.node_, item_of(w.key));
      names.push_back(named(w.key));
    }
    std::vector<kv_write> renamed;
    for (size_t i = 0; i < names.size(); ++i)
      renamed.push_back({names[i], writes[i].value});
    return disk_.apply(renamed);
  }
  expected<std::optional<std::string>> get(std::string_view key) override {
    if (dead() || disk_.fails_reads)
      return make_error(ec::store_failed, "the simulated disk fails reads");
    auto i = disk_.seen_.find(named(key));
    return i != disk_.seen_.end() ? std::optional{i->second} : std::nullopt;
  }
  expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) override {
    if (dead() || disk_.fails_reads)
      return make_error(ec::store_failed, "the simulated disk fails reads");
    if (of_ == 1)
      return test::page_of(disk_.seen_, first, last, limit, keys_only);
    image own;
    for (auto i = disk_.seen_.lower_bound(first); i != disk_.seen_.end() && (last.empty() || i->first < last); ++i)
      if (is_here(i->first))
        own.insert(*i);
    return test::page_of(own, first, last, limit, keys_only);
  }
  store_identity identity() const override {
    return identity_;
  }

private:
  bool dead() const {
    return process_ != disk_.process_;
  }
  bool is_here(std::string_view key) const {
    auto id = item_of(key);
    return id.empty() ? number_ == 0 || key == keys::meta("identity") : shard_of(id) % of_ == number_;
  }
  /// What a store keeps of itself lies under a name of its own in the one image.
  std::string named(std::string_view key) const {
    return (number_ > 0 && item_of(key).empty() ? "x" + std::to_string(number_) : "") + std::string{key};
  }
  disk& disk_;
  uint64_t process_;
  size_t number_;
  size_t of_;
  store_identity identity_;
};

std::vector<std::shared_ptr<kv_store>> disk::open(size_t stores) {
  crash();
  auto failed = std::exchange(fails_writes, false);
  auto unreadable = std::exchange(fails_reads, false);
  std::vector<std::shared_ptr<kv_store>> all;
  for (size_t i = 0; i < stores; ++i) {
    auto store = std::make_shared<open_disk>(*this, i, stores);
    store->begin();
    all.push_back(std::move(store));
  }
  fails_writes = failed;
  fails_reads = unreadable;
  return all;
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

void disk::damage(const std::string& id, bool record_too) {
  auto range = keys::values(id);
  for (auto in : {&kept_, &seen_}) {
    for (auto i = in->lower_bound(range.first); i != in->end() && i->first < range.last; ++i)
      i->second.resize(i->second.size() / 2);
    if (auto i = in->find(keys::record(id)); record_too && i != in->end())
      i->second.resize(i->second.size() / 2);
  }
  if (record_too)
    records_.erase(id);
}

bool disk::is_sound(const std::string& id) const {
  auto found = record(id);
  return !found || std::all_of(found->versions.siblings.begin(), found->versions.siblings.end(), [&](const sibling& s) {
    return s.deleted || has_value(id, s.id);
  });
}

bool disk::has_value(const std::string& id, const dot& version) const {
  auto i = seen_.find(keys::value(id, version));
  return i != seen_.end() && decode_value(i->second);
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
  } else if (write.key.front() == 'p') {
    observer_.rule_stored(node_);
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
