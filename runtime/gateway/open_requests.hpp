#pragma once

#include "actors/messages/protocol.hpp"
#include "runtime/gateway/api.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace gnomon::http {

/// The requests that wait for the gateway actor, and the way to the one that runs now. When it ends, all requests that
/// waited for it get an error that says to try again, whether it had begun with them or not. Its successor gets the
/// following ones. Thread-safe. `deliver` is called on any thread, once for each request.
class open_requests : public std::enable_shared_from_this<open_requests> {
public:
  using deliver_function = std::function<void(uint64_t token, client_result result)>;
  explicit open_requests(deliver_function deliver) : deliver_(std::move(deliver)) {}

  /// Requests go to `next` from now on, until it ends.
  void serve_with(const gateway_actor& next);
  /// False when no gateway has come within `bound`.
  bool wait_for_gateway(std::chrono::milliseconds bound);
  /// Null while none runs.
  gateway_actor gateway() const;

  void ask(uint64_t token, client_message message);
  void answer(uint64_t token, client_result result);

private:
  void fail_all_of(caf::actor_id ended);

  deliver_function deliver_;
  mutable std::mutex mutex_;
  std::condition_variable served_;
  gateway_actor gateway_;
  std::unordered_map<uint64_t, caf::actor_id> waiting_; // by token: the gateway that it waits for
};

} // namespace gnomon::http
