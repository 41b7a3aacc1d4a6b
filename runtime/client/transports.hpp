#pragma once

#include "runtime/client/session.hpp"

#include <memory>
#include <string>

/// How a session finds the router of a node in another process.
namespace gnomon {

/// Of this machine, behind its Unix socket.
std::shared_ptr<session_transport> to_socket(std::string path);

/// Of any machine, behind its tunnel.
std::shared_ptr<session_transport> to_tunnel(remote_node where);

} // namespace gnomon
