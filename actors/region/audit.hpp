#pragma once

#include "actors/messages/messages.hpp"

#include <string>
#include <string_view>

/// What an administrator asks of a cluster, as a line of the log says it. Pure.
namespace gnomon {

struct act {
  std::string_view event; // "set-policy"
  std::string what;       // "type news"; names no secret
};

act act_of(const put_policy& request);
act act_of(const remove_node& request);
act act_of(const forget_user& request);
act act_of(const train_piece& request); // of the first piece
act act_of(const put_token& request);
act act_of(const revoke_token& request);

/// Writes the line.
void audit(const act& done, const asker& by);

} // namespace gnomon
