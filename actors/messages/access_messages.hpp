#pragma once

#include "runtime/access/role.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"

#include <string>
#include <vector>

/// What travels about those who may ask over HTTP; `messages.hpp` includes it.
namespace gnomon {

/// Who asked for an act, for the audit. Empty in a request of a program, which cannot say itself who it is.
struct asker {
  std::string who;  // as in `grant`
  std::string from; // an IP address
  auto fields() {
    return std::tie(who, from);
  }
};

/// A token as nodes know it. Nothing in it changes but `revoked`, which stays true.
struct token_record {
  std::string id;
  std::string name; // for people; several records may have it, of which at most one should be in force
  role may = role::read;
  std::vector<std::string> types = {}; // of items; empty: all
  std::string hash;                    // of the secret, see `hash_of_secret`; empty when a client asks
  timestamp created{};
  timestamp expires{}; // timestamp::max(): never
  bool revoked = false;
  auto fields() {
    return std::tie(id, name, may, types, hash, created, expires, revoked);
  }
};

/// Makes a token known to every node. Its text stays with who made it.
struct put_token {
  token_record token;
  auto fields() {
    return std::tie(token);
  }
};

/// Ends all tokens of that name, on every node and for good.
struct revoke_token {
  std::string name;
  auto fields() {
    return std::tie(name);
  }
};

struct get_tokens {
  auto fields() {
    return std::tie();
  }
};

/// Those in force, without their hashes; or those that were added or revoked.
struct token_list {
  std::vector<token_record> tokens;
  auto fields() {
    return std::tie(tokens);
  }
};

} // namespace gnomon
