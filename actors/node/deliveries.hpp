#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gnomon {

/// What this node has to deliver to its peers: updates under way and hints on disk, without naming the items.
/// Heartbeats carry it, so that a peer that was away knows when it has all that was kept for it. Thread-safe; bounded
/// by the number of peers and of updates under way.
class deliveries {
  struct book;

public:
  deliveries();

  /// An update on its way to a peer, until the last pointer to it is gone.
  class update {
  public:
    update(std::shared_ptr<book> accounts, std::string peer, uint64_t number);
    ~update();
    update(const update&) = delete;
    update& operator=(const update&) = delete;
    /// It failed, and a hint is being stored in its place: keep the update until the hint is synced.
    void leaves_hint() {
      hint_ = true;
    }

  private:
    std::shared_ptr<book> accounts_;
    std::string peer_;
    uint64_t number_;
    bool hint_ = false;
  };

  struct position {
    uint64_t begun = 0;   // number of the next update
    uint64_t settled = 0; // all below were answered, or their hints are on disk
    bool hints = true;    // hints may be waiting: no search has found none since the last one was made
  };

  std::shared_ptr<update> begin(const std::string& peer);
  position of(const std::string& peer) const;
  size_t under_way(const std::string& peer) const;

  /// How many hints were made for `peer` since the start: ask before a search for hints, and tell a search that found
  /// none what it was then.
  uint64_t hints_made(const std::string& peer) const;
  void found_no_hints(const std::string& peer, uint64_t made_before);

private:
  std::shared_ptr<book> accounts_; // updates may outlive this
};

} // namespace gnomon
