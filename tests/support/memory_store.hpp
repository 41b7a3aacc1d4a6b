#pragma once

#include "tests/support/entry_map.hpp"

#include <algorithm>

namespace gnomon::test {

/// A store without a disk: keeps its entries as long as the object lives, and fails when told to.
class memory_store final : public kv_store {
public:
  memory_store() {
    reopen();
  }

  bool fail_writes = false;
  bool fail_reads = false;
  char fail_scans_of = 0;          // pages of keys with this tag cannot be read
  size_t longest_value = SIZE_MAX; // a longer one fails its write, as on a disk that is nearly full
  uint64_t syncs = 0;              // successful calls of apply

  /// As if the process had started again on the same disk.
  void reopen() {
    losses_.clear();
    identity_ = *begin_start(*this);
    syncs = 0;
  }

  expected<void> apply(std::span<const kv_write> writes) override {
    auto too_long = [this](const kv_write& w) { return w.value && w.value->size() > longest_value; };
    if (fail_writes || std::any_of(writes.begin(), writes.end(), too_long))
      return make_error(ec::store_failed, "the store was told to fail; tell it not to");
    for (const auto& w : writes)
      if (w.value)
        entries_.insert_or_assign(std::string{w.key}, std::string{*w.value});
      else
        entries_.erase(std::string{w.key});
    ++syncs;
    return caf::unit;
  }

  expected<std::optional<std::string>> get(std::string_view key) override {
    if (fail_reads)
      return make_error(ec::store_failed, "the store was told to fail; tell it not to");
    auto i = entries_.find(key);
    return i != entries_.end() ? std::optional{i->second} : std::nullopt;
  }

  expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) override {
    if (fail_reads || (fail_scans_of != 0 && first.starts_with(fail_scans_of)))
      return make_error(ec::store_failed, "the store was told to fail; tell it not to");
    return page_of(entries_, first, last, limit, keys_only);
  }

  store_identity identity() const override {
    return identity_;
  }

  bool takes_writes() const override {
    return !fail_writes;
  }

  const std::vector<kv_loss>& losses() const override {
    return losses_;
  }

  /// As if the disk could not read any more what lies at first <= key < last.
  void damage(const std::string& first, const std::string& last) {
    entries_.erase(entries_.lower_bound(first), entries_.lower_bound(last));
    losses_.push_back({first, last, "the store was told to lose it"});
  }

  /// To look at, and to damage.
  entry_map& entries() {
    return entries_;
  }

private:
  entry_map entries_;
  store_identity identity_;
  std::vector<kv_loss> losses_;
};

} // namespace gnomon::test
