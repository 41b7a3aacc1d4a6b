#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace gnomon {

/// The items of this node with the most versions without common history. Such an item is written without a context.
/// Thread-safe and bounded: when there are very many such items, the smallest are forgotten.
class crowded_items {
public:
  struct entry {
    std::string id;
    uint64_t versions = 0;
    uint64_t bytes = 0;
  };

  /// An item with fewer than two versions is forgotten.
  void note(const std::string& id, uint64_t versions, uint64_t bytes);
  /// The largest by bytes, at most `limit`.
  std::vector<entry> largest(size_t limit) const;

private:
  struct size {
    uint64_t versions = 0;
    uint64_t bytes = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, size> items_;
};

} // namespace gnomon
