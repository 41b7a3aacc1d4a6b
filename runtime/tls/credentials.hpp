#pragma once

#include "runtime/tls/certificate.hpp"

#include <memory>
#include <string_view>

struct ssl_ctx_st; // OpenSSL's SSL_CTX

namespace gnomon {

/// Files in PEM form.
struct credential_files {
  std::string certificate; // one's own, and behind it those between it and an authority, if any
  std::string key;         // its key; others must not be able to read it
  std::string authorities; // one or more that are trusted: while one is replaced by the next, both
  bool empty() const {
    return certificate.empty() && key.empty() && authorities.empty();
  }
};

/// What one end of a connection shows to the other, and whom it trusts. Immutable, and safe from any thread.
class credentials {
public:
  /// For both ends of a connection between nodes: TLS 1.3 (RFC 8446), certificates from both sides, no resumption, so
  /// that each connection is checked anew. Reads the files and checks that they would work: the key belongs to the
  /// certificate and is private, the certificate names `node`, is valid now, and is signed by one of the authorities.
  /// Errors: bad_config, with a sentence that names the file and says what to do.
  static expected<std::shared_ptr<const credentials>> load(const credential_files& files, const std::string& node);

  /// The same for a shell, which only calls: its certificate names a shell, and no node. Errors: as above.
  static expected<std::shared_ptr<const credentials>> of_shell(const credential_files& files);

  /// For a server of HTTP/1.1 (ALPN): TLS 1.2 and 1.3, with resumption by tickets. Where `authorities` is set, a client
  /// may show a certificate, which one of them must have signed. Errors: as above; who signed its own certificate, and
  /// whom that names, is for the clients to judge.
  static expected<std::shared_ptr<const credentials>> of_http_server(const credential_files& files);

  /// For a client of such a server, which trusts these authorities. A certificate and a key are shown where there are
  /// any. Errors: as above.
  static expected<std::shared_ptr<const credentials>> of_http_client(const credential_files& files);

  ~credentials();
  credentials(const credentials&) = delete;
  credentials& operator=(const credentials&) = delete;

  const certificate_facts& own() const;
  /// The authority that ends first. Without a subject where none is trusted.
  const certificate_facts& first_to_end() const;
  /// For sessions.
  ssl_ctx_st* context() const;

private:
  struct parts;
  explicit credentials(std::unique_ptr<parts> all);
  std::unique_ptr<parts> parts_;
};

using credentials_ptr = std::shared_ptr<const credentials>;

/// When one should be told that a certificate ends: 30 days before, or when a third of its time is left, if that is
/// later.
timestamp renewal_time(const certificate_facts& certificate);

/// Writes a line to the log for each certificate of `of` for which that time has come. True when there was one.
bool warn_of_expiry(std::string_view component, const credentials& of);

} // namespace gnomon
