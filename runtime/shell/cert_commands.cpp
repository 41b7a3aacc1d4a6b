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

/// What belongs into the config of a node: its own files for the tunnel and, where clients know its host, for HTTP.
std::string node_advice(const file_pair& files, const std::string& authorities, bool for_http) {
  auto text = fmt::format("\n[cluster]\ncertificate = \"{}\"\nkey = \"{}\"\nauthorities = \"{}\"\n", files.certificate,
                          files.key, authorities);
  if (for_http)
    text += fmt::format("\n[http]\ncertificate = \"{}\"\nkey = \"{}\"\n", files.certificate, files.key);
  return text;
}

std::string client_advice(const std::string& name, const std::string& authorities) {
  return fmt::format("\nin the config of each node, with the role that the client is to have:\n"
                     "[http]\nclient_authorities = \"{}\"\nclients = [\"{} = read\"]\n",
                     authorities, name);
}

std::string shell_advice(const file_pair& files, const std::string& authorities) {
  const auto beside = fs::path{files.certificate}.parent_path() == fs::path{authorities}.parent_path();
  return fmt::format("\nwhoever has {} may do everything in the cluster, from any machine that reaches a tunnel:\n"
                     "gnomon --connect HOST:7101 --certificate {}{} cluster\n",
                     files.key, files.certificate, beside ? "" : fmt::format(" --authorities {}", authorities));
}

std::string advice_for(const certificate_wish& wish, const file_pair& files, const std::string& authorities) {
  switch (wish.of) {
  case bearer::client:
    return client_advice(wish.name, authorities);
  case bearer::shell:
    return shell_advice(files, authorities);
  default:
    return node_advice(files, authorities, !wish.hosts.empty());
  }
}

certificate_wish wish_of(const arguments& args) {
  if (args.has("--client") && args.has("--shell"))
    throw usage_error{"a certificate is for a client of HTTP or for a shell; make one for each"};
  const auto of = args.has("--client") ? bearer::client : args.has("--shell") ? bearer::shell : bearer::node;
  certificate_wish wish{args.positional[0], of};
  if (!is_plain_name(wish.name))
    throw usage_error{fmt::format("NAME is {}: 1 to 64 letters, digits, '-', '_' and '.'",
                                  of == bearer::node ? "the node.name of a config" : "that of a person or a program")};
  if (of != bearer::node && args.has("--host"))
    throw usage_error{"--host is for nodes: clients and shells are known by their NAME"};
  for (auto rest = args.get("--host"); !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    wish.hosts.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  return wish;
}

int issue(session_context& context, const arguments& args) {
  const auto wish = wish_of(args);
  const auto authority = files_in(args.get("--ca", "certs"), "ca");
  std::error_code absent;
  if (!fs::exists(authority.certificate, absent))
    throw failure{ec::not_found, fmt::format("there is no authority in {}: gnomon cert new-ca makes one, --ca FOLDER "
                                             "says where it is",
                                             authority.certificate)};
  const auto made = or_throw(
      issue_certificate(authority.certificate, authority.key, wish, validity::for_days(days_in(args, days_of_node))));
  const auto files = files_in(folder_of(args.get("--out", args.get("--ca", "certs"))), wish.name);
  keep(context, made, files, advice_for(wish, files, authority.certificate));
  return done;
}

json json_of(const certificate_facts& c) {
  return {{"subject", c.subject},    {"issuer", c.issuer}, {"authority", c.authority}, {"nodes", c.nodes},
          {"clients", c.clients},    {"shells", c.shells}, {"names", c.names},         {"begins", rfc3339(c.begins)},
          {"ends", rfc3339(c.ends)}, {"serial", c.serial}, {"sha256", c.fingerprint}};
}

std::string kind_of(const certificate_facts& c) {
  if (c.authority)
    return "authority, which signs others";
  if (!c.clients.empty())
    return "for clients of HTTP";
  if (!c.shells.empty() && c.nodes.empty())
    return "for shells and embedded clients";
  return c.nodes.empty() ? "for no node" : "for nodes";
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
  line("kind", kind_of(c));
  line("nodes", fmt::format("{}", fmt::join(c.nodes, ", ")));
  line("clients", fmt::format("{}", fmt::join(c.clients, ", ")));
  line("shells", fmt::format("{}", fmt::join(c.shells, ", ")));
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
      .synopsis = "NAME",
      .summary = "make a certificate for a node, for a client of its HTTP, or for a shell elsewhere",
      .details =
          R"(  NAME is the node.name of a config. Writes NAME.pem and NAME.key, and prints what belongs into the config.
  Copy these two and ca.pem to the node. NAME.key belongs to the user that runs gnomond, with mode 0600.
  With --host the certificate also serves HTTPS: it names the hosts and addresses under which clients reach the node.
  With --client it is for a client of HTTP, which shows it in place of a token; the config says which role it has.
  With --shell it is for a person or a program that reaches a node from another machine: gnomon --connect, and
  embedded clients. It may do everything in the cluster, and cannot be used as a node. NAME stands in the audit.
  Nothing that is there is overwritten. For a new certificate in place of an old one name another folder, move the
  files over the old ones, and send gnomond SIGHUP.

  cert issue us-east-1
  cert issue us-east-1 --host us-east-1.example --host 203.0.113.7
  cert issue reports --client
  cert issue alice --shell --days 90
  cert issue us-east-1 --ca /secure/gnomon --out new --days 90
)",
      .options = {{"--host", "HOST", "a name or an address of the node's HTTP; may be given again", true},
                  {"--client", "", "for a client of HTTP"},
                  {"--shell", "", "for a shell or an embedded client on another machine"},
                  {"--ca", "FOLDER", "where ca.pem and ca.key are (default: certs)"},
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
