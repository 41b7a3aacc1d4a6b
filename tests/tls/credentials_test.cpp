#define CAF_SUITE credentials
#include "runtime/tls/credentials.hpp"

#include "tests/support/certificates.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>

using namespace gnomon;
using namespace gnomon::test;

namespace {

std::string refusal(const credential_files& files, const std::string& node = "n") {
  auto loaded = credentials::load(files, node);
  if (loaded)
    return "sound";
  CAF_CHECK_EQUAL(code_of(loaded.error()), ec::bad_config);
  return sentence_of(loaded.error());
}

bool has(const std::string& text, const std::string& part) {
  auto found = text.find(part) != std::string::npos;
  if (!found)
    CAF_MESSAGE(text);
  return found;
}

std::string file_with(const temporary_directory& folder, const std::string& name, const std::string& text) {
  std::ofstream{folder / name} << text;
  std::filesystem::permissions(folder / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return folder / name;
}

validity future() {
  auto valid = validity::for_days(10);
  valid.begins += std::chrono::hours{24};
  return valid;
}

} // namespace

CAF_TEST(files_that_fit_are_taken) {
  const test_authority authority;
  CAF_CHECK_EQUAL(refusal(authority.files_for("n")), "sound");
  auto loaded = credentials::load(authority.files_for("n"), "n");
  CAF_CHECK_EQUAL((*loaded)->own().subject, "CN=n");
  CAF_CHECK_EQUAL((*loaded)->first_to_end().subject, "CN=authority");
}

CAF_TEST(what_others_would_refuse_is_refused_at_home_with_what_to_do) {
  const test_authority authority, stranger;
  CAF_CHECK(has(refusal(authority.files_for("m")), "is no certificate for node n: it names URI:gnomon:node:m"));
  CAF_CHECK(has(refusal(authority.files_for("n", past())), "has ended on"));
  CAF_CHECK(has(refusal(authority.files_for("n", future())), "is the clock of this machine right?"));
  auto files = stranger.files_for("n");
  files.authorities = authority.certificate();
  CAF_CHECK(has(refusal(files), "no authority in " + authority.certificate()));
  files = authority.files_for("n");
  files.key = stranger.files_for("n").key;
  CAF_CHECK(has(refusal(files), "is not the key of"));
  files = authority.files_for("n");
  files.authorities = files.certificate;
  CAF_CHECK(has(refusal(files), "is no authority"));
  files.authorities.clear();
  CAF_CHECK(has(refusal(files), "belong together"));
}

CAF_TEST(a_shells_certificate_is_good_for_a_shell_alone) {
  const test_authority authority;
  const auto shell = authority.files_for_shell("alice");
  const auto loaded = credentials::of_shell(shell);
  CAF_REQUIRE(loaded);
  CAF_CHECK_EQUAL((*loaded)->own().shells, std::vector<std::string>{"alice"});
  CAF_CHECK(has(refusal(shell, "alice"), "is no certificate for node alice: it names URI:gnomon:shell:alice"));
  const auto of_node = credentials::of_shell(authority.files_for("n"));
  CAF_REQUIRE(!of_node);
  CAF_CHECK(has(sentence_of(of_node.error()), "is no certificate for a shell: it names URI:gnomon:node:n"));
  CAF_CHECK(!credentials::of_shell(authority.files_for_shell("alice", past())));
}

CAF_TEST(a_key_that_others_may_read_or_write_is_refused) {
  const test_authority authority;
  const auto files = authority.files_for("n");
  for (auto mode : {0640, 0604, 0620, 0602, 0601, 0644, 0777}) {
    std::filesystem::permissions(files.key, static_cast<std::filesystem::perms>(mode));
    CAF_CHECK(has(refusal(files), "chmod 600 " + files.key));
  }
  for (auto mode : {0600, 0400}) {
    std::filesystem::permissions(files.key, static_cast<std::filesystem::perms>(mode));
    CAF_CHECK_EQUAL(refusal(files), "sound");
  }
}

CAF_TEST(files_of_another_kind_are_refused_by_name) {
  const test_authority authority;
  const temporary_directory folder;
  const auto good = authority.files_for("n");
  const auto certificate = text_of_file(good.certificate);
  const std::pair<std::string, std::string> broken[] = {
      {"empty", ""},
      {"text", "hello\n"},
      {"cut", certificate.substr(0, certificate.size() / 2)},
      {"spoiled", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
      {"second", certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
      {"binary", std::string("\x30\x82\x01\x00\0\0", 6)}};
  for (const auto& [name, text] : broken) {
    const auto file = file_with(folder, name, text);
    CAF_CHECK(has(refusal({file, good.key, good.authorities}), file));
    CAF_CHECK(has(refusal({good.certificate, file, good.authorities}), file));
    CAF_CHECK(has(refusal({good.certificate, good.key, file}), file));
  }
  for (const auto& nowhere : {folder / "absent", folder.path()}) {
    CAF_CHECK(has(refusal({nowhere, good.key, good.authorities}), nowhere));
    CAF_CHECK(has(refusal({good.certificate, nowhere, good.authorities}), nowhere));
    CAF_CHECK(has(refusal({good.certificate, good.key, nowhere}), nowhere));
  }
}

CAF_TEST(a_key_behind_a_passphrase_is_refused_without_asking_for_it) {
  const test_authority authority;
  const temporary_directory folder;
  const auto files = authority.files_for("n");
  const auto locked = folder / "locked.key";
  const auto command = "openssl pkcs8 -topk8 -in " + files.key + " -out " + locked + " -passout pass:secret 2>&1";
  CAF_REQUIRE(std::system(command.c_str()) == 0);
  std::filesystem::permissions(locked, std::filesystem::perms::owner_read);
  CAF_CHECK(has(refusal({files.certificate, locked, files.authorities}), "passphrase"));
}

CAF_TEST(two_authorities_are_trusted_at_once_also_when_they_have_one_name) {
  const test_authority before{"same"}, after{"same"};
  for (const auto* authority : {&before, &after})
    for (const auto& both : {before.beside(after), after.beside(before)}) {
      auto files = authority->files_for("n");
      files.authorities = both;
      CAF_CHECK_EQUAL(refusal(files), "sound");
    }
}

CAF_TEST(one_is_told_a_month_ahead_and_of_short_certificates_when_a_third_is_left) {
  certificate_facts year, day;
  year.ends = timestamp{std::chrono::hours{24 * 365}};
  day.ends = timestamp{std::chrono::hours{24}};
  CAF_CHECK(renewal_time(year) == timestamp{std::chrono::hours{24 * 335}});
  CAF_CHECK(renewal_time(day) == timestamp{std::chrono::hours{16}});
}
