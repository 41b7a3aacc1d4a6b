#pragma once

#include "runtime/replay/load.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace gnomon::replay {

/// Sends a trace's updates at their times, each to the origin and after the one before of the same item has been
/// answered. An update writes the item's bytes again. An item whose first write was not this replay's has no context
/// and is left alone. Updates do not count among the open requests. Not thread-safe.
class update_sender {
public:
  update_sender(event_loop& loop, const load_plan& plan);

  void start(std::chrono::steady_clock::time_point first_read);
  bool finished() const {
    return next_ == plan_.reads->updates.size() && open_ == 0;
  }
  uint64_t sent() const {
    return sent_;
  }
  /// The first few, as sentences.
  const std::vector<std::string>& failures() const {
    return failures_;
  }

private:
  void pump();
  void update(size_t item);
  void take(size_t item, const expected<http_response>& answer);

  struct standing {
    std::string context; // of the last write
    bool open = false;
    uint32_t waiting = 0;
  };
  const load_plan& plan_;
  http_client client_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point started_;
  std::vector<standing> items_;
  size_t next_ = 0, open_ = 0;
  uint64_t sent_ = 0;
  std::vector<std::string> failures_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // a cancelled timer may still call back later
};

} // namespace gnomon::replay
