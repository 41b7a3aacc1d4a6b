#pragma once

#include "runtime/tls/authority.hpp"
#include "runtime/tls/credentials.hpp"
#include "tests/support/temporary_directory.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

/// Certificates for tests, in a folder that goes with the object.
namespace gnomon::test {

inline std::string text_of_file(const std::string& file) {
  std::ifstream in{file};
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

class test_authority {
public:
  explicit test_authority(const std::string& name = "authority", const validity& valid = validity::for_days(100)) {
    keep(make_authority(name, valid), "ca");
  }
  /// Files for a node, trusting this authority.
  credential_files files_for(const std::string& node, const validity& valid = validity::for_days(90)) const {
    return issue({node}, valid);
  }
  /// Files for a shell, trusting this authority.
  credential_files files_for_shell(const std::string& shell, const validity& valid = validity::for_days(90)) const {
    return issue({shell, bearer::shell}, valid);
  }
  /// Files for a server of HTTPS at 127.0.0.1, or for one of its clients.
  credential_files files_for_http(const certificate_wish& wish, const validity& valid = validity::for_days(90)) const {
    return issue(wish, valid);
  }
  credentials_ptr credentials_for(const std::string& node) const {
    auto loaded = credentials::load(files_for(node), node);
    if (!loaded)
      throw std::runtime_error(sentence_of(loaded.error()));
    return *loaded;
  }
  /// A file with this authority and another one.
  std::string beside(const test_authority& other) const {
    const auto both = folder_ / ("both-" + std::to_string(count_++) + ".pem");
    std::ofstream{both} << text_of_file(certificate()) << text_of_file(other.certificate());
    return both;
  }
  std::string certificate() const {
    return folder_ / "ca.pem";
  }
  std::string key() const {
    return folder_ / "ca.key";
  }

private:
  credential_files issue(const certificate_wish& wish, const validity& valid) const {
    const auto stem = wish.name + "-" + std::to_string(count_++);
    keep(issue_certificate(certificate(), key(), wish, valid), stem);
    return {folder_ / (stem + ".pem"), folder_ / (stem + ".key"), certificate()};
  }
  void keep(const expected<certified_key>& made, const std::string& stem) const {
    if (!made)
      throw std::runtime_error(sentence_of(made.error()));
    if (auto problem = write_new(*made, folder_ / (stem + ".pem"), folder_ / (stem + ".key")))
      throw std::runtime_error(sentence_of(problem));
  }

  temporary_directory folder_;
  mutable int count_ = 0;
};

/// Ended yesterday.
inline validity past() {
  auto valid = validity::for_days(1);
  valid.begins -= std::chrono::hours{24 * 10};
  valid.ends -= std::chrono::hours{24 * 2};
  return valid;
}

} // namespace gnomon::test
