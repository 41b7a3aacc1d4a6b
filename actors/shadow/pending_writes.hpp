#pragma once

#include "actors/messages/answer.hpp"
#include "actors/messages/messages.hpp"

#include <caf/actor_clock.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gnomon {

/// Clients' writes of one item that wait for their acks, and what the other holders have confirmed. An ack is the word
/// of a durable or pinned holder that it has synced the write; this node's own counts as the first. Answers each write
/// once: when it has its acks, or when its time is over.
class pending_writes {
public:
  using time_point = caf::actor_clock::time_point;

  /// A write on its way to `need` holders, or to all that are `named`.
  struct write {
    dot made;
    version_vector context; // of the answer: what the write replaced, and as little as possible that its writer
                            // has not seen
    std::string etag;
    uint32_t siblings = 1; // of the answer
    uint32_t need = 1;
    std::vector<std::string> named;
    bool created = false;
    time_point deadline;
    answer<write_receipt> reply;
    bool synced = false;
  };

  pending_writes(std::string id, std::string node, std::string region);

  bool empty() const {
    return writes_.empty();
  }
  /// Answers the number under which the write waits.
  uint64_t add(write w);
  /// The write is on this node's disk. Answers whether it created the item; false also when nobody waits for it.
  bool synced(uint64_t number);
  /// `node`, which is durable or pinned, has synced everything that `context` covers.
  void confirm(const std::string& node, const version_vector& context);
  /// `node` has left the holders.
  void forget(const std::string& node);
  /// True when `node` has confirmed everything that `context` covers.
  bool has_confirmed(const std::string& node, const version_vector& context) const;

  /// When the time of the first one is over; nothing when none waits.
  std::optional<time_point> first_deadline() const;
  void fail_late(time_point now);
  void fail_all(const caf::error& reason);

private:
  std::vector<std::string> reached(const dot& made) const;
  std::vector<std::string> missing(const write& w) const;
  bool has_acks(const write& w) const;
  void answer_complete();
  caf::error too_few_acks(const write& w) const;

  std::string id_, node_, region_;
  std::map<uint64_t, write> writes_;
  uint64_t next_ = 0;
  std::map<std::string, version_vector> confirmed_; // by node
};

} // namespace gnomon
