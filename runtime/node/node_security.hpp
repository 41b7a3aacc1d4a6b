#pragma once

#include "runtime/gateway/http_server.hpp"
#include "runtime/net/tunnel.hpp"
#include "runtime/node/config.hpp"

namespace gnomon {

/// Whom the tunnel lets in, with the certificates as they are on the disk now. Errors: bad_config, as
/// `credentials::load`.
expected<tunnel_security> security_of(const node_config& config);

/// Who may ask over HTTP, with the certificates as they are on the disk now. Errors: bad_config.
expected<http_security> http_security_of(const node_config& config);

/// How the tunnel is to run. Errors: as `security_of`.
expected<tunnel_config> tunnel_of(const node_config& config);

} // namespace gnomon
