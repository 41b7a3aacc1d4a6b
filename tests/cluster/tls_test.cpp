#define CAF_SUITE tls
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_client.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <filesystem>
#include <mutex>

using namespace gnomon;
using namespace gnomon::test;

namespace {

namespace fs = std::filesystem;

/// A number at /metrics; -1 when it is not there.
double metric(node_under_test& node, const std::string& name) {
  const auto text = node.get("/metrics").body;
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
}

/// A node whose [cluster] can be changed while it runs.
class secured_node {
public:
  secured_node(const std::string& name, const std::string& region, const temporary_directory& folder)
      : node(name, region, folder.path()), stem_(folder / name) {
    node.config_file(stem_ + ".toml").set("membership.heartbeat=100ms").set("membership.suspect_after=500ms");
    node.set("membership.down_after=2s").set("membership.fresh_for=2s");
  }
  /// Puts the files in the places that the config names, as an operator would: whole, and at once.
  void take(const credential_files& files) {
    put_file(files.key, stem_ + ".key");
    put_file(files.certificate, stem_ + ".pem");
    trust(files.authorities);
  }
  void trust(const std::string& authorities) {
    put_file(authorities, stem_ + "-ca.pem");
  }
  void configure(bool tls, bool insecure) {
    std::ofstream out{stem_ + ".toml"};
    out << "[cluster]\ninsecure = " << (insecure ? "true" : "false") << "\n";
    if (tls)
      out << "certificate = \"" << stem_ << ".pem\"\nkey = \"" << stem_ << ".key\"\nauthorities = \"" << stem_
          << "-ca.pem\"\n";
  }
  /// Has it read the config again; true once it says so.
  bool reload() {
    const auto lines = [&] {
      size_t n = 0;
      const auto log = node.log();
      for (size_t at = 0; (at = log.find("gnomond reload", at)) != std::string::npos; ++at)
        ++n;
      return n;
    };
    const auto before = lines();
    node.signal(SIGHUP);
    return within(5s, [&] { return lines() > before; });
  }
  size_t live() {
    const auto text = node.get("/cluster").body;
    size_t n = 0;
    for (size_t at = 0; (at = text.find("\"state\"", at)) != std::string::npos; ++at)
      n += has(text.substr(at + 7, 12), "\"live\"");
    return n;
  }

  node_under_test node;

private:
  static void put_file(const std::string& from, const std::string& to) {
    fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
    fs::rename(to + ".new", to);
  }
  std::string stem_;
};

struct secured_cluster {
  secured_cluster() {
    for (auto* each : {&b, &c})
      each->node.seed(a.node);
  }
  std::vector<secured_node*> all() {
    return {&a, &b, &c};
  }
  bool whole() {
    return within(20s, [&] { return a.live() == 3 && b.live() == 3 && c.live() == 3; });
  }
  /// One step of the change, on one node after the other.
  template <class F>
  void at_each(F step) {
    for (auto* each : all()) {
      step(*each);
      CAF_CHECK(each->reload());
      CAF_CHECK(whole());
      std::this_thread::sleep_for(200ms); // under load
    }
  }

  temporary_directory folder;
  secured_node a{"a", "r1", folder}, b{"b", "r2", folder}, c{"c", "r3", folder};
};

/// Reads and writes at all nodes until it is stopped, and keeps every answer that is no success.
class load {
public:
  explicit load(secured_cluster& on) {
    for (auto* each : on.all())
      ports_.push_back(each->node.http_port());
    for (int i = 0; i < 3; ++i)
      threads_.emplace_back([this, i] { work(i); });
  }
  ~load() {
    stop();
  }
  void stop() {
    over_ = true;
    for (auto& thread : threads_)
      if (thread.joinable())
        thread.join();
  }
  std::atomic<size_t> requests{0};
  std::vector<std::string> failures;

private:
  void work(int number) {
    std::string context; // of the last write: without it, another node may not have heard of the item
    for (int i = 0; !over_; ++i) {
      const auto id = "/data/load/" + std::to_string(number) + "/" + std::to_string(i / 6);
      const auto port = ports_[static_cast<size_t>(i) % ports_.size()];
      // Each item is written at one node, then read at all of them.
      const auto answer =
          i % 6 == 0 ? http(port, "PUT", id, "value " + std::to_string(i)) : http(port, "GET", id, {}, context);
      if (i % 6 == 0)
        context = line("Gnomon-Context", field(answer, "Gnomon-Context"));
      ++requests;
      if (answer.status / 100 != 2) {
        std::lock_guard guard{mutex_};
        failures.push_back((i % 6 == 0 ? "PUT " : "GET ") + std::to_string(answer.status) + " " + answer.body);
      }
    }
  }
  std::vector<uint16_t> ports_;
  std::vector<std::thread> threads_;
  std::atomic<bool> over_{false};
  std::mutex mutex_;
};

} // namespace

