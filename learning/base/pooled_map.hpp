#pragma once

#include <functional>
#include <memory>
#include <memory_resource>
#include <unordered_map>

namespace gnomon::learning {

/// A hash map with a pool of its own for its nodes. They then lie close together, whatever else the process allocates
/// and frees between two of them, and do not keep the pages of others in memory.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<>>
class pooled_map {
public:
  using map = std::pmr::unordered_map<Key, Value, Hash, Equal>;

  pooled_map() = default;
  pooled_map(pooled_map&&) noexcept = default;
  pooled_map& operator=(pooled_map&&) noexcept = default;
  pooled_map(const pooled_map& other) : held_(std::make_unique<contents>(*other)) {}
  pooled_map& operator=(const pooled_map& other) {
    held_ = std::make_unique<contents>(*other);
    return *this;
  }

  map& operator*() {
    return held_->nodes;
  }
  const map& operator*() const {
    return held_->nodes;
  }
  map* operator->() {
    return &held_->nodes;
  }
  const map* operator->() const {
    return &held_->nodes;
  }

private:
  struct contents {
    contents() = default;
    explicit contents(const map& other) : nodes(other, &pool) {}
    std::pmr::unsynchronized_pool_resource pool;
    map nodes{&pool};
  };
  std::unique_ptr<contents> held_ = std::make_unique<contents>();
};

} // namespace gnomon::learning
