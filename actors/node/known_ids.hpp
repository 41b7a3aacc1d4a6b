#pragma once

#include "runtime/base/ids.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace gnomon {

/// Which ids may be held anywhere, or are in use here: a filter for each slice that may take an id for known that is
/// not, one in some thousand, but never the other way round. So HTTP threads can tell what nobody holds without asking
/// an actor. A split block Bloom filter (Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters",
/// 2007; the form of Apache Parquet). Any thread reads; only the slice's shard writes.
class known_ids {
public:
  known_ids();
  ~known_ids();
  bool may_have(std::string_view id) const;
  void add(std::string_view id);
  /// True when so many ids were added to the slice that the filter should be made anew: it is too small, or most of
  /// what it has is gone. Then: `auto next = begin_anew(n)`, `next.add(id)` for each of about `n` ids, `replace`.
  bool is_crowded(size_t slice) const;
  class filter;
  static std::shared_ptr<filter> begin_anew(size_t ids);
  void replace(size_t slice, std::shared_ptr<filter> next);
  size_t bytes() const;

private:
  std::array<std::atomic<std::shared_ptr<filter>>, shard_count> slices_;
};

/// The filter of one slice.
class known_ids::filter {
public:
  explicit filter(size_t ids);
  bool may_have(std::string_view id) const;
  void add(std::string_view id);
  bool is_crowded() const {
    return added_ > capacity_;
  }
  size_t bytes() const {
    return blocks_ * sizeof(block);
  }

private:
  using block = std::array<std::atomic<uint32_t>, 8>;
  block& block_of(uint64_t hash) const;
  bool has(uint64_t hash) const;

  size_t capacity_;
  size_t blocks_;
  size_t added_ = 0; // ids that it did not seem to have before
  std::unique_ptr<block[]> bits_;
};

} // namespace gnomon
