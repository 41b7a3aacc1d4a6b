#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Makes certificates for a cluster: ECDSA keys on P-256, signed with SHA-256.
namespace gnomon {

/// From when to when a certificate is valid.
struct validity {
  timestamp begins;
  timestamp ends;
  /// From an hour ago, for clocks that are a little behind, until `days` from now.
  static validity for_days(unsigned days);
};

/// A certificate and its key as PEM.
struct certified_key {
  std::string certificate;
  std::string key;
};

/// An authority of that name, which signs itself, and certificates of nodes. Errors: internal when OpenSSL refuses.
expected<certified_key> make_authority(const std::string& name, const validity& valid);

/// Whose certificate it is: a node's, a client's of the HTTP API, or a shell's (or embedded client's) beside the nodes.
enum class bearer : uint8_t { node, client, shell };

/// Whom a certificate names, for what.
struct certificate_wish {
  std::string name;
  bearer of = bearer::node;
  std::vector<std::string> hosts = {}; // DNS names and IP addresses under which clients reach the node's HTTP
};

/// A node's certificate is good for both ends of a connection, all others only for the end that calls. It is signed by
/// the authority in two files. Errors: bad_config when the files or names cannot be used, or when the authority would
/// end before it.
expected<certified_key> issue_certificate(const std::string& authority_file, const std::string& key_file,
                                          const certificate_wish& wish, const validity& valid);

/// Writes both as new files: the key first, with mode 0600, then the certificate, with mode 0644. Errors: bad_config
/// when one of them is there already or cannot be written; then neither stays.
caf::error write_new(const certified_key& both, const std::string& certificate_file, const std::string& key_file);

} // namespace gnomon
