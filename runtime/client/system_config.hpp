#pragma once

#include "runtime/base/log.hpp"

#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <functional>

/// The config of the actor systems that the library makes: a node's, and that of a client outside of nodes.
namespace gnomon {

/// What an application adds to the config, such as its own message types. May be empty.
using system_preparation = std::function<void(caf::actor_system_config&)>;

struct system_config : caf::actor_system_config {
  /// `threads` of the scheduler; 0: one for each core, and at least two. The lines of all its threads go to `lines`.
  system_config(size_t threads, log::output_ptr lines, const system_preparation& prepare);
};

/// True on a thread of such a system's scheduler. An actor that blocks it holds up the others, and two that do may hold
/// up the very answers they wait for.
bool on_scheduler_thread();

} // namespace gnomon
