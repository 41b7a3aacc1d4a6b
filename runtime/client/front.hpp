#pragma once

#include "gnomon/actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>

#include <memory>

/// The actor behind the handles of `gnomon/actors.hpp`. Turns each message into the client's function of that name, so
/// there is one way to a node.
namespace gnomon {

/// Callers: the application's actors. Calls: the client's session.
using front_actor = router_handle::extend_with<region_handle, predictor_handle>::extend<
    // From itself: answers have come.
    caf::reacts_to<caf::tick_atom>>;

/// The actor asks through `core`, and does not keep it alive.
front_actor spawn_front(caf::actor_system& system, std::weak_ptr<client::core> core);

} // namespace gnomon
