#include "runtime/dns/cookies.hpp"

#include "gnomon/error.hpp"
#include "runtime/base/freed_by.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

namespace gnomon::dns {

namespace {

constexpr uint32_t oldest_seconds = 3600;
constexpr uint32_t youngest_seconds = 300; // clocks of servers that share a secret differ

using owned_mac = std::unique_ptr<EVP_MAC_CTX, freed_by<EVP_MAC_CTX_free>>;

// Version, three bytes that are kept as they came, and the time: what the hash covers besides client cookie and
// address.
using cookie_head = std::array<uint8_t, 8>;

EVP_MAC_CTX& siphash() {
  thread_local const owned_mac context = [] {
    EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
    owned_mac made(algorithm != nullptr ? EVP_MAC_CTX_new(algorithm) : nullptr);
    EVP_MAC_free(algorithm);
    if (!made)
      throw failure(ec::internal, "libcrypto offers no SipHash, which DNS cookies need; use OpenSSL 3 with its default "
                                  "provider");
    return made;
  }();
  return *context;
}

std::array<uint8_t, 8> hash_of(const cookie_secret& secret, const std::array<uint8_t, 8>& client_cookie,
                               const cookie_head& head, const ip_address& client) {
  std::array<uint8_t, 8> hash{};
  size_t size = hash.size();
  const std::array parameters{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
  auto* mac = &siphash();
  size_t written = 0;
  if (EVP_MAC_init(mac, secret.data(), secret.size(), parameters.data()) != 1
      || EVP_MAC_update(mac, client_cookie.data(), client_cookie.size()) != 1
      || EVP_MAC_update(mac, head.data(), head.size()) != 1
      || EVP_MAC_update(mac, client.bytes().data(), client.bytes().size()) != 1
      || EVP_MAC_final(mac, hash.data(), &written, hash.size()) != 1)
    throw failure(ec::internal, "libcrypto could not compute a SipHash");
  return hash;
}

cookie_secret random_secret() {
  cookie_secret secret;
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    throw failure(ec::internal, "libcrypto has no random numbers for the DNS cookies' secret");
  return secret;
}

} // namespace

cookie_jar::cookie_jar() : cookie_jar(random_secret()) {}

cookie_jar::cookie_jar(cookie_secret secret) {
  secrets_.set({.current = secret, .previous = secret});
  make({}, {}, 0); // fails here, not in a serving thread
}

void cookie_jar::rotate(cookie_secret next) {
  secrets_.update([&](secrets& both) { both = {.current = next, .previous = both.current}; });
}

void cookie_jar::rotate() {
  rotate(random_secret());
}

server_cookie cookie_jar::make(const std::array<uint8_t, 8>& client_cookie, const ip_address& client,
                               uint32_t now) const {
  const cookie_head head{1,
                         0,
                         0,
                         0,
                         static_cast<uint8_t>(now >> 24),
                         static_cast<uint8_t>(now >> 16),
                         static_cast<uint8_t>(now >> 8),
                         static_cast<uint8_t>(now)};
  const auto hash = hash_of(secrets_.get()->current, client_cookie, head, client);
  server_cookie made;
  std::copy(head.begin(), head.end(), made.begin());
  std::copy(hash.begin(), hash.end(), made.begin() + head.size());
  return made;
}

// Times are compared as serial numbers (RFC 1982), which go on after 2106.
bool cookie_jar::valid(const cookie_option& cookie, const ip_address& client, uint32_t now) const {
  if (cookie.server.size() != std::tuple_size_v<server_cookie> || cookie.server[0] != 1)
    return false;
  cookie_head head;
  std::copy_n(cookie.server.begin(), head.size(), head.begin());
  const auto made = static_cast<uint32_t>(head[4]) << 24 | static_cast<uint32_t>(head[5]) << 16
                    | static_cast<uint32_t>(head[6]) << 8 | head[7];
  const auto age = static_cast<int32_t>(now - made);
  if (age > static_cast<int32_t>(oldest_seconds) || age < -static_cast<int32_t>(youngest_seconds))
    return false;
  const auto secrets = secrets_.get();
  const auto* given = cookie.server.data() + head.size();
  for (const auto* secret : {&secrets->current, &secrets->previous})
    if (CRYPTO_memcmp(hash_of(*secret, cookie.client, head, client).data(), given, 8) == 0)
      return true;
  return false;
}

} // namespace gnomon::dns
