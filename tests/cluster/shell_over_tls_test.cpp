// The shell and embedded clients on another machine, as a node sees them: over its tunnel, in TLS.
#define CAF_SUITE shell_over_tls
#include "gnomon/client.hpp"
#include "tests/cluster/node_under_test.hpp"
#include "tests/net/sockets.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/socket_address.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>

using namespace gnomon;
using namespace gnomon::test;

namespace {

namespace fs = std::filesystem;

/// What a command wrote, errors as well, and its exit status.
struct ran {
  std::string text;
  int status = -1;
  bool says(const std::string& part) const {
    if (!has(text, part))
      CAF_MESSAGE("it says: " << text);
    return has(text, part);
  }
};

ran run(const std::string& command) {
  ran result;
  auto* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  char buffer[4096];
  for (size_t n; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    result.text.append(buffer, n);
  result.status = WEXITSTATUS(::pclose(pipe));
  return result;
}

struct fixture {
  fixture() {
    secure(node, authority.files_for("a"));
  }
  void secure(node_under_test& which, const credential_files& files) {
    const auto config = folder / "secure-" + std::to_string(++count_) + ".toml";
    std::ofstream{config} << "[cluster]\ncertificate = \"" << files.certificate << "\"\nkey = \"" << files.key
                          << "\"\nauthorities = \"" << files.authorities << "\"\n";
    which.config_file(config);
  }
  static std::string words(const credential_files& files) {
    return " --certificate " + files.certificate + " --key " + files.key + " --authorities " + files.authorities + " ";
  }
  ran shell(const credential_files& files, const std::string& command) {
    return run(at(node.tunnel_port()) + words(files) + command);
  }
  static std::string at(uint16_t port) {
    return std::string{GNOMON} + " --timeout 10 --connect 127.0.0.1:" + std::to_string(port);
  }
  ran alice(const std::string& command) {
    return shell(files, command);
  }
  bool noted(const std::string& part) {
    const auto there = within(5s, [&] { return has(node.log(), part); });
    if (!there)
      CAF_MESSAGE("the log lacks '" << part << "': " << node.log());
    return there;
  }
  double metric(const std::string& name) {
    const auto text = node.get("/metrics").body;
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
  }

  test_authority authority;
  temporary_directory folder;
  credential_files files = authority.files_for_shell("alice");
  node_under_test node{"a", "r1", folder.path()};
  int count_ = 0;
};

/// A load balancer that says in a header for whom it connects.
class header_proxy {
public:
  header_proxy(uint16_t to, std::string header) : to_(to), header_(std::move(header)) {
    listener_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    auto address = loopback(0);
    checked(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(listener_, 8), "listen");
    socklen_t size = sizeof address;
    checked(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { work(); }};
  }
  ~header_proxy() {
    over_ = true;
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const {
    return port_;
  }

private:
  void work() {
    while (!over_) {
      pollfd comes{listener_, POLLIN, 0};
      if (::poll(&comes, 1, 50) == 1)
        serve(test_socket{::accept(listener_, nullptr, nullptr)});
    }
  }
  void serve(test_socket client) {
    test_socket node{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto from = socket_address("127.0.0.5", 0);
    auto to = loopback(to_);
    ::bind(node.fd(), reinterpret_cast<sockaddr*>(&from), sizeof from);
    if (::connect(node.fd(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      return;
    node.send(header_);
    char buffer[4096];
    while (!over_) {
      pollfd both[] = {{client.fd(), POLLIN, 0}, {node.fd(), POLLIN, 0}};
      ::poll(both, 2, 50);
      for (auto i : {0, 1}) {
        if (!both[i].revents)
          continue;
        const auto n = ::recv(both[i].fd, buffer, sizeof buffer, 0);
        if (n <= 0)
          return;
        (i == 0 ? node : client).send({buffer, static_cast<size_t>(n)});
      }
    }
  }

  uint16_t to_, port_ = 0;
  std::string header_;
  int listener_ = -1;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shell_over_tls_tests, fixture)

CAF_TEST(a_shell_elsewhere_does_all_that_one_on_the_machine_does) {
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(alice("put news/1 hello").status, 0);
  CAF_CHECK(alice("get news/1").says("hello"));
  CAF_CHECK(alice("list").says("news/1"));
  CAF_CHECK(alice("status news/1").says("durable"));
  CAF_CHECK(alice("cluster --json").says("\"self\": \"a\""));
  CAF_CHECK_EQUAL(alice("get news/2").status, 1);
  const auto large = folder / "large", back = folder / "back";
  CAF_CHECK_EQUAL(run("head -c 40000000 /dev/urandom >" + large).status, 0);
  CAF_CHECK_EQUAL(alice("put big @" + large).status, 0);
  CAF_CHECK_EQUAL(alice("get big -o " + back).status, 0);
  CAF_CHECK_EQUAL(run("cmp " + large + " " + back).status, 0);
  CAF_CHECK_EQUAL(alice("del big").status, 0);
  std::ofstream many{folder / "many.jsonl"};
  for (auto i = 0; i < 3000; ++i)
    many << R"({"id":"many/)" << i << R"(","text":"value )" << i << "\"}\n";
  many.close();
  CAF_CHECK_EQUAL(alice("import " + (folder / "many.jsonl")).status, 0);
  CAF_CHECK_EQUAL(alice("export " + (folder / "out.jsonl") + " --prefix many/").status, 0);
  CAF_CHECK(run("wc -l <" + (folder / "out.jsonl")).says("3000"));
  CAF_CHECK_EQUAL(alice("snapshot save " + (folder / "saved")).status, 0);
  CAF_CHECK(alice("snapshot load " + (folder / "saved")).says("known"));
  CAF_CHECK(run("{ sleep 0.5; " + at(node.tunnel_port()) + words(files) + "put news/1 changed >/dev/null; } & "
                + at(node.tunnel_port()) + words(files) + "watch news/1 --count 2 --values; wait")
                .says("changed"));
  CAF_CHECK(within(5s, [&] { return metric("gnomon_tunnel_shell_connections") == 0; }));
  CAF_CHECK_EQUAL(metric("gnomon_tunnel_cut_off_total"), 0);
  CAF_CHECK_EQUAL(node.terminate(), 0);
}

CAF_TEST(the_environment_says_it_once_for_all) {
  CAF_REQUIRE(node.start_and_wait());
  const auto names = "GNOMON_CONNECT=localhost:" + std::to_string(node.tunnel_port())
                     + " GNOMON_CERTIFICATE=" + files.certificate + " ";
  CAF_CHECK_EQUAL(run(names + GNOMON + " put x y").status, 0); // the key and ca.pem lie beside the certificate
  CAF_CHECK(run(names + GNOMON + " get x").says("y"));
  CAF_CHECK(run("printf 'put a 1\nget a\n' | " + names + GNOMON).says("1"));
  const auto socket = node.data_dir() + "/gnomon.sock";
  CAF_CHECK(run(names + GNOMON + " --socket " + socket + " get x").says("y"));
  const auto both = run(names + "GNOMON_SOCKET=" + socket + " " + GNOMON + " get x");
  CAF_CHECK(both.says("GNOMON_SOCKET and GNOMON_CONNECT name two nodes"));
  CAF_CHECK_EQUAL(both.status, 2);
  CAF_CHECK_EQUAL(
      run("GNOMON_CONNECT=x GNOMON_SOCKET=y " + std::string{GNOMON} + " cert show " + files.certificate).status,
      0); // which needs no node
}

CAF_TEST(who_does_what_is_in_the_audit_by_the_name_in_the_certificate) {
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(alice("policy set type news '{\"factor\": 2}'").status, 0);
  CAF_CHECK_EQUAL(alice("token create reader --role read").status, 0);
  const auto bob = authority.files_for_shell("bob");
  CAF_CHECK_EQUAL(shell(bob, "token revoke reader").status, 0);
  alice("forget ann");
  alice("cluster remove nobody");
  CAF_CHECK_EQUAL(
      run(std::string{GNOMON} + " --socket " + node.data_dir() + "/gnomon.sock policy del type news").status, 0);
  for (const auto* line :
       {R"(tunnel shell-connected who="shell alice" from=127.0.0.1)", R"(tunnel shell-left who="shell alice")",
        R"(audit set-policy who="shell alice" from=127.0.0.1 what="type news")",
        R"(audit create-token who="shell alice" from=127.0.0.1 what="reader with the role read")",
        R"(audit revoke-token who="shell bob" from=127.0.0.1 what=reader)",
        R"(audit forget-user who="shell alice" from=127.0.0.1 what=ann)",
        R"(audit remove-node who="shell alice" from=127.0.0.1 what=nobody)",
        R"(audit delete-policy who=socket from="this machine" what="type news")"})
    CAF_CHECK(noted(line));
}

CAF_TEST(who_may_not_come_hears_why_and_so_does_the_node) {
  CAF_REQUIRE(node.start_and_wait());
  const test_authority stranger;
  auto foreign = stranger.files_for_shell("alice");
  foreign.authorities = authority.certificate();
  auto refused = [&](const credential_files& with, const std::string& why) {
    const auto result = shell(with, "cluster");
    CAF_CHECK_EQUAL(result.status, 1);
    CAF_CHECK(result.says(why));
  };
  // What the shell itself can see.
  refused(foreign, "no authority in " + authority.certificate() + " vouches for");
  refused(authority.files_for_shell("alice", past()), "has ended on");
  refused(authority.files_for("a"), "is no certificate for a shell: it names URI:gnomon:node:a");
  refused(authority.files_for_http({"alice", bearer::client}), "is no certificate for a shell");
  auto open = authority.files_for_shell("alice");
  fs::permissions(open.key, fs::perms::group_read, fs::perm_options::add);
  refused(open, "chmod 600");
  // What only the node sees: another authority, and the shell trusts both.
  foreign.authorities = authority.beside(stranger);
  refused(foreign, "it does not accept this side's certificate");
  CAF_CHECK(noted("its certificate is not accepted here"));
  // A node whose authority the shell does not trust.
  auto wary = stranger.files_for_shell("alice");
  refused(wary, "its certificate is not accepted here");
  // Nobody is there.
  CAF_CHECK(run(at(1) + words(files) + "cluster").says("no node at 127.0.0.1:1"));
  // Without TLS, once the log has room for another stranger.
  std::this_thread::sleep_for(1100ms);
  auto plain = connect_tcp(node.tunnel_port());
  plain.send("GNOMON\x02xxxxxxx");
  CAF_CHECK_EQUAL(plain.receive(1), "");
  CAF_CHECK(noted("it speaks no TLS, which this node asks for"));
  CAF_CHECK_EQUAL(alice("put x y").status, 0);
}

CAF_TEST(what_does_not_go_together_is_refused_before_anything_is_done) {
  for (const auto& [command, why] : std::vector<std::pair<std::string, std::string>>{
           {"--connect 127.0.0.1:1 cluster", "name your certificate with --certificate FILE"},
           {"--connect 127.0.0.1 --certificate x cluster", "is no HOST:PORT"},
           {"--connect 127.0.0.1:1 --socket x cluster", "name two nodes"},
           {"--socket x --certificate y cluster", "go with --connect"}}) {
    const auto result = run("env -u GNOMON_SOCKET " + std::string{GNOMON} + " " + command);
    CAF_CHECK_EQUAL(result.status, 2);
    CAF_CHECK(result.says(why));
  }
}

CAF_TEST(a_node_without_TLS_lets_no_shell_in_over_the_network) {
  node_under_test plain{"p", "r", folder.path()};
  CAF_REQUIRE(plain.start_and_wait());
  const auto result = run(at(plain.tunnel_port()) + words(files) + "cluster");
  CAF_CHECK_EQUAL(result.status, 1);
  CAF_CHECK(result.says("it closed the connection where TLS begins; has it a certificate?"));
  CAF_CHECK(within(5s, [&] { return has(plain.log(), "it speaks TLS, for which this node has no certificate"); }));
}

CAF_TEST(a_shells_certificate_makes_no_node) {
  CAF_REQUIRE(node.start_and_wait());
  node_under_test other{"b", "r2", folder.path()};
  other.seed(node);
  secure(other, authority.files_for_shell("b"));
  other.start();
  CAF_CHECK_EQUAL(other.exit_status(20s), 1);
  CAF_CHECK(has(other.log(), "is no certificate for node b: it names URI:gnomon:shell:b"));
}

CAF_TEST(behind_a_proxy_the_clients_own_address_counts) {
  node.set("cluster.proxies=[\"127.0.0.5/32\"]");
  CAF_REQUIRE(node.start_and_wait());
  const std::string second_version{"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xCB\0\x71\x0A\x7F\0\0\1\x12\x34\x1B\xBD", 28};
  for (const auto& [header, client] :
       {std::pair<std::string, std::string>{"PROXY TCP4 203.0.113.9 127.0.0.1 4711 7101\r\n", "203.0.113.9"},
        {second_version, "203.0.113.10"}}) {
    header_proxy proxy{node.tunnel_port(), header};
    const auto result = run(at(proxy.port()) + words(files) + "policy set type news '{\"factor\": 2}'");
    CAF_CHECK_EQUAL(result.status, 0);
    CAF_CHECK(noted("audit set-policy who=\"shell alice\" from=" + client));
  }
  CAF_CHECK_EQUAL(alice("put x y").status, 0); // who does not come from there says nothing in front
  header_proxy silent{node.tunnel_port(), "GET / HTTP/1.1\r\n\r\n"};
  CAF_CHECK_EQUAL(run(at(silent.port()) + words(files) + "cluster").status, 1);
  CAF_CHECK(noted("it does not begin with a header of the PROXY protocol"));
}

CAF_TEST(an_embedded_client_elsewhere_finds_its_node_again) {
  CAF_REQUIRE(node.start_and_wait());
  auto address = "127.0.0.1:" + std::to_string(node.tunnel_port());
  client elsewhere{remote_node{address, files.certificate, files.key, files.authorities}};
  CAF_CHECK(elsewhere.put("x", "1").created);
  std::vector<later<put_receipt>> many;
  for (auto i = 0; i < 5000; ++i)
    many.push_back(elsewhere.put_later("many/" + std::to_string(i), std::string(2000, 'x')));
  for (auto& each : many)
    each.get();
  CAF_CHECK_EQUAL(elsewhere.count("many/").here, 5000u);
  // The certificate is renewed meanwhile.
  const auto renewed = authority.files_for_shell("alice");
  node.terminate();
  fs::rename(renewed.key, files.key);
  fs::rename(renewed.certificate, files.certificate);
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(elsewhere.get("x")->value(), "1");
  client stranger{remote_node{address, folder / "none.pem", folder / "none.key", files.authorities}, {.patience = 0ms}};
  try {
    stranger.get("x");
    CAF_ERROR("a client without a certificate was let in");
  } catch (const failure& problem) {
    CAF_CHECK_EQUAL(problem.code(), ec::bad_config);
    CAF_CHECK(has(problem.what(), "none.pem"));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
