#pragma once

#include "runtime/access/role.hpp"
#include "runtime/gateway/api.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What somebody who asks may do. Pure.
namespace gnomon::http {

/// The token in an Authorization field (RFC 6750, 2.1); empty when it has none.
std::string_view bearer_token(std::string_view authorization);

/// 401: nobody who is known asks. `shown`: there was a token, which is not in force.
response unauthorized(bool shown);

/// The refusal, 401 or 403, of what needs a role that whoever asks has not; nothing when they may. Null: nobody known.
std::optional<response> refuse_role(const grant_ptr& who, role needed, bool shown);

/// The refusal of what lies beyond the data types that whoever asks is limited to.
std::optional<response> refuse_scope(const grant& who, const client_message& message);

/// Notes who asks in a message that the audit has a line for.
void sign(client_message& message, const asker& by);

} // namespace gnomon::http
