#pragma once

#include "runtime/replay/event_loop.hpp"
#include "runtime/replay/http_client.hpp"
#include "runtime/replay/node_api.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <vector>

namespace gnomon::replay {

/// Asks each node twice a second what it holds, from its making on, while the loop runs for something else. Not
/// thread-safe.
class holdings_meter {
public:
  holdings_meter(event_loop& loop, const std::vector<api_address>& nodes);

  /// By node: the mean of all answers. Zeroes where none has come.
  std::vector<held> mean() const;

private:
  struct asked {
    std::unique_ptr<http_client> client;
    held sum;
    uint64_t answers = 0;
    bool open = false;
  };
  void strong();

  boost::asio::steady_timer timer_;
  std::vector<asked> nodes_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // a cancelled timer may still call back later
};

} // namespace gnomon::replay
