#include "runtime/tls/pem.hpp"

#include "runtime/base/byte_source.hpp"
#include "runtime/tls/private_file.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

constexpr size_t longest_bundle = 1u << 20;

caf::error bad(std::string sentence) {
  return make_error(ec::bad_config, std::move(sentence));
}

bio_ptr over(const std::string& text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string text_in(BIO& memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(&memory, &data);
  return {data, static_cast<size_t>(size)};
}

int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

} // namespace

expected<std::vector<x509_ptr>> load_certificates(const std::string& file) {
  auto text = read_all(file, longest_bundle);
  if (!text)
    return bad(sentence_of(text.error()));
  auto from = over(*text);
  std::vector<x509_ptr> found;
  ERR_clear_error();
  while (x509_ptr next{PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)})
    found.push_back(std::move(next));
  const auto at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const auto why = openssl_complaint();
  if (!at_end)
    return bad(fmt::format("{}: certificate {} cannot be read: {}", file, found.size() + 1, why));
  if (found.empty())
    return bad(fmt::format("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", file));
  return found;
}

expected<key_ptr> load_private_key(const std::string& file) {
  auto text = read_private(file);
  if (!text)
    return text.error();
  auto from = over(*text);
  auto encrypted = false;
  key_ptr key{PEM_read_bio_PrivateKey(from.get(), nullptr, &no_passphrase, &encrypted)};
  OPENSSL_cleanse(text->data(), text->size());
  const auto why = openssl_complaint();
  if (encrypted)
    return bad(
        fmt::format("{} is behind a passphrase, which nobody is there to type; store the key without one", file));
  if (!key)
    return bad(fmt::format("{} holds no private key in PEM form: {}", file, why));
  return key;
}

std::string pem_of(X509& certificate) {
  bio_ptr to{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(to.get(), &certificate);
  return text_in(*to);
}

std::string pem_of(EVP_PKEY& key) {
  bio_ptr to{BIO_new(BIO_s_secmem())};
  PEM_write_bio_PKCS8PrivateKey(to.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_in(*to);
}

} // namespace gnomon
