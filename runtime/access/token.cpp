#include "runtime/access/token.hpp"

#include "runtime/base/base64.hpp"
#include "runtime/base/numbers.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace gnomon {

namespace {

constexpr std::string_view prefix = "gnomon_";
constexpr size_t id_bytes = 8, secret_bytes = 32, salt_bytes = 16, hash_bytes = 32;
constexpr size_t longest_secret = 128;
constexpr uint64_t most_memory = 64u << 20;

struct scrypt_cost {
  unsigned log2_n, r, p;
};
constexpr scrypt_cost our_cost{14, 8, 1};

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    throw std::runtime_error{"the system gives no random numbers"};
  return bytes;
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (auto c : bytes)
    text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

/// RFC 4648, section 5, without padding: goes through URLs and shells as it is.
std::string base64_for_urls(std::string_view bytes) {
  auto text = base64_encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

/// Empty when it cannot be done.
std::string scrypt(std::string_view secret, std::string_view salt, const scrypt_cost& cost, size_t bytes) {
  std::string hash(bytes, '\0');
  const auto done = EVP_PBE_scrypt(secret.data(), secret.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                                   salt.size(), uint64_t{1} << cost.log2_n, cost.r, cost.p, most_memory,
                                   reinterpret_cast<unsigned char*>(hash.data()), hash.size());
  return done == 1 ? hash : std::string{};
}

struct parsed_hash {
  scrypt_cost cost{};
  std::string salt, hash;
};

std::string_view next_part(std::string_view& rest) {
  const auto end = std::min(rest.find('$'), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::optional<parsed_hash> parse_hash(std::string_view text) {
  if (next_part(text) != "scrypt")
    return std::nullopt;
  const auto n = parse_number<unsigned>(next_part(text)), r = parse_number<unsigned>(next_part(text)),
             p = parse_number<unsigned>(next_part(text));
  auto salt = base64_decode(next_part(text)), hash = base64_decode(next_part(text));
  if (!n || !r || !p || !salt || !hash || *n == 0 || *n > 20 || hash->size() < 16 || hash->size() > 64)
    return std::nullopt;
  return parsed_hash{{*n, *r, *p}, std::move(*salt), std::move(*hash)};
}

} // namespace

std::optional<token_parts> parse_token(std::string_view text) {
  if (!text.starts_with(prefix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.size() < 2 * id_bytes + 2 || text[2 * id_bytes] != '_')
    return std::nullopt;
  const token_parts parts{text.substr(0, 2 * id_bytes), text.substr(2 * id_bytes + 1)};
  if (parts.secret.size() > longest_secret)
    return std::nullopt;
  return parts;
}

new_token make_token() {
  const auto id = hexadecimal(random_bytes(id_bytes));
  const auto secret = base64_for_urls(random_bytes(secret_bytes));
  return {fmt::format("{}{}_{}", prefix, id, secret), id, hash_of_secret(secret)};
}

std::string hash_of_secret(std::string_view secret) {
  const auto salt = random_bytes(salt_bytes);
  const auto hash = scrypt(secret, salt, our_cost, hash_bytes);
  if (hash.empty())
    throw std::runtime_error{"there is no memory for a hash of the token"};
  return fmt::format("scrypt${}${}${}${}${}", our_cost.log2_n, our_cost.r, our_cost.p, base64_encode(salt),
                     base64_encode(hash));
}

bool is_secret_of(std::string_view hash, std::string_view secret) {
  const auto known = parse_hash(hash);
  if (!known)
    return false;
  const auto found = scrypt(secret, known->salt, known->cost, known->hash.size());
  return !found.empty() && CRYPTO_memcmp(found.data(), known->hash.data(), found.size()) == 0;
}

token_digest digest_of_token(std::string_view text) {
  // To look the algorithm up takes longer than to digest a token.
  static const auto* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                                     &EVP_MD_CTX_free};
  token_digest digest{};
  if (EVP_DigestInit_ex2(context.get(), sha256, nullptr) != 1
      || EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1
      || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    throw std::runtime_error{"OpenSSL offers no SHA-256"};
  return digest;
}

} // namespace gnomon
