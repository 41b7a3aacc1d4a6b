#pragma once

#include "runtime/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gnomon {

inline constexpr size_t max_id_bytes = 1024;
inline constexpr size_t max_value_bytes = 64u << 20;
inline constexpr size_t shard_count = 64;

/// `id` unchanged when it can name an item: UTF-8, 1 to 1,024 bytes, no NUL. Errors: invalid_argument, too_large.
expected<std::string> checked_id(std::string id);

/// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool is_utf8(std::string_view bytes);

/// The data type of an item: the part of its id before the first '/', or the whole id when there is none.
std::string_view data_type(std::string_view id);

/// A 64-bit hash that is the same on every machine and in every version: shards, rendezvous order and ETags depend on
/// it.
uint64_t stable_hash(std::string_view bytes, uint64_t seed = 0);

/// The shard, 0 to 63, that owns `id`.
inline size_t shard_of(std::string_view id) {
  return stable_hash(id) % shard_count;
}

/// Weight of `node` for `id` in rendezvous (highest random weight) order (Thaler and Ravishankar 1998).
uint64_t rendezvous_weight(std::string_view node, std::string_view id);

/// A random 64-bit number from the operating system, never 0: for incarnations and the like.
uint64_t random_u64();

/// For the simulator only: from now on this thread's `random_u64` draws from a sequence that `seed` determines.
void seed_random_u64(uint64_t seed);

} // namespace gnomon
