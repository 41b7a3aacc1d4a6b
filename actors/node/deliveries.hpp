#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gnomon {

/// What this node has to deliver to its peers: updates under way and hints on disk, without the items' names.
/// Heartbeats carry it, so a peer that was away knows when it has everything that was kept for it. Thread-safe; bounded
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
    /// The update failed, and a hint is being stored in its place. Keep the update until the hint is synced.
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
    uint64_t settled = 0; // all updates below were answered, or their hints are on disk
    bool hints = true;    // hints may be waiting: no search has found none since the last hint was made
  };

  std::shared_ptr<update> begin(const std::string& peer);
  position of(const std::string& peer) const;
  size_t under_way(const std::string& peer) const;

  /// How many hints were made for `peer` since the start. Read it before a search for hints. When the search finds
  /// none, pass the number to `found_no_hints`.
  uint64_t hints_made(const std::string& peer) const;
  void found_no_hints(const std::string& peer, uint64_t made_before);

private:
  std::shared_ptr<book> accounts_; // updates may outlive this
};

} // namespace gnomon
