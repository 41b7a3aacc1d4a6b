#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// An ordered map from ids to a few bytes each, in little memory. Rows stand in blocks, in order, and a row stores only
/// what its id does not share with the one before it (front coding: Witten, Moffat and Bell, "Managing Gigabytes",
/// 1999; LevelDB's blocks are of this form). A row of an id of which `n` bytes are its own takes about `n` + 5 bytes
/// and what is kept with it. Finding one reads a block of at most `most_rows` rows.
class packed_map {
public:
  static constexpr size_t most_rows = 48;

  /// What is kept with `id`. Valid until the table changes.
  std::optional<std::string_view> find(std::string_view id) const;
  bool has(std::string_view id) const {
    return find(id).has_value();
  }
  void set(std::string_view id, std::string_view kept);
  /// False when there was no such row.
  bool erase(std::string_view id);
  /// Calls `take` with the rows in order of their ids, beginning with the first that is not less than `from`, until it
  /// returns false.
  void each(std::string_view from, const std::function<bool(const std::string& id, std::string_view kept)>& take) const;
  /// Calls `change` with each row, in order. It may change what is kept, and returns false for a row that goes.
  void rewrite(const std::function<bool(const std::string& id, std::string& kept)>& change);
  size_t size() const {
    return size_;
  }
  /// Of memory, without what the allocator adds.
  size_t bytes() const {
    return text_.capacity() + blocks_.capacity() * sizeof(block);
  }

private:
  struct block {
    size_t at = 0; // in text_
    uint32_t length = 0;
    uint32_t count = 0; // of rows
  };
  class reader;
  class writer;

  std::string_view text_of(const block& b) const {
    return std::string_view{text_}.substr(b.at, b.length);
  }
  size_t block_of(std::string_view id) const;
  void insert(size_t at, std::string_view rows, uint32_t count);
  void replace(size_t at, std::string_view rows, uint32_t count);
  void split(size_t at);
  void join(size_t at);
  void make_room(size_t bytes);

  std::vector<block> blocks_; // none is empty
  /// The blocks' rows, and what they were before. All in one piece: small pieces that live long, among many that do
  /// not, would keep the allocator from giving memory back.
  std::string text_;
  size_t unused_ = 0; // bytes of text_ that no block has
  size_t size_ = 0;
};

} // namespace gnomon
