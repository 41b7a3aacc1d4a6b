#include "runtime/tls/handles.hpp"

#include <openssl/err.h>

namespace gnomon {

std::string openssl_complaint() {
  const auto last = ERR_peek_last_error();
  ERR_clear_error();
  if (last == 0)
    return {};
  const auto* reason = ERR_reason_error_string(last);
  return reason != nullptr ? reason : "error " + std::to_string(last) + " of OpenSSL";
}

} // namespace gnomon
