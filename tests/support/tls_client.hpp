#pragma once

#include "runtime/tls/credentials.hpp"
#include "tests/support/socket_address.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/// A TLS client that does what a node would not: it trusts anybody, and shows any certificate or none. Every wait is
/// bounded by five seconds.
namespace gnomon::test {

class tls_client {
public:
  struct manner {
    credential_files shows = {};    // empty: no certificate
    int version = TLS1_3_VERSION;   // the newest that it speaks
    std::string from = "127.0.0.1"; // its own address
    std::string protocols = {};     // that it offers, as ALPN writes them
  };

  tls_client(uint16_t port, const manner& how) : context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr) {
    SSL_CTX_set_max_proto_version(context_.get(), how.version);
    if (!how.shows.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), how.shows.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), how.shows.key.c_str(), SSL_FILETYPE_PEM);
    }
    if (!how.protocols.empty())
      SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(how.protocols.data()),
                              static_cast<unsigned>(how.protocols.size()));
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval bound{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    auto bind_to = socket_address(how.from, 0), to = socket_address("127.0.0.1", port);
    connected_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&bind_to), sizeof bind_to) == 0
                 && ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
  }
  ~tls_client() {
    ssl_.reset();
    ::close(fd_);
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  /// With TLS 1.3 the server looks at the certificate after this has ended: then the first read fails.
  bool shake_hands() {
    return connected_ && SSL_connect(ssl_.get()) == 1;
  }
  bool send(const std::string& bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  /// Fewer bytes when the server closes the connection or is silent for too long.
  std::string receive(size_t count) {
    std::string bytes(count, '\0');
    size_t have = 0;
    for (int n = 1; have < count && n > 0; have += n > 0 ? static_cast<size_t>(n) : 0)
      n = SSL_read(ssl_.get(), bytes.data() + have, static_cast<int>(count - have));
    bytes.resize(have);
    return bytes;
  }
  /// The last `receive` ended with an alert of the server: it does not know who vouches for this side.
  static bool is_told_of_unknown_authority() {
    return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_TLSV1_ALERT_UNKNOWN_CA;
  }
  /// The server's system has ended the connection without a word.
  bool was_reset() const {
    pollfd state{fd_, 0, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0;
  }
  /// The server's certificate has that URI among its names.
  bool names(const std::string& uri) const {
    const auto* shown = SSL_get0_peer_certificate(ssl_.get());
    if (!shown)
      return false;
    const auto all = facts_of(*shown).names;
    return std::find(all.begin(), all.end(), "URI:" + uri) != all.end();
  }
  int fd() const {
    return fd_;
  }

private:
  template <auto Free>
  struct freed {
    template <class T>
    void operator()(T* what) const {
      Free(what);
    }
  };
  std::unique_ptr<SSL_CTX, freed<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, freed<SSL_free>> ssl_;
  int fd_ = -1;
  bool connected_ = false;
};

} // namespace gnomon::test
