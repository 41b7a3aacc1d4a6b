#pragma once

#include "gnomon/client.hpp"
#include "runtime/shell/words.hpp"

#include <string>
#include <vector>

/// Where the node is that the shell talks to.
namespace gnomon::shell {

/// Behind a socket of this machine, or at the address of a tunnel. With neither it is still to be found.
struct node_place {
  std::string socket;
  remote_node elsewhere;
  /// The one or the other.
  const std::string& name() const {
    return elsewhere.address.empty() ? socket : elsewhere.address;
  }
};

/// The options of the command line that say where the node is.
const std::vector<option_spec>& place_options();

/// What these options say. Throws usage_error when they name two nodes.
node_place place_in(const arguments& options);

/// The node that a user calls by a path or by HOST:PORT, with the files of `present`.
node_place place_called(const std::string& word, const node_place& present);

/// `given`, else the node that GNOMON_SOCKET or GNOMON_CONNECT names. Throws usage_error when both do.
node_place with_environment(node_place given);

/// The same, else ./run/*/gnomon.sock when there is exactly one. All files are named. Throws usage_error, and `failure`
/// that says what to do.
node_place find_place(const node_place& given);

/// The sockets under ./run, in the order of their names.
std::vector<std::string> sockets_nearby();

} // namespace gnomon::shell
