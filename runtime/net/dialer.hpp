#pragma once

#include "actors/messages/protocol.hpp"
#include "runtime/net/tunnel.hpp"

#include <map>
#include <memory>

namespace gnomon {

/// As others see it, and how the tunnel's thread hands over what it dialed: the number of the dial, then the descriptor
/// and the greeting, or the error.
using tunnel_dialer_actor = dialer_actor::extend<caf::reacts_to<open_a, uint64_t, int32_t, greeting>,
                                                 caf::reacts_to<open_a, uint64_t, caf::error>>;

struct dialer_state {
  std::map<uint64_t, std::pair<std::string, caf::typed_response_promise<dial_result>>> dials; // address, who waits
  uint64_t last = 0;
};

/// Dials through the tunnel, then speaks CAF's protocol over the descriptor that it gets. `timeout` bounds each half.
tunnel_dialer_actor::behavior_type dialer(tunnel_dialer_actor::stateful_pointer<dialer_state> self,
                                          std::shared_ptr<tunnel> way, duration timeout);

} // namespace gnomon
