#pragma once

#include "actors/messages/protocol.hpp"
#include "runtime/net/tunnel.hpp"

#include <map>
#include <memory>

namespace gnomon {

/// The dialer's interface, extended by the messages with which the tunnel's thread hands over the result of a dial: the
/// number of the dial, then the descriptor and the greeting, or the error.
using tunnel_dialer_actor = dialer_actor::extend<caf::reacts_to<open_a, uint64_t, int32_t, greeting>,
                                                 caf::reacts_to<open_a, uint64_t, caf::error>>;

struct dialer_state {
  std::map<uint64_t, std::pair<std::string, caf::typed_response_promise<dial_result>>> dials; // address, who waits
  uint64_t last = 0;
};

/// Dials through the tunnel, then speaks CAF's protocol over the descriptor that it gets. `timeout` bounds each of the
/// two.
tunnel_dialer_actor::behavior_type dialer(tunnel_dialer_actor::stateful_pointer<dialer_state> self,
                                          std::shared_ptr<tunnel> way, duration timeout);

} // namespace gnomon
