#pragma once

#include "gnomon/abi.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gnomon::inline GNOMON_ABI {

/// All errors. Each error also has a sentence that says what was wrong and what to do.
enum class ec : uint8_t {
  invalid_argument = 1, // the caller asked for something that cannot be: a bad id, a negative ttl, factor 0
  not_found,            // no copy of the item exists anywhere that could be asked
  gone,                 // the item was deleted
  precondition_failed,  // If-Match or If-None-Match is not met
  too_large,            // value, id or context over its limit
  not_here,             // the asked node holds no copy; ask the next holder
  forbidden_region,     // a residency rule keeps the item away from this region
  unavailable,          // the regions that could answer are not reachable now; try again
  not_enough_acks,      // the write is stored but fewer holders than asked confirmed it in time
  too_old,              // the local copy is older than the client's context, and no newer one arrived in time
  timeout,              // no answer within the bound; try again
  overloaded,           // a bounded queue is full; try again later
  peer_gone,            // the connection to the peer ended with the request under way
  rejected,             // refused, with the reason: a connection, or a write to an item with too many versions
  store_failed,         // the disk refused: full, read-only or failing
  store_locked,         // another process holds the store
  store_corrupt,        // a record does not match its checksum
  bad_config,           // a config file with an unknown key or a value out of range
  bad_message,          // bytes from a peer or file that cannot be read
  internal,             // a bug of ours
};

/// Stable name, as in problem documents and logs: "not-found", "precondition-failed", ...
std::string_view name(ec code);
std::string to_string(ec code);

/// What the functions of the public headers throw. `what()` is a sentence for a person.
class failure : public std::runtime_error {
public:
  failure(ec code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ec code() const noexcept {
    return code_;
  }

private:
  ec code_;
};

} // namespace gnomon::inline GNOMON_ABI
