#pragma once

#include "runtime/base/clock.hpp"
#include "storage/versions.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The layout of a store. Every key is built and read here. Ids and names never have NUL bytes.
///
///   r <id>                          the item's record
///   v <id> 00 <dot, 24 bytes>       one version's value
///   v <id> 00                       the fence before an item's large values
///   e <milliseconds, 8 bytes> <id>  the expiry index, in order of time
///   p <scope, 1 byte> <name>        a policy
///   t <id>                          a token
///   h <peer> 00 <id>                a hint: the peer has to get this item's versions
///   m <name>                        facts about the store itself
namespace gnomon::keys {

/// Keys with first <= key < last.
struct range {
  std::string first;
  std::string last;
};

std::string record(std::string_view id);
std::optional<std::string> record_id(std::string_view key);
/// Records whose id starts with `prefix` and is greater than `after` (empty: from the first).
range records(std::string_view prefix = {}, std::string_view after = {});

std::string value(std::string_view id, const dot& version);
struct value_name {
  std::string id;
  dot version;
};
std::optional<value_name> parse_value(std::string_view key);
/// All values of one item.
range values(std::string_view id);

/// Filler of `fence_bytes` that goes into the batch of every larger value. LevelDB ends a block of its tables after the
/// key with which the block reaches 4 KiB. Without a fence, one block can hold index entries and a value of 64 MiB, and
/// every read of these entries would read the value as well.
std::string fence(std::string_view id);
inline constexpr size_t fence_bytes = 4096;

/// Times before 1970 count as 1970.
std::string expiry(timestamp at, std::string_view id);
struct expiry_entry {
  timestamp at{};
  std::string id;
};
std::optional<expiry_entry> parse_expiry(std::string_view key);
/// What expires at or before `until`, in order of time.
range expiries(timestamp until);

std::string policy(uint8_t scope, std::string_view name);
range policies();

std::string token(std::string_view id);
range tokens();

/// Hinted handoff: `peer` lacks the current versions of `id`.
std::string hint(std::string_view peer, std::string_view id);
std::optional<std::string> hint_id(std::string_view peer, std::string_view key);
range hints(std::string_view peer);
range hints(); // for all peers
bool is_hint(std::string_view key);
/// The longest pause between two tries to deliver an item. A time further ahead comes from a clock that was wrong.
inline constexpr duration longest_pause{64'000};
/// A hint's value: the earliest time of the next try (zero: at once), and the pause before it. `refused`: the peer
/// answered that it cannot take the item.
std::string hint_value(timestamp not_before, duration pause = {}, bool refused = false);
timestamp hint_time(std::string_view value);
duration hint_pause(std::string_view value);
bool hint_refused(std::string_view value);
/// True when the time for the next try has come.
bool hint_due(std::string_view value, timestamp now);

/// The items that may have records or values at first <= key < last: from id `first` to id `last`, both included. An
/// empty `last`: to the end.
std::vector<range> ids_between(std::string_view first, std::string_view last);

std::string meta(std::string_view name);
/// All facts whose name starts with `prefix`.
range metas(std::string_view prefix);

} // namespace gnomon::keys
