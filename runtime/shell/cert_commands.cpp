#include "runtime/base/id_rules.hpp"
#include "runtime/base/times.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/tls/authority.hpp"
#include "runtime/tls/certificate.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <filesystem>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

constexpr uint64_t longest_days = 36500;
constexpr auto days_of_authority = "3650";
constexpr auto days_of_node = "365";

unsigned days_in(const arguments& args, const char* otherwise) {
  return static_cast<unsigned>(parse_count(args.get("--days", otherwise), "--days", 1, longest_days));
}

/// Makes the folder, for this user alone, when it is not there.
fs::path folder_of(const std::string& name) {
  std::error_code problem;
  if (fs::create_directories(name, problem) && !problem)
    fs::permissions(name, fs::perms::owner_all, problem);
  if (problem)
    throw failure{ec::invalid_argument, fmt::format("the folder {} cannot be made: {}", name, problem.message())};
  return name;
}

struct file_pair {
  std::string certificate;
  std::string key;
};

file_pair files_in(const fs::path& folder, const std::string& stem) {
  return {(folder / (stem + ".pem")).string(), (folder / (stem + ".key")).string()};
}

void keep(session_context& context, const certified_key& made, const file_pair& files, const std::string& advice) {
  if (auto problem = write_new(made, files.certificate, files.key))
    throw failure{code_of(problem), sentence_of(problem)};
  const auto facts = or_throw(read_certificates(files.certificate)).front();
  if (context.json)
    context.print({{"certificate", files.certificate}, {"key", files.key}, {"ends", rfc3339(facts.ends)}});
  else
    context.to.out << fmt::format("{}\n{}  (secret)\nvalid until {}\n{}", files.certificate, files.key,
                                  rfc3339(facts.ends), advice);
}

int new_authority(session_context& context, const arguments& args) {
  const auto name = args.get("--name", "Gnomon authority of " + rfc3339(validity::for_days(1).begins).substr(0, 10));
  if (name.empty() || name.size() > 64)
    throw usage_error{"--name has 1 to 64 bytes"};
  const auto made = or_throw(make_authority(name, validity::for_days(days_in(args, days_of_authority))));
  const auto files = files_in(folder_of(args.get("--out", "certs")), "ca");
  keep(context, made, files,
       fmt::format("keep {} off the nodes; whoever has it can make a node of the cluster\n", files.key));
  return done;
}

int issue(session_context& context, const arguments& args) {
  const auto& node = args.positional[0];
  if (!is_plain_name(node))
    throw usage_error{"NODE is the node.name of a config: 1 to 64 letters, digits, '-', '_' and '.'"};
  const auto authority = files_in(args.get("--ca", "certs"), "ca");
  std::error_code absent;
  if (!fs::exists(authority.certificate, absent))
    throw failure{ec::not_found, fmt::format("there is no authority in {}: gnomon cert new-ca makes one, --ca FOLDER "
                                             "says where it is",
                                             authority.certificate)};
  const auto made = or_throw(
      issue_certificate(authority.certificate, authority.key, node, validity::for_days(days_in(args, days_of_node))));
  const auto files = files_in(folder_of(args.get("--out", args.get("--ca", "certs"))), node);
  keep(context, made, files,
       fmt::format("\n[cluster]\ncertificate = \"{}\"\nkey = \"{}\"\nauthorities = \"{}\"\n", files.certificate,
                   files.key, authority.certificate));
  return done;
}

json json_of(const certificate_facts& c) {
  return {{"subject", c.subject},    {"issuer", c.issuer}, {"authority", c.authority},
          {"nodes", c.nodes},        {"names", c.names},   {"begins", rfc3339(c.begins)},
          {"ends", rfc3339(c.ends)}, {"serial", c.serial}, {"sha256", c.fingerprint}};
}

void print(session_context& context, const certificate_facts& c) {
  const auto now = std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
  const auto ended = c.ends <= now;
  auto line = [&](std::string_view what, const std::string& text) {
    if (!text.empty())
      context.to.out << fmt::format("{:11} {}\n", what, printable(text));
  };
  line("subject", c.subject);
  line("issuer", c.issuer == c.subject ? "itself" : c.issuer);
  line("kind", c.authority ? "authority, which signs others" : c.nodes.empty() ? "for no node" : "for nodes");
  line("nodes", fmt::format("{}", fmt::join(c.nodes, ", ")));
  line("names", fmt::format("{}", fmt::join(c.names, ", ")));
  line("begins", rfc3339(c.begins));
  line("ends", rfc3339(c.ends) + (ended ? ", which is past" : ", " + human_time(c.ends, now)));
  line("serial", c.serial);
  line("sha256", c.fingerprint);
}

int show(session_context& context, const arguments& args) {
  const auto all = or_throw(read_certificates(args.positional[0]));
  auto separate = false;
  json list = json::array();
  for (const auto& certificate : all) {
    if (context.json) {
      list.push_back(json_of(certificate));
      continue;
    }
    context.to.out << (std::exchange(separate, true) ? "\n" : "");
    print(context, certificate);
  }
  if (context.json)
    context.print(list);
  return done;
}

command new_authority_command() {
  return {
      .name = "cert new-ca",
      .synopsis = "",
      .summary = "make an authority, which signs the certificates of a cluster's nodes",
      .details =
          R"(  Writes ca.pem, which every node gets as cluster.authorities, and ca.key, which signs. Keep ca.key on a machine
  that is no node. Make one authority for each cluster, because each of its certificates opens that cluster.
  Nothing that is there is overwritten. docs/operations.md tells how one authority replaces another.

  cert new-ca
  cert new-ca --out /secure/gnomon --name "Example production" --days 1825
)",
      .options = {{"--out", "FOLDER", "where the two files go (default: certs)"},
                  {"--name", "NAME", "what the authority is called (default: with the date)"},
                  {"--days", "N", "how long it is valid (default 3650)"}},
      .run = new_authority,
  };
}

command issue_command() {
  return {
      .name = "cert issue",
      .synopsis = "NODE",
      .summary = "make a certificate for a node",
      .details =
          R"(  NODE is the node.name of its config. Writes NODE.pem and NODE.key, and prints what belongs into the config.
  Copy these two and ca.pem to the node. NODE.key belongs to the user that runs gnomond, with mode 0600.
  Nothing that is there is overwritten. For a new certificate in place of an old one name another folder, move the
  files over the old ones, and send gnomond SIGHUP.

  cert issue us-east-1
  cert issue us-east-1 --ca /secure/gnomon --out new --days 90
)",
      .options = {{"--ca", "FOLDER", "where ca.pem and ca.key are (default: certs)"},
                  {"--out", "FOLDER", "where the two files go (default: that of the authority)"},
                  {"--days", "N", "how long it is valid (default 365)"}},
      .least = 1,
      .most = 1,
      .run = issue,
  };
}

command show_command() {
  return {
      .name = "cert show",
      .synopsis = "FILE",
      .summary = "what the certificates in a file say, and when they end",
      .details = R"(  FILE is in PEM form and may hold several certificates.

  cert show certs/us-east-1.pem
  cert show certs/ca.pem --json
)",
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = show,
  };
}

} // namespace

std::vector<command> cert_commands() {
  return {new_authority_command(), issue_command(), show_command()};
}

} // namespace gnomon::shell
