#pragma once

#include "runtime/tls/handles.hpp"

#include <vector>

/// Certificates and keys as PEM (RFC 7468).
namespace gnomon {

/// The certificates in a file, in their order; at least one. Errors: bad_config naming the file.
expected<std::vector<x509_ptr>> load_certificates(const std::string& file);

/// The private key in a file that is private. Errors: bad_config, also for a key behind a passphrase, because nobody is
/// there to type it.
expected<key_ptr> load_private_key(const std::string& file);

std::string pem_of(X509& certificate);
std::string pem_of(EVP_PKEY& key); // PKCS #8, not encrypted

} // namespace gnomon
