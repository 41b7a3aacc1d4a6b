#include "runtime/shell/node_place.hpp"

#include "runtime/base/host_port.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

namespace gnomon::shell {

namespace {

namespace fs = std::filesystem;

std::string in_environment(const char* variable) {
  const auto* value = std::getenv(variable);
  return value ? value : "";
}

void refuse_files(const node_place& place) {
  const auto& files = place.elsewhere;
  if (!files.certificate.empty() || !files.key.empty() || !files.authorities.empty())
    throw usage_error{"--certificate, --key and --authorities go with --connect HOST:PORT; a socket asks for none"};
}

/// Names the files that nobody has named. They lie as `cert issue` writes them.
remote_node with_files(remote_node node) {
  if (!parse_host_port(node.address))
    throw usage_error{fmt::format("'{}' is no HOST:PORT, such as 203.0.113.7:7101, [2001:db8::7]:7101 or "
                                  "node.example:7101",
                                  node.address)};
  if (node.certificate.empty())
    node.certificate = in_environment("GNOMON_CERTIFICATE");
  if (node.certificate.empty())
    throw usage_error{"a node elsewhere lets shells in over TLS only: name your certificate with --certificate FILE or "
                      "GNOMON_CERTIFICATE (gnomon cert issue NAME --shell makes one). On the node's own machine use "
                      "--socket PATH"};
  if (node.key.empty())
    node.key = in_environment("GNOMON_KEY");
  if (node.key.empty())
    node.key = fs::path{node.certificate}.replace_extension(".key");
  if (node.authorities.empty())
    node.authorities = in_environment("GNOMON_AUTHORITIES");
  if (node.authorities.empty())
    node.authorities = node.certificate.parent_path() / "ca.pem";
  return node;
}

} // namespace

const std::vector<option_spec>& place_options() {
  static const std::vector<option_spec> options{
      {"--socket", "PATH", "the node's Unix socket (default: $GNOMON_SOCKET, else the only ./run/*/gnomon.sock)"},
      {"--connect", "HOST:PORT", "a node elsewhere, at its listen.tunnel, over TLS ($GNOMON_CONNECT)"},
      {"--certificate", "FILE", "with it: a shell's certificate ($GNOMON_CERTIFICATE)"},
      {"--key", "FILE", "its key ($GNOMON_KEY; default: NAME.key beside NAME.pem)"},
      {"--authorities", "FILE", "who vouches for nodes ($GNOMON_AUTHORITIES; default: ca.pem beside the certificate)"}};
  return options;
}

node_place place_in(const arguments& options) {
  node_place place{
      options.get("--socket"),
      {options.get("--connect"), options.get("--certificate"), options.get("--key"), options.get("--authorities")}};
  if (!place.socket.empty() && !place.elsewhere.address.empty())
    throw usage_error{"--socket and --connect name two nodes; choose one"};
  if (!place.socket.empty())
    refuse_files(place);
  return place;
}

node_place place_called(const std::string& word, const node_place& present) {
  const auto address = word.find('/') == word.npos && parse_host_port(word);
  node_place place{address ? std::string{} : word, present.elsewhere};
  place.elsewhere.address = address ? word : std::string{};
  return place;
}

node_place with_environment(node_place given) {
  if (!given.name().empty())
    return given;
  given.socket = in_environment("GNOMON_SOCKET");
  given.elsewhere.address = in_environment("GNOMON_CONNECT");
  if (!given.socket.empty() && !given.elsewhere.address.empty())
    throw usage_error{"GNOMON_SOCKET and GNOMON_CONNECT name two nodes; choose one with --socket or --connect"};
  return given;
}

std::vector<std::string> sockets_nearby() {
  std::vector<std::string> found;
  std::error_code ignored;
  for (fs::directory_iterator i{"run", ignored}, end; !ignored && i != end; i.increment(ignored))
    if (auto socket = i->path() / "gnomon.sock"; fs::is_socket(socket, ignored))
      found.push_back(socket.string());
  std::sort(found.begin(), found.end());
  return found;
}

node_place find_place(const node_place& given) {
  auto place = with_environment(given);
  if (!place.elsewhere.address.empty())
    return {{}, with_files(std::move(place.elsewhere))};
  if (given.name().empty())
    refuse_files(given);
  if (!place.socket.empty())
    return place;
  auto found = sockets_nearby();
  if (found.size() == 1)
    return {found.front(), {}};
  if (found.empty())
    throw failure{ec::unavailable, "which node? There is no ./run/*/gnomon.sock here. Start one with gnomond "
                                   "--config-file=FILE, name its socket with --socket PATH or GNOMON_SOCKET, or "
                                   "--connect HOST:PORT to one elsewhere"};
  throw failure{ec::invalid_argument,
                fmt::format("which node? There are several here; choose one with --socket PATH or GNOMON_SOCKET: {}",
                            fmt::join(found, " "))};
}

} // namespace gnomon::shell
