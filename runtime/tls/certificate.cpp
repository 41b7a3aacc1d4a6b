#include "runtime/tls/certificate.hpp"

#include "runtime/tls/pem.hpp"

#include <spdlog/fmt/fmt.h>

#include <arpa/inet.h>
#include <ctime>

namespace gnomon {

namespace {

constexpr std::string_view node_prefix = "gnomon:node:";
constexpr std::string_view client_prefix = "gnomon:client:";
constexpr std::string_view shell_prefix = "gnomon:shell:";

std::string text_of(const X509_NAME* name) {
  bio_ptr to{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(to.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(to.get(), &data);
  return {data, static_cast<size_t>(size)};
}

timestamp time_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timestamp{std::chrono::seconds{::timegm(&parts)}} : timestamp{};
}

std::string hexadecimal(const unsigned char* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string serial_of(const X509& certificate) {
  const auto* number = X509_get0_serialNumber(&certificate);
  return hexadecimal(ASN1_STRING_get0_data(number), static_cast<size_t>(ASN1_STRING_length(number)));
}

std::string fingerprint_of(const X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  return X509_digest(&certificate, EVP_sha256(), digest, &size) == 1 ? hexadecimal(digest, size) : std::string{};
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string address_text(std::string_view bytes) {
  char text[64] = "?";
  if (bytes.size() == 4)
    ::inet_ntop(AF_INET, bytes.data(), text, sizeof text);
  else if (bytes.size() == 16)
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

void add_names(const X509& certificate, certificate_facts& facts) {
  auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  const std::unique_ptr<GENERAL_NAMES, freed_with<GENERAL_NAMES_free>> owner{all};
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    int kind = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &kind));
    if (kind == GEN_URI) {
      const std::string uri{bytes_of(value)};
      facts.names.push_back("URI:" + uri);
      if (uri.starts_with(node_prefix))
        facts.nodes.push_back(uri.substr(node_prefix.size()));
      if (uri.starts_with(client_prefix))
        facts.clients.push_back(uri.substr(client_prefix.size()));
      if (uri.starts_with(shell_prefix))
        facts.shells.push_back(uri.substr(shell_prefix.size()));
    } else if (kind == GEN_DNS) {
      facts.names.push_back(fmt::format("DNS:{}", bytes_of(value)));
    } else if (kind == GEN_IPADD) {
      facts.names.push_back("IP:" + address_text(bytes_of(value)));
    }
  }
}

} // namespace

std::string node_uri(const std::string& node) {
  return std::string{node_prefix} + node;
}

std::string client_uri(const std::string& client) {
  return std::string{client_prefix} + client;
}

std::string shell_uri(const std::string& shell) {
  return std::string{shell_prefix} + shell;
}

certificate_facts facts_of(const x509_st& certificate) {
  certificate_facts facts;
  facts.subject = text_of(X509_get_subject_name(&certificate));
  facts.issuer = text_of(X509_get_issuer_name(&certificate));
  facts.serial = serial_of(certificate);
  facts.fingerprint = fingerprint_of(certificate);
  facts.begins = time_of(X509_get0_notBefore(&certificate));
  facts.ends = time_of(X509_get0_notAfter(&certificate));
  facts.authority = X509_check_ca(const_cast<X509*>(&certificate)) == 1; // it only caches what it finds
  add_names(certificate, facts);
  return facts;
}

expected<std::vector<certificate_facts>> read_certificates(const std::string& file) {
  auto all = load_certificates(file);
  if (!all)
    return all.error();
  std::vector<certificate_facts> facts;
  for (const auto& certificate : *all)
    facts.push_back(facts_of(*certificate));
  return facts;
}

} // namespace gnomon
