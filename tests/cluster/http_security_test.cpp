// Nodes that ask for tokens over HTTPS: who may do what at which node, and what becomes of the secrets.
#define CAF_SUITE http_security
#include "runtime/access/role.hpp"
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/https.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>

using namespace gnomon;
using namespace gnomon::test;

namespace {

namespace fs = std::filesystem;
using json = nlohmann::json;

std::string output_of(const std::string& command) {
  std::string all;
  auto* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  for (size_t n; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    all.append(buffer, n);
  ::pclose(pipe);
  return all;
}

/// Two nodes in TLS at both ports.
struct secured_pair {
  secured_pair() {
    for (auto* each : {&a, &b}) {
      const auto name = each == &a ? "a" : "b";
      const auto files = authority.files_for_http({name, bearer::node, {"127.0.0.1"}});
      for (const auto* section : {"cluster", "http"}) {
        each->set(section + (".certificate=" + files.certificate));
        each->set(section + (".key=" + files.key));
      }
      each->set("cluster.insecure=false").set("cluster.authorities=" + authority.certificate());
      each->set("http.client_authorities=" + authority.certificate()).set("http.clients=[\"reports = read\"]");
      each->set("http.tokens=true").set("log.level=debug");
      each->set("membership.heartbeat=100ms").set("membership.suspect_after=500ms").set("membership.down_after=1s");
    }
    b.seed(a);
  }
  bool start() {
    return a.start_and_wait() && b.start_and_wait() && whole();
  }
  bool whole() {
    return within(20s, [&] {
      const auto text = shell(a, "cluster --json");
      const auto found = json::parse(text, nullptr, false);
      return found.is_object() && found["nodes"].size() == 2 && has(text, "\"live\"");
    });
  }
  static std::string shell(node_under_test& at, const std::string& command) {
    return output_of(std::string{GNOMON} + " --socket " + at.data_dir() + "/gnomon.sock " + command + " 2>/dev/null");
  }
  /// The token's text.
  static std::string create(node_under_test& at, const std::string& arguments) {
    auto text = shell(at, "token create " + arguments);
    CAF_REQUIRE(text.starts_with("gnomon_"));
    text.pop_back();
    return text;
  }
  static std::string field(const std::string& token) {
    return token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
  }
  static int status(node_under_test& at, const std::string& token, const std::string& target = "/data/x",
                    const std::string& method = "GET", const std::string& body = {}) {
    return https(at.http_port(), method, target, body, field(token)).status;
  }

  test_authority authority;
  temporary_directory folder;
  node_under_test a{"a", "r1", folder.path()}, b{"b", "r2", folder.path()};
};

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  if (const auto at = text.find(part); at != std::string::npos)
    text.replace(at, part.size(), by);
  return text;
}

/// A request for an operation of the API that would do something, or say something, if it were permitted.
struct trial {
  std::string method, target, body, fields;
  role needed = role::none;
};

std::vector<trial> trials_of(const json& document) {
  std::vector<trial> all;
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [name, operation] : methods.items()) {
      if (name == "parameters")
        continue;
      trial one;
      for (auto c : name)
        one.method += static_cast<char>(std::toupper(c));
      one.target = replaced(replaced(replaced(path, "{id}", "news/1"), "{job}", "1"), "{scope}", "type");
      one.target = replaced(one.target, "{name}", path.starts_with("/cluster") ? "nobody" : "news");
      if (path == "/watch")
        one.target += "?data_id=a&after=wrong"; // a stream would not end
      else if (path == "/prefetch/predict")
        one.target += "?user_id=u";
      else if (path == "/route" || path == "/shadow/status")
        one.target += "?data_id=news/1";
      if (one.method == "PUT" || one.method == "POST") {
        one.body = path == "/shadow/create" ? R"({"data_id": "news/1"})" : R"({"factor": 2})";
        one.fields = "Content-Type: application/json\r\n";
      }
      if (const auto& security = operation["security"]; !security.empty())
        one.needed = *role_from(security[0]["token"][0].get<std::string>());
      all.push_back(std::move(one));
    }
  return all;
}

http_answer send(node_under_test& at, const trial& one, const std::string& token, const tls_client::manner& how = {}) {
  return https(at.http_port(), one.method, one.target, one.body, one.fields + secured_pair::field(token), how);
}

