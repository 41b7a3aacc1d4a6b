#pragma once

#include "actors/node/node_context.hpp"
#include "runtime/access/role.hpp"
#include "runtime/access/token.hpp"
#include "runtime/base/ip_address.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace gnomon::http {

/// Finds out what the bearers of tokens may do; null: nothing, because the token is not in force. Tokens that were
/// asked about lately are remembered by their digest, until they are revoked or end. For others a hash is made, on a
/// thread of its own, because that takes long. Thread-safe.
class token_check {
public:
  using answer = std::function<void(grant_ptr)>;
  explicit token_check(context_ptr node);
  /// Those that wait get no answer.
  ~token_check();
  token_check(const token_check&) = delete;
  token_check& operator=(const token_check&) = delete;

  /// What is known at once; nothing: ask `check`.
  std::optional<grant_ptr> known(std::string_view token);
  /// Calls `then` later, from another thread. False when too many wait, altogether or of that address; then it does
  /// not.
  bool check(std::string token, const ip_address& from, answer then);

private:
  using clock = std::chrono::steady_clock;
  struct remembered {
    grant_ptr rights;
    std::string id;
    timestamp expires{};
    std::shared_ptr<const token_table> seen; // where it was in force
    clock::time_point until;
  };
  struct waiting {
    std::string token;
    ip_address from;
    answer then;
  };
  void run();
  grant_ptr judge(const std::string& token);
  void remember(const token_digest& digest, remembered what);
  bool still_holds(remembered& entry) const;

  context_ptr node_;
  std::mutex mutex_; // of all below
  std::map<token_digest, remembered> remembered_;
  std::deque<waiting> waiting_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

} // namespace gnomon::http
