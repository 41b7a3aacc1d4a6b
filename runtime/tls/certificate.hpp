#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

#include <string>
#include <vector>

struct x509_st; // OpenSSL's X509

namespace gnomon {

/// What a certificate (RFC 5280) says.
struct certificate_facts {
  std::string subject;              // distinguished names as RFC 2253 writes them
  std::string issuer;               //
  std::string serial;               // hexadecimal
  std::string fingerprint;          // SHA-256 of the whole, hexadecimal
  std::vector<std::string> names;   // subject alternative names: "URI:gnomon:node:us-east-1", "DNS:...", "IP:..."
  std::vector<std::string> nodes;   // whom these name: the nodes that it identifies,
  std::vector<std::string> clients; // the clients,
  std::vector<std::string> shells;  // and the shells
  timestamp begins;
  timestamp ends;
  bool authority = false; // it may sign others
};

/// A node's name in its certificate is a subject alternative name, the URI gnomon:node:NAME. So a certificate that the
/// same authority made for a web server identifies no node.
std::string node_uri(const std::string& node);
/// The same for a client of the HTTP API: gnomon:client:NAME.
std::string client_uri(const std::string& client);
/// The same for a shell or an embedded client that reaches a node over the network: gnomon:shell:NAME.
std::string shell_uri(const std::string& shell);

certificate_facts facts_of(const x509_st& certificate);

/// The certificates in a file of PEM, in their order. Errors: bad_config when it cannot be read or holds none.
expected<std::vector<certificate_facts>> read_certificates(const std::string& file);

} // namespace gnomon
