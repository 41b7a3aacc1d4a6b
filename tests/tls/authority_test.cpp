#define CAF_SUITE authority
#include "runtime/tls/authority.hpp"

#include "runtime/tls/certificate.hpp"
#include "tests/support/certificates.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>
#include <set>
#include <sys/stat.h>

using namespace gnomon;
using namespace gnomon::test;

namespace {

unsigned mode_of(const std::string& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

certificate_facts first_in(const std::string& file) {
  auto all = read_certificates(file);
  CAF_REQUIRE(all);
  return all->front();
}

} // namespace

CAF_TEST(a_certificate_says_for_which_node_it_is_and_who_signed_it) {
  const test_authority authority{"Example production"};
  const auto files = authority.files_for("us-east-1");
  const auto own = first_in(files.certificate);
  CAF_CHECK_EQUAL(own.subject, "CN=us-east-1");
  CAF_CHECK_EQUAL(own.issuer, "CN=Example production");
  CAF_CHECK(own.nodes == std::vector<std::string>{"us-east-1"});
  CAF_CHECK(own.names == std::vector<std::string>{"URI:gnomon:node:us-east-1"});
  CAF_CHECK(!own.authority);
  CAF_CHECK(own.begins < own.ends);
  CAF_CHECK_EQUAL(own.fingerprint.size(), 64u);
  const auto ca = first_in(authority.certificate());
  CAF_CHECK(ca.authority);
  CAF_CHECK(ca.nodes.empty());
  CAF_CHECK_EQUAL(ca.issuer, ca.subject);
}

CAF_TEST(no_two_certificates_have_one_serial_number_or_key) {
  const test_authority authority;
  std::set<std::string> serials, keys;
  for (int i = 0; i < 20; ++i) {
    const auto files = authority.files_for("n");
    serials.insert(first_in(files.certificate).serial);
    keys.insert(text_of_file(files.key));
  }
  CAF_CHECK_EQUAL(serials.size(), 20u);
  CAF_CHECK_EQUAL(keys.size(), 20u);
}

CAF_TEST(keys_are_for_their_owner_alone_and_nothing_is_overwritten) {
  const temporary_directory folder;
  const auto made = make_authority("a", validity::for_days(1));
  CAF_REQUIRE(made);
  const auto pem = folder / "ca.pem", key = folder / "ca.key";
  CAF_CHECK(!write_new(*made, pem, key));
  CAF_CHECK_EQUAL(mode_of(key), 0600u);
  const auto before = text_of_file(key);
  const auto again = write_new(*make_authority("b", validity::for_days(1)), pem, key);
  CAF_CHECK_EQUAL(code_of(again), ec::bad_config);
  CAF_CHECK(sentence_of(again).find(key) != std::string::npos);
  CAF_CHECK_EQUAL(text_of_file(key), before);
  // A certificate that is there already takes its key with it.
  const auto other = folder / "other.key";
  CAF_CHECK_EQUAL(code_of(write_new(*made, pem, other)), ec::bad_config);
  CAF_CHECK(!std::filesystem::exists(other));
}

CAF_TEST(an_authority_issues_nothing_that_outlives_it_and_a_node_issues_nothing) {
  const test_authority authority;
  auto refusal = [](const expected<certified_key>& made) {
    CAF_REQUIRE(!made);
    CAF_CHECK_EQUAL(code_of(made.error()), ec::bad_config);
    return sentence_of(made.error());
  };
  auto issue = [&](const std::string& by, const std::string& key, const std::string& node, unsigned days) {
    return refusal(issue_certificate(by, key, {node}, validity::for_days(days)));
  };
  CAF_CHECK(issue(authority.certificate(), authority.key(), "n", 4000).find("fewer days") != std::string::npos);
  const auto valid = validity::for_days(100); // may end with it
  const test_authority brief{"brief", valid};
  CAF_CHECK(issue_certificate(brief.certificate(), brief.key(), {"m"}, valid));
  const auto node = authority.files_for("n");
  CAF_CHECK(issue(node.certificate, node.key, "m", 1).find("no authority") != std::string::npos);
  CAF_CHECK(issue(authority.certificate(), node.key, "m", 1).find("is not the key of") != std::string::npos);
  CAF_CHECK(issue(authority.certificate(), "/nowhere", "m", 1).find("/nowhere") != std::string::npos);
  for (auto name : {"", "a b", "a,DNS:evil.example", "é", "a\nb"})
    CAF_CHECK(issue(authority.certificate(), authority.key(), name, 1).find("name") != std::string::npos);
}