CAF_TEST(a_cluster_goes_to_tls_and_to_another_authority_without_an_outage) {
  const test_authority first{"first"}, second{"second"};
  secured_cluster cluster;
  for (auto* each : cluster.all()) {
    each->configure(false, true);
    CAF_REQUIRE(each->node.start_and_wait());
  }
  CAF_REQUIRE(cluster.whole());
  load clients{cluster};
  auto name_of = [&](const secured_node& n) { return &n == &cluster.a ? "a" : &n == &cluster.b ? "b" : "c"; };
  cluster.at_each([&](secured_node& n) { // certificates, and plain TCP still
    n.take(first.files_for(name_of(n)));
    n.configure(true, true);
  });
  cluster.at_each([&](secured_node& n) { n.configure(true, false); }); // TLS alone
  for (auto* each : cluster.all()) {
    CAF_CHECK(within(5s, [&] { return metric(each->node, "gnomon_tunnel_tls_connections") == 2; }));
    CAF_CHECK_EQUAL(metric(each->node, "gnomon_tunnel_plain_connections"), 0);
  }
  const auto both = first.beside(second);
  cluster.at_each([&](secured_node& n) { n.trust(both); });
  cluster.at_each([&](secured_node& n) {
    auto files = second.files_for(name_of(n));
    files.authorities = both;
    n.take(files);
  });
  cluster.at_each([&](secured_node& n) { n.trust(second.certificate()); });
  clients.stop();
  for (auto* each : cluster.all()) {
    CAF_CHECK(!has(each->node.log(), "link down"));
  }
  CAF_MESSAGE(clients.requests << " requests, " << clients.failures.size() << " failed");
  for (const auto& failure : clients.failures)
    CAF_MESSAGE("failed: " << failure);
  CAF_CHECK(clients.failures.empty());
  CAF_CHECK(clients.requests > 100);
  // The old authority opens nothing any more.
  tls_client stranger{cluster.a.node.tunnel_port(), {.shows = first.files_for("b")}};
  CAF_CHECK(!stranger.shake_hands() || stranger.receive(1).empty());
  CAF_CHECK(within(5s, [&] { return metric(cluster.a.node, "gnomon_tunnel_failed_handshakes_total") >= 1; }));
}

CAF_TEST(a_reload_with_a_broken_certificate_changes_nothing_and_says_why) {
  const test_authority authority;
  secured_cluster cluster;
  auto& a = cluster.a;
  a.take(authority.files_for("a"));
  a.configure(true, false);
  CAF_REQUIRE(a.node.start_and_wait());
  const auto ends = metric(a.node, "gnomon_certificate_ends_seconds");
  CAF_CHECK(ends > 0);
  a.take(authority.files_for("b"));
  CAF_CHECK(a.reload());
  CAF_CHECK(has(a.node.log(), "reload-refused"));
  CAF_CHECK(has(a.node.log(), "is no certificate for node a"));
  CAF_CHECK_EQUAL(metric(a.node, "gnomon_certificate_ends_seconds"), ends);
  a.take(authority.files_for("a", validity::for_days(5)));
  CAF_CHECK(a.reload());
  CAF_CHECK(within(5s, [&] { return metric(a.node, "gnomon_certificate_ends_seconds") < ends; }));
  auto old = validity::for_days(5);
  old.begins -= std::chrono::hours{24 * 30};
  a.take(authority.files_for("a", old)); // less than a third of its time is left
  CAF_CHECK(a.reload());
  CAF_CHECK(within(5s, [&] { return has(a.node.log(), "certificate-ends which=certificate"); }));
}

CAF_TEST(a_node_does_not_start_with_certificates_that_others_would_refuse) {
  const test_authority authority;
  secured_cluster cluster;
  auto& a = cluster.a;
  a.configure(true, false);
  auto refusal = [&] {
    a.node.start();
    CAF_CHECK_EQUAL(a.node.exit_status(20s), 1);
    return a.node.log();
  };
  CAF_CHECK(has(refusal(), "a-ca.pem")); // there is nothing yet
  a.take(authority.files_for("a", past()));
  CAF_CHECK(has(refusal(), "has ended on"));
  a.take(authority.files_for("a"));
  fs::permissions(cluster.folder / "a.key", fs::perms::group_read, fs::perm_options::add);
  CAF_CHECK(has(refusal(), "chmod 600"));
}

CAF_TEST(nothing_in_the_data_directory_is_for_others) {
  secured_cluster cluster;
  auto& a = cluster.a;
  a.configure(false, true);
  fs::create_directories(a.node.data_dir() + "/left"); // as an earlier version would have left it
  std::ofstream{a.node.data_dir() + "/left/file"} << "x";
  fs::permissions(a.node.data_dir() + "/left/file", static_cast<fs::perms>(0664));
  fs::permissions(a.node.data_dir(), static_cast<fs::perms>(0775));
  CAF_REQUIRE(a.node.start_and_wait());
  CAF_CHECK_EQUAL(a.node.put("x", "y").status / 100, 2);
  const auto others = fs::perms::group_all | fs::perms::others_all;
  auto looked_at = 0;
  auto check = [&](const fs::path& place) {
    ++looked_at;
    if ((fs::status(place).permissions() & others) != fs::perms::none)
      CAF_ERROR("others may use " << place.string());
  };
  check(a.node.data_dir());
  for (const auto& each : fs::recursive_directory_iterator{a.node.data_dir()})
    check(each.path());
  CAF_CHECK(looked_at > 5);
}