/// All that the file system holds of a node, and what the system shows of its process.
void look_for(const std::string& secret, const fs::path& folder) {
  size_t files = 0;
  for (const auto& each : fs::recursive_directory_iterator{folder}) {
    if (!each.is_regular_file())
      continue;
    ++files;
    if (has(text_of_file(each.path().string()), secret))
      CAF_ERROR(each.path().string() << " holds a secret");
  }
  CAF_CHECK(files > 4);
}

} // namespace

CAF_TEST(each_operation_is_for_those_whose_role_permits_it_and_for_nobody_else) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  const std::map<role, std::string> tokens{{role::read, nodes.create(nodes.a, "reader --role read")},
                                           {role::write, nodes.create(nodes.b, "writer --role write")},
                                           {role::admin, nodes.create(nodes.a, "boss --role admin")}};
  const auto revoked = nodes.create(nodes.a, "revoked --role admin");
  const auto ended = nodes.create(nodes.a, "ended --role admin --expires 1ms");
  CAF_CHECK(within(10s, [&] { return nodes.shell(nodes.b, "token revoke revoked").starts_with("revoked"); }));
  auto wrong = tokens.at(role::admin);
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  const test_authority stranger;
  const tls_client::manner of_node{.shows = nodes.authority.files_for("a")},
      of_client{.shows = nodes.authority.files_for_http({"reports", bearer::client})},
      unnamed{.shows = nodes.authority.files_for_http({"nobody", bearer::client})},
      foreign{.shows = stranger.files_for_http({"reports", bearer::client})},
      old{.shows = nodes.authority.files_for_http({"reports", bearer::client}, past())};
  for (auto* at : {&nodes.a, &nodes.b}) {
    CAF_REQUIRE(within(20s, [&] {
      return nodes.status(*at, tokens.at(role::admin)) == 404 && nodes.status(*at, tokens.at(role::write)) == 404
             && nodes.status(*at, revoked) == 401;
    }));
    const auto document =
        json::parse(https(at->http_port(), "GET", "/openapi.json", {}, nodes.field(tokens.at(role::read))).body);
    const auto trials = trials_of(document);
    CAF_CHECK(trials.size() > 20);
    for (const auto& one : trials) {
      const auto open = one.needed == role::none;
      auto check = [&](std::string_view who, int status, bool good) {
        if (!good)
          CAF_ERROR(one.method << " " << one.target << " as " << std::string{who} << " is answered " << status);
      };
      for (const auto& [who, token] : std::map<std::string, std::string>{{"nobody", ""},
                                                                         {"revoked", revoked},
                                                                         {"ended", ended},
                                                                         {"wrong", wrong},
                                                                         {"unknown", "gnomon_0123456789abcdef_x"}}) {
        const auto status = send(*at, one, token).status;
        check(who, status, open ? status == 200 || status == 503 : status == 401);
      }
      for (const auto& [what, token] : tokens) {
        const auto status = send(*at, one, token).status;
        check(name(what), status, what < one.needed ? status == 403 : status != 401 && status != 403 && status != 0);
      }
      for (const auto* how : {&of_node, &unnamed}) {
        const auto status = send(*at, one, {}, *how).status;
        check("a certificate without a role", status, open ? status == 200 : status == 401);
      }
      const auto status = send(*at, one, {}, of_client).status;
      check("a client's certificate", status, one.needed > role::read ? status == 403 : status != 401 && status != 403);
    }
    for (const auto* how : {&foreign, &old}) // whatever they ask for
      CAF_CHECK_EQUAL(send(*at, trials.front(), tokens.at(role::admin), *how).status, 0);
  }
  CAF_CHECK(has(nodes.shell(nodes.a, "policy list --json"), "news") || has(nodes.a.log(), "audit delete-policy"));
}

