#include "runtime/tls/session.hpp"

#include "runtime/tls/handles.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace gnomon {

namespace {

/// OpenSSL's own BIO for sockets writes without MSG_NOSIGNAL, and a peer that is gone would end a program around us.
int fd_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

bool again() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int write_socket(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::send(fd_of(bio), from, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && again())
    BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int read_socket(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::recv(fd_of(bio), to, static_cast<size_t>(size), MSG_DONTWAIT);
  if (n == 0)
    errno = 0; // the end, and no fault
  else if (n < 0 && again())
    BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long control_socket(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const auto* method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    BIO_meth_set_write(made, &write_socket);
    BIO_meth_set_read(made, &read_socket);
    BIO_meth_set_ctrl(made, &control_socket);
    return made;
  }();
  return method;
}

} // namespace

struct tls_session::handle {
  ssl_ptr ssl;
};

tls_session::tls_session(credentials_ptr with, int fd, tls_end which, const std::string& host)
    : with_(std::move(with)), ssl_(std::make_unique<handle>()) {
  ssl_->ssl.reset(SSL_new(with_->context()));
  auto* bio = BIO_new(socket_method());
  if (!ssl_->ssl || bio == nullptr)
    throw std::bad_alloc{};
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_->ssl.get(), bio, bio);
  if (which == tls_end::caller)
    SSL_set_connect_state(ssl_->ssl.get());
  else
    SSL_set_accept_state(ssl_->ssl.get());
  if (!host.empty())
    demand(host);
}

/// RFC 9110, 4.3.4: an address is compared with those in the certificate, and a name with its names.
void tls_session::demand(const std::string& host) {
  auto* ssl = ssl_->ssl.get();
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1)
    return;
  ERR_clear_error();
  if (SSL_set1_host(ssl, host.c_str()) != 1 || SSL_set_tlsext_host_name(ssl, host.c_str()) != 1)
    throw std::bad_alloc{};
}

tls_session::~tls_session() = default;

tls_step tls_session::handshake() {
  ERR_clear_error();
  const auto step = outcome(SSL_do_handshake(ssl_->ssl.get()));
  if (step == tls_step::done)
    if (const auto* peer = SSL_get0_peer_certificate(ssl_->ssl.get()))
      peer_ = facts_of(*peer);
  return step;
}

tls_step tls_session::read(char* to, size_t size, size_t& count) {
  auto* ssl = ssl_->ssl.get();
  count = 0;
  do { // what has arrived already, record by record
    size_t n = 0;
    ERR_clear_error();
    const auto result = SSL_read_ex(ssl, to + count, size - count, &n);
    if (result != 1)
      return count > 0 ? tls_step::done : outcome(result);
    count += n;
  } while (count < size && SSL_has_pending(ssl) == 1);
  return tls_step::done;
}

tls_step tls_session::write(const char* from, size_t size, size_t& count) {
  count = 0;
  ERR_clear_error();
  const auto step = outcome(SSL_write_ex(ssl_->ssl.get(), from, size, &count));
  return step == tls_step::closed && hears_why() ? tls_step::failed : step;
}

/// The other side's alert has arrived before the end of the connection, and may lie unread while a write fails. What
/// else has arrived stays for `read`.
bool tls_session::hears_why() {
  char first = 0;
  size_t n = 0;
  ERR_clear_error();
  if (SSL_peek_ex(ssl_->ssl.get(), &first, 1, &n) == 1 || ERR_GET_REASON(ERR_peek_last_error()) <= SSL_AD_REASON_OFFSET)
    return false;
  explain();
  return true;
}

tls_step tls_session::end() {
  ERR_clear_error();
  const auto result = SSL_shutdown(ssl_->ssl.get());
  return result >= 0 ? tls_step::done : outcome(result);
}

bool tls_session::has_more() const {
  return SSL_has_pending(ssl_->ssl.get()) == 1;
}

bool tls_session::ended() const {
  return (SSL_get_shutdown(ssl_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool tls_session::silent() const {
  return BIO_number_read(SSL_get_rbio(ssl_->ssl.get())) == 0;
}

bool tls_session::trusted_by(const credentials& now) const {
  auto* peer = SSL_get0_peer_certificate(ssl_->ssl.get());
  store_context_ptr check{X509_STORE_CTX_new()};
  return peer != nullptr && check
         && X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(now.context()), peer,
                                SSL_get_peer_cert_chain(ssl_->ssl.get()))
                == 1
         && X509_verify_cert(check.get()) == 1;
}

tls_step tls_session::outcome(int result) {
  if (result == 1)
    return tls_step::done;
  const auto system = errno;
  switch (SSL_get_error(ssl_->ssl.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return tls_step::wants_read;
  case SSL_ERROR_WANT_WRITE:
    return tls_step::wants_write;
  case SSL_ERROR_ZERO_RETURN:
    problem_ = "the other side has closed the connection";
    return tls_step::closed;
  case SSL_ERROR_SYSCALL:
    // OpenSSL 3.0 leaves a failed write to errno, and 3.5 also puts it into its queue.
    if (const auto queued = ERR_peek_error(); queued == 0 || ERR_SYSTEM_ERROR(queued)) {
      problem_ = system == 0 ? "the other side has closed the connection" : std::strerror(system);
      return tls_step::closed;
    }
    [[fallthrough]];
  default:
    explain();
    return tls_step::failed;
  }
}

/// In words that say which of the two certificates is meant.
void tls_session::explain() {
  const auto verdict = SSL_get_verify_result(ssl_->ssl.get());
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  const auto complaint = openssl_complaint();
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    problem_ = std::string{"its certificate is not accepted here: "} + X509_verify_cert_error_string(verdict);
  else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    problem_ = "it shows no certificate";
  else if (reason > SSL_AD_REASON_OFFSET)
    problem_ = "it does not accept this side's certificate or its way of speaking TLS: " + complaint;
  else
    problem_ = "the TLS handshake failed: " + complaint;
}

} // namespace gnomon
