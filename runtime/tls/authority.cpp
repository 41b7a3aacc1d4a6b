#include "runtime/tls/authority.hpp"

#include "runtime/base/id_rules.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/base/times.hpp"
#include "runtime/tls/certificate.hpp"
#include "runtime/tls/pem.hpp"
#include "runtime/tls/private_file.hpp"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace gnomon {

namespace {

caf::error refused(std::string_view step) {
  return make_error(ec::internal, fmt::format("OpenSSL could not {}: {}", step, openssl_complaint()));
}

/// 127 random bits: positive, and of the length that RFC 5280, 4.1.2.2, allows.
bool set_serial(X509& certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1)
    return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, freed_with<BN_free>> number{BN_bin2bn(bytes.data(), bytes.size(), nullptr)};
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_validity(X509& certificate, const validity& valid) {
  auto set = [](ASN1_TIME* field, timestamp when) {
    return ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(when)) != nullptr;
  };
  return set(X509_getm_notBefore(&certificate), valid.begins) && set(X509_getm_notAfter(&certificate), valid.ends);
}

bool set_subject(X509& certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                    -1, 0)
         == 1;
}

bool add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freed_with<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

/// A certificate that lacks only its extensions, issuer and signature.
x509_ptr begin_certificate(EVP_PKEY& key, const std::string& name, const validity& valid) {
  x509_ptr made{X509_new()};
  const auto good = made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_serial(*made)
                    && set_validity(*made, valid) && set_subject(*made, name) && X509_set_pubkey(made.get(), &key) == 1;
  return good ? std::move(made) : nullptr;
}

bool sign(X509& certificate, X509& issuer, EVP_PKEY& issuer_key) {
  return X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1
         && add_extension(certificate, issuer, NID_subject_key_identifier, "hash")
         && add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always")
         && X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.'
           || c == '*';
  });
}

std::string uri_of(const certificate_wish& wish) {
  switch (wish.of) {
  case bearer::client:
    return client_uri(wish.name);
  case bearer::shell:
    return shell_uri(wish.name);
  default:
    return node_uri(wish.name);
  }
}

expected<std::string> alternative_names(const certificate_wish& wish) {
  auto names = "URI:" + uri_of(wish);
  for (const auto& host : wish.hosts) {
    if (ip_address::parse(host))
      names += ",IP:" + host;
    else if (is_host_name(host))
      names += ",DNS:" + host;
    else
      return make_error(ec::bad_config, fmt::format("{} is neither a host's name nor an IP address", host));
  }
  return names;
}

struct issuer {
  x509_ptr certificate;
  key_ptr key;
};

expected<issuer> load_issuer(const std::string& authority_file, const std::string& key_file, const validity& valid) {
  auto certificates = load_certificates(authority_file);
  if (!certificates)
    return certificates.error();
  auto key = load_private_key(key_file);
  if (!key)
    return key.error();
  issuer found{std::move(certificates->front()), std::move(*key)};
  if (X509_check_private_key(found.certificate.get(), found.key.get()) != 1)
    return make_error(ec::bad_config, fmt::format("{} is not the key of {}", key_file, authority_file));
  const auto facts = facts_of(*found.certificate);
  if (!facts.authority)
    return make_error(ec::bad_config, fmt::format("{} is no authority, so it cannot issue certificates; gnomon cert "
                                                  "new-ca makes one",
                                                  authority_file));
  if (facts.ends < valid.ends)
    return make_error(ec::bad_config, fmt::format("the authority {} ends on {}, before the certificate would; choose "
                                                  "fewer days, or make a new authority",
                                                  authority_file, rfc3339(facts.ends)));
  return found;
}

} // namespace

validity validity::for_days(unsigned days) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); // as certificates count
  return {now - std::chrono::hours{1}, now + std::chrono::hours{24} * days};
}

expected<certified_key> make_authority(const std::string& name, const validity& valid) {
  const key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return refused("make a key");
  auto made = begin_certificate(*key, name, valid);
  const auto good = made && add_extension(*made, *made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
                    && add_extension(*made, *made, NID_key_usage, "critical,keyCertSign,cRLSign")
                    && sign(*made, *made, *key);
  if (!good)
    return refused("make an authority");
  return certified_key{pem_of(*made), pem_of(*key)};
}

expected<certified_key> issue_certificate(const std::string& authority_file, const std::string& key_file,
                                          const certificate_wish& wish, const validity& valid) {
  if (!is_plain_name(wish.name))
    return make_error(ec::bad_config, "a name has 1 to 64 letters, digits, '-', '_' and '.'");
  const auto names = alternative_names(wish);
  if (!names)
    return names.error();
  auto by = load_issuer(authority_file, key_file, valid);
  if (!by)
    return by.error();
  const key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return refused("make a key");
  auto made = begin_certificate(*key, wish.name, valid);
  const auto good = made && add_extension(*made, *by->certificate, NID_basic_constraints, "critical,CA:FALSE")
                    && add_extension(*made, *by->certificate, NID_key_usage, "critical,digitalSignature")
                    && add_extension(*made, *by->certificate, NID_ext_key_usage,
                                     wish.of == bearer::node ? "serverAuth,clientAuth" : "clientAuth")
                    && add_extension(*made, *by->certificate, NID_subject_alt_name, *names)
                    && sign(*made, *by->certificate, *by->key);
  if (!good)
    return refused("issue a certificate");
  return certified_key{pem_of(*made), pem_of(*key)};
}

caf::error write_new(const certified_key& both, const std::string& certificate_file, const std::string& key_file) {
  if (auto problem = write_new(key_file, both.key, 0600))
    return problem;
  auto problem = write_new(certificate_file, both.certificate, 0644);
  if (problem)
    ::unlink(key_file.c_str());
  return problem;
}

} // namespace gnomon