CAF_TEST(a_token_counts_at_every_node_until_it_is_revoked_at_any_and_so_it_stays) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  const auto kept = nodes.create(nodes.a, "kept --role write"), ended = nodes.create(nodes.a, "ended --role write");
  for (const auto& token : {kept, ended})
    CAF_CHECK(within(10s, [&] { return nodes.status(nodes.b, token) == 404; }));
  CAF_CHECK(nodes.shell(nodes.b, "token create kept --role read").empty()); // the name is taken
  const auto begin = std::chrono::steady_clock::now();
  nodes.shell(nodes.b, "token revoke ended");
  for (auto* at : {&nodes.b, &nodes.a})
    CAF_CHECK(within(10s, [&] { return nodes.status(*at, ended) == 401; }));
  CAF_MESSAGE("the shell's command and all refusals took "
              << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count()
              << " ms");
  // Who was away hears of it when it is back.
  nodes.b.terminate();
  const auto late = nodes.create(nodes.a, "late --role read");
  nodes.shell(nodes.a, "token revoke kept");
  CAF_REQUIRE(nodes.b.start_and_wait());
  CAF_CHECK(within(10s, [&] { return nodes.status(nodes.b, late) == 404 && nodes.status(nodes.b, kept) == 401; }));
  // And all of them over a restart of the whole cluster.
  nodes.a.terminate();
  nodes.b.terminate();
  CAF_REQUIRE(nodes.start());
  for (auto* at : {&nodes.a, &nodes.b}) {
    CAF_CHECK(within(10s, [&] { return nodes.status(*at, late) == 404; })); // 503 before it has caught up
    CAF_CHECK_EQUAL(nodes.status(*at, kept), 401);
    CAF_CHECK_EQUAL(nodes.status(*at, ended), 401);
  }
  const auto list = nodes.shell(nodes.b, "token list --json");
  CAF_CHECK(has(list, "late"));
  CAF_CHECK(!has(list, "kept"));
}

