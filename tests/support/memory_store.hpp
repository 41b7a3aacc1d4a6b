#pragma once

#include "storage/kv_store.hpp"

#include <algorithm>
#include <map>

namespace gnomon::test {

/// A store without a disk: keeps its entries as long as the object lives, and fails when told to.
class memory_store final : public kv_store {
public:
  memory_store() {
    reopen();
  }

  bool fail_writes = false;
  bool fail_reads = false;
  size_t longest_value = SIZE_MAX; // a longer one fails its write, as on a disk that is nearly full
  uint64_t syncs = 0;              // successful calls of apply

  /// As if the process had started again on the same disk.
  void reopen() {
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
    if (fail_reads)
      return make_error(ec::store_failed, "the store was told to fail; tell it not to");
    kv_page page;
    size_t bytes = 0;
    for (auto i = entries_.lower_bound(first); i != entries_.end() && (last.empty() || i->first < last); ++i) {
      if (page.entries.size() >= limit || bytes >= max_page_bytes) {
        page.more = true;
        break;
      }
      page.entries.emplace_back(i->first, keys_only ? std::string{} : i->second);
      bytes += i->first.size() + page.entries.back().second.size();
    }
    return page;
  }

  store_identity identity() const override {
    return identity_;
  }

  /// To look at, and to damage.
  std::map<std::string, std::string, std::less<>>& entries() {
    return entries_;
  }

private:
  std::map<std::string, std::string, std::less<>> entries_;
  store_identity identity_;
};

} // namespace gnomon::test
