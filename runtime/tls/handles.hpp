#pragma once

#include "runtime/base/error.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

/// OpenSSL's objects, each with an owner. Only runtime/tls includes this header and OpenSSL's own for TLS.
namespace gnomon {

template <auto Free>
struct freed_with {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using bio_ptr = std::unique_ptr<BIO, freed_with<BIO_free_all>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_with<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed_with<X509_free>>;
using x509_store_ptr = std::unique_ptr<X509_STORE, freed_with<X509_STORE_free>>;
using store_context_ptr = std::unique_ptr<X509_STORE_CTX, freed_with<X509_STORE_CTX_free>>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, freed_with<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_with<SSL_free>>;

/// What OpenSSL last complained about on this thread, in its words; clears it. Empty: it has not.
std::string openssl_complaint();

} // namespace gnomon
