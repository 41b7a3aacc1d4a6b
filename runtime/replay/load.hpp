#pragma once

#include "learning/economy/prices.hpp"
#include "runtime/replay/cluster.hpp"
#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/figures.hpp"
#include "runtime/replay/http_client.hpp"
#include "runtime/replay/progress.hpp"
#include "runtime/replay/trace.hpp"

#include <functional>
#include <string>
#include <vector>

/// Plays a trace to a cluster over HTTP. First every item is written once. Then each read goes to its reader's region
/// when its time has come, and each update to the origin.
namespace gnomon::replay {

/// At most that many requests are under way at once, over all regions.
inline constexpr size_t open_requests = 64;

/// How a reader's request gets to a node. All calls come from the loop's thread.
class request_path {
public:
  /// The answer, and the number of the target that gave it; without an answer, that of the target asked last.
  using callback = std::function<void(const expected<http_response>&, size_t)>;

  virtual ~request_path() = default;
  /// Sends `request` for `item`, asked by a reader in the region of target `home`. The callback does not run inside.
  virtual void send(size_t home, const std::string& item, http_request request, callback answer) = 0;
};

struct load_plan {
  const trace* reads = nullptr;
  std::vector<size_t> homes; // for each region of the trace, the number of the target that serves it
  std::vector<target> targets;
  size_t origin = 0;         // the target that takes the writes
  double time_scale = 1;     // seconds of the trace in one second here
  size_t value_bytes = 1024; // of each item; 0: made up, see item_sizes.hpp
  learning::price_table prices;
  double usd_per_ms = learning::default_usd_per_ms;
  size_t balances = 0;                       // ask at the end about so many items what their copies saved and cost
  std::vector<std::string> contexts;         // by item: that of its first write; filled by `write_items`
  std::chrono::milliseconds timeout{15'000}; // one request
  request_path* path = nullptr;              // of reads; none: to the target of the reader's region

  size_t bytes_of(size_t item) const;
  /// When that moment of the trace is played, if its first read is at `first_read`.
  std::chrono::steady_clock::time_point due(double t, std::chrono::steady_clock::time_point first_read) const;
};

/// The outcome of a pass of reads.
struct load_result {
  std::vector<latency_record> by_target;
  std::vector<std::string> failures; // the first few, as sentences
  double seconds = 0;                // from the first read to the last answer
  double late_max_s = 0;             // the most a read went out after its time
  uint64_t late_reads = 0;           // reads that went out more than 100 ms after their time
  uint64_t updates = 0;
  std::vector<uint64_t> slice_reads, slice_local; // of the answered reads, in equal slices of the trace's time
  std::vector<double> answered_bytes;             // by another region than the reader's: from * targets + to

  latency_record all() const;
};
inline constexpr size_t time_slices = 48;

/// What an answer says that is not the one wanted.
std::string described(const expected<http_response>& answer);

/// The bytes that `id` holds in a replay: always the same for the same id and size.
std::string content_of(std::string_view id, size_t bytes);

/// Writes every item of the trace once at the origin. An item that is already there stays as it is. Errors: those of
/// the first write that fails three times, or the loop's.
caf::error write_items(event_loop& loop, load_plan& plan, progress& shown);

/// Sends all reads and updates at their times, or as soon after as the bound on open requests allows, and checks every
/// answer's bytes. A latency runs from the sending of a read to its last byte. Failed reads are counted. It is an error
/// only when 200 in a row fail. Other errors: the loop's. Call `write_items` before.
expected<load_result> send_reads(event_loop& loop, const load_plan& plan, progress& shown, const std::string& title);

} // namespace gnomon::replay
