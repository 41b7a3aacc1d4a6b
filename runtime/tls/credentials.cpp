#include "runtime/tls/credentials.hpp"

#include "runtime/base/times.hpp"
#include "runtime/tls/pem.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {

namespace {

struct freed_chain {
  void operator()(STACK_OF(X509) * chain) const {
    sk_X509_free(chain); // a macro; the certificates belong to others
  }
};
using chain_ptr = std::unique_ptr<STACK_OF(X509), freed_chain>;

// AES-128 first: it is the fastest where the processor knows AES, and as safe.
constexpr auto cipher_suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr size_t read_buffer = 64u << 10; // four records in one call of the system
constexpr auto how_to_issue = "gnomon cert issue makes one";

caf::error bad(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

bool ready(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, read_buffer);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1
         && SSL_CTX_set_ciphersuites(context, cipher_suites) == 1;
}

/// Why the certificate would not be accepted as one end of a connection, or nothing.
std::string why_not_valid(X509_STORE* trusted, X509* certificate, STACK_OF(X509) * chain, int purpose) {
  store_context_ptr check{X509_STORE_CTX_new()};
  if (!check || X509_STORE_CTX_init(check.get(), trusted, certificate, chain) != 1
      || X509_STORE_CTX_set_purpose(check.get(), purpose) != 1)
    return openssl_complaint();
  if (X509_verify_cert(check.get()) == 1)
    return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

/// The certificate by itself.
caf::error check_own(const std::string& file, const certificate_facts& own, const std::string& node) {
  if (std::find(own.nodes.begin(), own.nodes.end(), node) == own.nodes.end())
    return bad(fmt::format("{} is no certificate for node {}: it names {}; {}", file, node,
                           own.names.empty() ? "nobody" : fmt::format("{}", fmt::join(own.names, ", ")), how_to_issue));
  const auto now = std::chrono::system_clock::now();
  if (own.ends <= now)
    return bad(fmt::format("{} has ended on {}; {}", file, rfc3339(own.ends), how_to_issue));
  if (own.begins > now)
    return bad(
        fmt::format("{} is valid only from {} on; is the clock of this machine right?", file, rfc3339(own.begins)));
  return {};
}

caf::error check_files(const credential_files& files) {
  const std::pair<std::string_view, const std::string&> all[] = {
      {"certificate", files.certificate}, {"key", files.key}, {"authorities", files.authorities}};
  for (const auto& [what, file] : all)
    if (file.empty())
      return bad(
          fmt::format("the file with the {} is missing: certificate, key and authorities belong together", what));
  return {};
}

} // namespace

struct credentials::parts {
  ssl_context_ptr context{SSL_CTX_new(TLS_method())};
  certificate_facts own;
  certificate_facts first_to_end;

  caf::error trust(const std::string& file);
  caf::error show(const credential_files& files, const std::string& node);
};

caf::error credentials::parts::trust(const std::string& file) {
  auto all = load_certificates(file);
  if (!all)
    return all.error();
  x509_store_ptr store{X509_STORE_new()};
  for (const auto& authority : *all) {
    auto facts = facts_of(*authority);
    if (!facts.authority)
      return bad(fmt::format("{} holds {}, which is no authority; only certificates that may sign others belong there",
                             file, facts.subject));
    if (first_to_end.subject.empty() || facts.ends < first_to_end.ends)
      first_to_end = std::move(facts);
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1)
      return bad(fmt::format("{} cannot be used: {}", file, openssl_complaint()));
  }
  SSL_CTX_set_cert_store(context.get(), store.release()); // which owns it then
  return {};
}

caf::error credentials::parts::show(const credential_files& files, const std::string& node) {
  auto certificates = load_certificates(files.certificate);
  if (!certificates)
    return certificates.error();
  auto key = load_private_key(files.key);
  if (!key)
    return key.error();
  auto* leaf = certificates->front().get();
  own = facts_of(*leaf);
  if (auto problem = check_own(files.certificate, own, node))
    return problem;
  if (SSL_CTX_use_certificate(context.get(), leaf) != 1)
    return bad(fmt::format("{} cannot be used: {}", files.certificate, openssl_complaint()));
  if (X509_check_private_key(leaf, key->get()) != 1 || SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    openssl_complaint();
    return bad(fmt::format("{} is not the key of {}", files.key, files.certificate));
  }
  chain_ptr between{sk_X509_new_null()};
  for (size_t i = 1; i < certificates->size(); ++i) {
    sk_X509_push(between.get(), (*certificates)[i].get());
    if (SSL_CTX_add1_chain_cert(context.get(), (*certificates)[i].get()) != 1)
      return bad(fmt::format("{} cannot be used: {}", files.certificate, openssl_complaint()));
  }
  for (auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    if (auto why = why_not_valid(SSL_CTX_get_cert_store(context.get()), leaf, between.get(), purpose); !why.empty())
      return bad(fmt::format("no authority in {} vouches for {}: {}", files.authorities, files.certificate, why));
  return {};
}

credentials::credentials(std::unique_ptr<parts> all) : parts_(std::move(all)) {}
credentials::~credentials() = default;

expected<credentials_ptr> credentials::load(const credential_files& files, const std::string& node) {
  if (auto problem = check_files(files))
    return problem;
  auto all = std::make_unique<parts>();
  if (!all->context || !ready(all->context.get()))
    return make_error(ec::internal, "OpenSSL offers no TLS 1.3: " + openssl_complaint());
  if (auto problem = all->trust(files.authorities))
    return problem;
  if (auto problem = all->show(files, node))
    return problem;
  return credentials_ptr{new credentials{std::move(all)}};
}

const certificate_facts& credentials::own() const {
  return parts_->own;
}

const certificate_facts& credentials::first_to_end() const {
  return parts_->first_to_end;
}

SSL_CTX* credentials::context() const {
  return parts_->context.get();
}

timestamp renewal_time(const certificate_facts& certificate) {
  return std::max<timestamp>(certificate.ends - std::chrono::hours{24 * 30},
                             certificate.ends - (certificate.ends - certificate.begins) / 3);
}

} // namespace gnomon
