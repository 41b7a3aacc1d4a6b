#pragma once

#include "storage/record.hpp"
#include "tests/simulation/engine.hpp"
#include "tests/support/entry_map.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace gnomon::simulation {

using image = test::entry_map;
using record_ptr = std::shared_ptr<const item_record>;

/// What hears of every change on a disk, in the moment in which it happens.
class disk_observer {
public:
  virtual ~disk_observer() = default;
  virtual void record_changed(int node, const std::string& id, const record_ptr& before, const record_ptr& after) = 0;
  virtual void rule_stored(int node) = 0;                        // a policy
  virtual void wrong_store(int node, const std::string& id) = 0; // a key of that item was written to
};

/// A disk that outlives the processes which use it, with all their stores. It has two images: what the running process
/// sees, and what is there after a crash; a disk that lies about its syncs, or a write that failed and may yet be
/// found, makes them differ.
class disk {
public:
  disk(int node, uint64_t seed, disk_observer& observer) : node_(node), dice_(seed), observer_(observer) {}

  /// A process starts on it, with so many stores among which it spreads the items: those of an earlier one fail from
  /// now on.
  std::vector<std::shared_ptr<kv_store>> open(size_t stores);
  /// The process is gone, and with it what was not synced.
  void crash();
  /// A new, empty disk. With `keep_incarnation` it goes under the name of the old one, and counts anew.
  void lose(bool keep_incarnation);
  /// Back to an older image, as a new incarnation unless `keep_identity`.
  void restore(const image& older, bool keep_identity);

  /// What is stored of the item turns bad: its record, or only the values. A process that has it in memory does not
  /// notice.
  void damage(const std::string& id, bool record_too);

  /// False when a value of the item's record cannot be read.
  bool is_sound(const std::string& id) const;
  /// True when the value of that version can be read.
  bool has_value(const std::string& id, const dot& version) const;

  /// What a backup would hold.
  const image& kept() const {
    return kept_;
  }
  /// The items' records as the process sees them.
  const std::map<std::string, record_ptr>& records() const {
    return records_;
  }
  record_ptr record(const std::string& id) const {
    auto i = records_.find(id);
    return i == records_.end() ? nullptr : i->second;
  }
  const image& seen() const {
    return seen_;
  }

  bool fails_writes = false;
  bool fails_reads = false;
  bool lies = false; // says "synced" at once
  static constexpr moment usual_latency{2'000};
  moment latency = usual_latency; // of one group of operations, on average
  bool works() const {
    return !fails_writes && !fails_reads && latency == usual_latency;
  }
  moment draw_latency() {
    return dice_.between(latency / 4, latency * 7 / 4);
  }

private:
  friend class open_disk;
  expected<void> apply(std::span<const kv_write> writes);
  void change(const kv_write& write, image& in);
  void look_at(const kv_write& write);
  void read_records();

  int node_;
  dice dice_;
  disk_observer& observer_;
  image seen_;
  image kept_;
  std::vector<std::pair<std::string, std::optional<std::string>>> unsynced_; // only of a disk that lies
  std::vector<std::pair<std::string, std::optional<std::string>>> doubtful_; // failed, and may be found after a restart
  std::map<std::string, record_ptr> records_;
  uint64_t process_ = 0;
};

} // namespace gnomon::simulation