CAF_TEST(a_stream_of_changes_tells_nothing_once_its_token_is_revoked) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  const auto reader = nodes.create(nodes.a, "reader --role read"),
             writer = nodes.create(nodes.a, "writer --role write");
  tls_client stream{nodes.a.http_port(), {}};
  CAF_REQUIRE(stream.shake_hands());
  CAF_REQUIRE(stream.send("GET /watch?prefix=news/ HTTP/1.1\r\nHost: x\r\n" + nodes.field(reader) + "\r\n"));
  CAF_CHECK_EQUAL(nodes.status(nodes.a, writer, "/data/news/1", "PUT", "x"), 201);
  std::string seen;
  while (!has(seen, "news/1") && seen.size() < 100'000)
    if (const auto more = stream.receive(1); more.empty())
      break;
    else
      seen += more;
  CAF_CHECK(has(seen, "news/1"));
  CAF_REQUIRE(within(10s, [&] { return nodes.shell(nodes.b, "token revoke reader").starts_with("revoked"); }));
  CAF_REQUIRE(within(10s, [&] { return nodes.status(nodes.a, reader) == 401; }));
  CAF_CHECK_EQUAL(nodes.status(nodes.a, writer, "/data/news/2", "PUT", "x"), 201);
  CAF_CHECK(!has(stream.receive(100'000), "news/2"));
}

CAF_TEST(no_secret_is_in_anything_that_a_node_writes) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  const auto token = nodes.create(nodes.a, "planted --role admin");
  const auto secret = token.substr(token.find('_', 7) + 1);
  CAF_REQUIRE(within(10s, [&] { return nodes.status(nodes.b, token) == 404; }));
  std::string told;
  for (auto* at : {&nodes.a, &nodes.b}) {
    for (auto [method, target] : {std::pair{"GET", "/metrics"},
                                  {"GET", "/cluster"},
                                  {"GET", "/policy"},
                                  {"DELETE", "/policy/type/none"},
                                  {"GET", "/data/%zz"},
                                  {"PATCH", "/data/x"}}) {
      const auto answer = https(at->http_port(), method, target, {}, nodes.field(token));
      told += answer.head + answer.body;
    }
    // Broken in every way, with the secret within.
    for (const auto& bytes :
         {"GET /data/" + token + " HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + token + "\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\n" + nodes.field(token) + nodes.field(token) + "\r\n"}) {
      tls_client client{at->http_port(), {}};
      if (client.shake_hands() && client.send(bytes))
        told += client.receive(100'000);
    }
    told += nodes.shell(*at, "token list") + nodes.shell(*at, "token list --json") + nodes.shell(*at, "cluster --json");
    const auto process = "/proc/" + std::to_string(at->process()) + "/";
    told += text_of_file(process + "cmdline") + text_of_file(process + "environ");
  }
  nodes.shell(nodes.a, "snapshot save " + (nodes.folder / "saved.snap"));
  told += output_of("gzip -dc " + (nodes.folder / "saved.snap") + " 2>/dev/null");
  CAF_CHECK(has(nodes.shell(nodes.a, "token list"), "planted"));
  CAF_CHECK(!has(told, secret));
  CAF_CHECK(!has(told, "scrypt$")); // the hash is for the nodes alone
  CAF_CHECK(has(nodes.a.log(), "audit create-token"));
  nodes.shell(nodes.b, "token revoke planted");
  nodes.a.terminate(); // what is in memory is written
  nodes.b.terminate();
  look_for(secret, nodes.folder.path());
}

CAF_TEST(each_act_of_an_administrator_is_in_the_log_with_who_and_from_where) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  const auto boss = nodes.create(nodes.a, "boss --role admin"), reader = nodes.create(nodes.a, "reader --role read");
  auto ask = [&](const std::string& token, const std::string& method, const std::string& target,
                 const std::string& body = {}) {
    return https(nodes.a.http_port(), method, target, body, "Content-Type: application/json\r\n" + nodes.field(token))
        .status;
  };
  CAF_CHECK_EQUAL(ask(boss, "PUT", "/policy/type/news", R"({"factor": 2})"), 200);
  CAF_CHECK_EQUAL(ask(boss, "DELETE", "/policy/type/news"), 204);
  CAF_CHECK_EQUAL(ask(boss, "DELETE", "/cluster/node/nobody"), 404);
  ask(boss, "DELETE", "/prefetch/user/ann");
  ask(boss, "POST", "/prefetch/train", "{}");
  CAF_CHECK_EQUAL(ask(reader, "DELETE", "/policy/type/news"), 403);
  nodes.shell(nodes.a, "policy set type sports '{\"factor\": 2}'");
  nodes.shell(nodes.a, "token revoke reader");
  const auto log = nodes.a.log();
  for (const std::string& line :
       {std::string{R"(audit create-token who=socket from="this machine" what="boss with the role admin")"},
        std::string{R"(audit set-policy who="token boss" from=127.0.0.1 what="type news")"},
        std::string{R"(audit delete-policy who="token boss" from=127.0.0.1 what="type news")"},
        std::string{R"(audit remove-node who="token boss" from=127.0.0.1 what=nobody)"},
        std::string{R"(audit forget-user who="token boss" from=127.0.0.1 what=ann)"},
        std::string{R"(audit train who="token boss" from=127.0.0.1)"},
        std::string{
            R"(audit refused who="token reader" from=127.0.0.1 what="DELETE /policy/{scope}/{name}" needs=admin)"},
        std::string{R"(audit set-policy who=socket from="this machine" what="type sports")"},
        std::string{R"(audit revoke-token who=socket from="this machine" what=reader)"}})
    if (!has(log, line))
      CAF_ERROR("not in the log: " << line);
}

CAF_TEST(a_client_of_HTTP_is_no_node) {
  secured_pair nodes;
  CAF_REQUIRE(nodes.start());
  tls_client client{nodes.a.tunnel_port(), {.shows = nodes.authority.files_for_http({"a", bearer::client})}};
  CAF_CHECK(!client.shake_hands() || client.receive(1).empty());
}

CAF_TEST(a_node_beyond_loopback_starts_only_with_TLS_and_then_asks_for_tokens) {
  test_authority authority;
  temporary_directory folder;
  node_under_test bare{"a", "r1", folder.path()};
  bare.set("listen.http=0.0.0.0:0");
  bare.start();
  CAF_CHECK_EQUAL(bare.exit_status(20s), 1);
  for (const auto* word : {"http.certificate", "http.key", "gnomon token create", "http.insecure"})
    CAF_CHECK(has(bare.log(), word));
  const auto files = authority.files_for_http({"a", bearer::node, {"127.0.0.1"}});
  const auto port = free_port();
  node_under_test secure{"b", "r1", folder.path()};
  secure.set("listen.http=0.0.0.0:" + std::to_string(port));
  secure.set("http.certificate=" + files.certificate).set("http.key=" + files.key);
  if (!secure.start_and_wait())
    CAF_FAIL(secure.log());
  CAF_CHECK_EQUAL(https(port, "GET", "/data/x").status, 401);
  const auto token = secured_pair::create(secure, "t --role read");
  CAF_CHECK_EQUAL(https(port, "GET", "/data/x", {}, secured_pair::field(token)).status, 404);
}
