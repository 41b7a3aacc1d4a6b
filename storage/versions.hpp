#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace gnomon {

/// Who writes: a store's incarnation (random; drawn again when a store is created, repaired or restored), and the
/// number that the store drew at the record's first local write. A record that was dropped and regained draws a new
/// number, so no dot is ever reused.
struct holding_id {
  uint64_t incarnation = 0;
  uint64_t sequence = 0;
  auto fields() {
    return std::tie(incarnation, sequence);
  }
  auto operator<=>(const holding_id&) const = default;
};

/// The name of one write, for ever.
struct dot {
  holding_id holding;
  uint64_t counter = 0;
  auto fields() {
    return std::tie(holding, counter);
  }
  auto operator<=>(const dot&) const = default;
};

/// A client's context with more entries is refused. Writes that would make one go to a durable holder.
inline constexpr size_t max_context_entries = 64;

/// What has been seen: for each holding id every counter up to the mapped one, and single dots beyond it. A single dot
/// is needed when a writer knows its own write, but not all earlier writes of the same holding.
class version_vector {
public:
  bool empty() const {
    return size() == 0;
  }
  size_t size() const {
    return counters_.size() + dots_.size();
  }
  /// Every write of `id` up to this one has been seen.
  uint64_t at(const holding_id& id) const;
  /// The latest write of `id` that has been seen. Earlier ones may not have been.
  uint64_t latest(const holding_id& id) const;
  bool covers(const dot& d) const {
    return d.counter <= at(d.holding) || dots_.count(d) > 0;
  }
  /// True when everything in `other` has been seen here as well.
  bool covers(const version_vector& other) const;
  /// How many writes have been seen here that `other` has not seen.
  uint64_t beyond(const version_vector& other) const;
  /// Adds this one write, without those before it.
  void add(const dot& d);
  void merge(const version_vector& other);
  bool operator==(const version_vector&) const = default;

  /// URL-safe base64 without padding for headers (`Gnomon-Context`), with a checksum inside; the empty vector is empty
  /// text.
  std::string to_text() const;
  /// Errors: invalid_argument for text that `to_text` never makes, too_large over `max_context_entries`.
  static expected<version_vector> from_text(std::string_view text);

  auto fields() {
    return std::tie(counters_, dots_);
  }

private:
  void raise(const holding_id& id, uint64_t counter);
  void absorb(const holding_id& id);

  std::map<holding_id, uint64_t> counters_;
  std::set<dot> dots_; // never directly after what `counters_` covers of their holding
};

/// One version of an item, without its value. The value is stored beside it under the same dot.
struct sibling {
  dot id;
  hlc stamp;
  std::string content_type;
  std::string request_id; // equal non-empty ids are one repeated write: see `version_set::distinct`
  std::string user;       // who created it, for policies by user
  timestamp expires{};    // zero: never
  uint64_t bytes = 0;
  uint64_t digest = 0; // stable_hash of the value
  bool deleted = false;
  bool ended(timestamp now) const {
    return expires != timestamp{} && expires <= now;
  }
  auto fields() {
    return std::tie(id, stamp, content_type, request_id, user, expires, bytes, digest, deleted);
  }
  bool operator==(const sibling&) const = default;
};

/// Dotted version vector set of one item (Preguiça, Almeida et al. 2012): the versions that nothing has replaced yet,
/// and the causal context that covers them and all they replaced. `sync` is a lattice join: commutative, associative,
/// idempotent.
struct version_set {
  version_vector context;
  std::vector<sibling> siblings; // sorted by dot
  auto fields() {
    return std::tie(context, siblings);
  }

  /// Applies a local write: drops what `seen` covers, and adds `next` under the next dot of `writer`, which it returns.
  /// A write that is here already (equal non-empty request id, not covered by `seen`) keeps its dot, and nothing is
  /// added.
  dot write(const version_vector& seen, const holding_id& writer, sibling next);

  /// False when `seen` has writes of `own` that this copy never made, although only this copy draws them. Such a
  /// context is forged, or from before a lost disk, and would make later writes vanish. Check it before `write`.
  bool vouches_for(const version_vector& seen, const holding_id& own) const;

  /// Merges what another copy knows. When a version has ended at only one of the two copies, it ends. Returns true when
  /// anything here changed.
  bool sync(const version_set& other);

  /// Ends the versions that expire. Beside other versions they go, and the context goes on covering them. When no other
  /// version is here, they become tombstones: without these, versions that they replaced could come back from another
  /// copy. True when anything changed.
  bool end_expired(timestamp now);

  /// The sibling with this dot, or null.
  const sibling* find(const dot& d) const;
  /// The sibling that a request made, or null. An empty id names nothing.
  const sibling* find_request(std::string_view request_id) const;

  /// What a reader is shown. Of siblings with the same non-empty request id (a write repeated at several regions), only
  /// the one with the smallest dot. The context covers all. This is a view and not part of `sync`: if a copy forgot a
  /// repeat while another one replaces its twin, the outcome would depend on the order of merges.
  version_set distinct() const;

  /// Keeps the newest sibling by stamp, then by dot (last writer wins). The context goes on covering the rest.
  void resolve_last_writer();

  /// Tag of the distinct siblings: quoted hash of their sorted dots, as in an ETag header (RFC 9110, 8.8.3).
  std::string etag() const;
  bool deleted() const; // there are siblings, and all are tombstones
  /// Bytes of all values.
  uint64_t bytes() const;
  /// The user whose policy applies; empty when unknown.
  std::string creator() const;
  bool operator==(const version_set&) const = default;
};

} // namespace gnomon
