#include "runtime/tls/credentials.hpp"

#include "runtime/base/log.hpp"
#include "runtime/base/times.hpp"
#include "runtime/tls/pem.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {

namespace {

// AES-128 first: it is the fastest where the processor knows AES, and as safe.
constexpr auto cipher_suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr auto groups = "X25519:P-256:P-384"; // fast ones: others make a handshake cost more than a stranger should
constexpr size_t read_buffer = 64u << 10;     // four records in one call of the system
constexpr auto older_suites = "ECDHE+AESGCM:ECDHE+CHACHA20"; // of TLS 1.2: what has forward secrecy, and no CBC
constexpr std::string_view http_protocol = "\x08http/1.1";   // as ALPN writes a list of names (RFC 7301, 3.1)
constexpr auto how_to_issue = "gnomon cert issue makes one";

caf::error bad(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

bool ready(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  return SSL_CTX_set_ciphersuites(context, cipher_suites) == 1 && SSL_CTX_set1_groups_list(context, groups) == 1;
}

bool ready_between_nodes(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_default_read_buffer_len(context, read_buffer);
  return ready(context) && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1
         && SSL_CTX_set_num_tickets(context, 0) == 1;
}

/// A client that names its protocols, and not ours, means another server (RFC 7301, 3.2).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* match = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(http_protocol.data());
  if (SSL_select_next_proto(&match, size, ours, http_protocol.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

/// Each connection keeps its two buffers of a record while it waits: to make them anew costs each request.
bool ready_for_http(SSL_CTX* context) {
  return ready(context) && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1
         && SSL_CTX_set_cipher_list(context, older_suites) == 1;
}

bool ready_to_serve_http(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>("gnomon");
  return ready_for_http(context) && SSL_CTX_set_session_id_context(context, name, 6) == 1;
}

bool ready_to_ask_http(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const auto* ours = reinterpret_cast<const unsigned char*>(http_protocol.data());
  return ready_for_http(context) && SSL_CTX_set_alpn_protos(context, ours, http_protocol.size()) == 0;
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

std::string names_of(const certificate_facts& own) {
  return own.names.empty() ? "nobody" : fmt::format("{}", fmt::join(own.names, ", "));
}

caf::error check_node(const std::string& file, const certificate_facts& own, const std::string& node) {
  if (std::find(own.nodes.begin(), own.nodes.end(), node) != own.nodes.end())
    return {};
  return bad(fmt::format("{} is no certificate for node {}: it names {}; {}", file, node, names_of(own), how_to_issue));
}

caf::error check_shell(const std::string& file, const certificate_facts& own) {
  if (own.nodes.empty() && !own.shells.empty())
    return {};
  return bad(fmt::format("{} is no certificate for a shell: it names {}; gnomon cert issue NAME --shell makes one",
                         file, names_of(own)));
}

caf::error check_time(const std::string& file, const certificate_facts& own) {
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

  /// For one end of a tunnel; whom its certificate names is to be checked.
  caf::error prepare_for_tunnel(const credential_files& files);
  caf::error trust(const std::string& file);
  caf::error ask_for_certificates(const std::string& authorities);
  caf::error show(const credential_files& files);
  caf::error check_trusted(const credential_files& files, std::initializer_list<int> purposes) const;
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

/// Clients that have a certificate show it. They are told whom it should be from, because they may have several.
caf::error credentials::parts::ask_for_certificates(const std::string& authorities) {
  if (auto problem = trust(authorities))
    return problem;
  auto all = load_certificates(authorities);
  for (const auto& authority : *all)
    SSL_CTX_add_client_CA(context.get(), authority.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return {};
}

caf::error credentials::parts::show(const credential_files& files) {
  auto certificates = load_certificates(files.certificate);
  if (!certificates)
    return certificates.error();
  auto key = load_private_key(files.key);
  if (!key)
    return key.error();
  auto* leaf = certificates->front().get();
  own = facts_of(*leaf);
  if (auto problem = check_time(files.certificate, own))
    return problem;
  if (SSL_CTX_use_certificate(context.get(), leaf) != 1)
    return bad(fmt::format("{} cannot be used: {}", files.certificate, openssl_complaint()));
  if (X509_check_private_key(leaf, key->get()) != 1 || SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    openssl_complaint();
    return bad(fmt::format("{} is not the key of {}", files.key, files.certificate));
  }
  for (size_t i = 1; i < certificates->size(); ++i)
    if (SSL_CTX_add1_chain_cert(context.get(), (*certificates)[i].get()) != 1)
      return bad(fmt::format("{} cannot be used: {}", files.certificate, openssl_complaint()));
  return {};
}

/// Others trust the same authorities, so they would accept at least what is accepted here.
caf::error credentials::parts::check_trusted(const credential_files& files, std::initializer_list<int> purposes) const {
  auto* leaf = SSL_CTX_get0_certificate(context.get());
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(context.get(), &between);
  for (auto purpose : purposes)
    if (auto why = why_not_valid(SSL_CTX_get_cert_store(context.get()), leaf, between, purpose); !why.empty())
      return bad(fmt::format("no authority in {} vouches for {}: {}", files.authorities, files.certificate, why));
  return {};
}

credentials::credentials(std::unique_ptr<parts> all) : parts_(std::move(all)) {}
credentials::~credentials() = default;

caf::error credentials::parts::prepare_for_tunnel(const credential_files& files) {
  if (auto problem = check_files(files))
    return problem;
  if (!context || !ready_between_nodes(context.get()))
    return make_error(ec::internal, "OpenSSL offers no TLS 1.3: " + openssl_complaint());
  if (auto problem = trust(files.authorities))
    return problem;
  return show(files);
}

expected<credentials_ptr> credentials::load(const credential_files& files, const std::string& node) {
  auto all = std::make_unique<parts>();
  if (auto problem = all->prepare_for_tunnel(files))
    return problem;
  if (auto problem = check_node(files.certificate, all->own, node))
    return problem;
  if (auto problem = all->check_trusted(files, {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}))
    return problem;
  return credentials_ptr{new credentials{std::move(all)}};
}

expected<credentials_ptr> credentials::of_shell(const credential_files& files) {
  auto all = std::make_unique<parts>();
  if (auto problem = all->prepare_for_tunnel(files))
    return problem;
  if (auto problem = check_shell(files.certificate, all->own))
    return problem;
  if (auto problem = all->check_trusted(files, {X509_PURPOSE_SSL_CLIENT}))
    return problem;
  return credentials_ptr{new credentials{std::move(all)}};
}

expected<credentials_ptr> credentials::of_http_server(const credential_files& files) {
  auto all = std::make_unique<parts>();
  if (!all->context || !ready_to_serve_http(all->context.get()))
    return make_error(ec::internal, "OpenSSL offers no TLS: " + openssl_complaint());
  if (auto problem = files.authorities.empty() ? caf::error{} : all->ask_for_certificates(files.authorities))
    return problem;
  if (auto problem = all->show(files))
    return problem;
  return credentials_ptr{new credentials{std::move(all)}};
}

expected<credentials_ptr> credentials::of_http_client(const credential_files& files) {
  auto all = std::make_unique<parts>();
  if (!all->context || !ready_to_ask_http(all->context.get()))
    return make_error(ec::internal, "OpenSSL offers no TLS: " + openssl_complaint());
  if (auto problem = all->trust(files.authorities))
    return problem;
  if (auto problem = files.certificate.empty() ? caf::error{} : all->show(files))
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

bool warn_of_expiry(std::string_view component, const credentials& of) {
  auto warned = false;
  const auto now = std::chrono::system_clock::now();
  for (auto [which, facts] : {std::pair{"certificate", &of.own()}, std::pair{"authority", &of.first_to_end()}}) {
    if (facts->subject.empty() || now < renewal_time(*facts))
      continue;
    log::warn(component, now >= facts->ends ? "certificate-ended" : "certificate-ends",
              {{"which", which}, {"subject", facts->subject}, {"ends", rfc3339(facts->ends)}});
    warned = true;
  }
  return warned;
}

timestamp renewal_time(const certificate_facts& certificate) {
  return std::max<timestamp>(certificate.ends - std::chrono::hours{24 * 30},
                             certificate.ends - (certificate.ends - certificate.begins) / 3);
}

} // namespace gnomon
