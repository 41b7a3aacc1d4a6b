#define CAF_SUITE start_check
#include "runtime/node/start_check.hpp"

#include "tests/replay/temporary_folder.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace gnomon;
namespace fs = std::filesystem;

namespace {

struct fixture : temporary_folder {
  fixture() {
    config.insecure = true;
    config.name = "a";
    config.region = "r";
    config.has_place = true;
    config.data_dir = path() / "data";
    config.tunnel.port = config.http.port = 0;
  }
  std::string verdict() {
    auto err = check_start(config);
    return err ? sentence_of(err) : "sound";
  }
  bool refuses(const std::string& part) {
    auto said = verdict();
    if (said.find(part) == std::string::npos)
      CAF_MESSAGE("no \"" << part << "\" in \"" << said << "\"");
    return said.find(part) != std::string::npos;
  }
  node_config config;
};

/// Root may write what is forbidden to others.
bool is_root() {
  return ::geteuid() == 0;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(start_check_tests, fixture)

CAF_TEST(a_check_leaves_nothing_behind) {
  config.data_dir = path() / "a" / "b" / "c";
  config.log_file = path() / "logs" / "gnomond.log";
  CAF_CHECK_EQUAL(verdict(), "sound");
  CAF_CHECK(fs::is_empty(path()));
  fs::create_directories(config.data_dir);
  CAF_CHECK_EQUAL(verdict(), "sound");
  CAF_CHECK(fs::is_empty(config.data_dir));
}

CAF_TEST(nodes_that_start_at_once_do_not_take_a_folder_from_each_other) {
  std::atomic<int> refused{0};
  std::vector<std::thread> nodes;
  for (int i = 0; i < 5; ++i)
    nodes.emplace_back([&, mine = config, name = std::to_string(i)]() mutable {
      mine.data_dir = path() / "run" / name;
      for (int round = 0; round < 200; ++round)
        refused += check_start(mine) ? 1 : 0;
    });
  for (auto& each : nodes)
    each.join();
  CAF_CHECK_EQUAL(refused.load(), 0);
}

CAF_TEST(a_data_directory_that_cannot_be_one_is_refused) {
  for (auto impossible :
       {write("file", "").string(), write("other", "").string() + "/data", std::string{"/proc/gnomon"}}) {
    config.data_dir = impossible;
    config.socket = path() / "a.sock";
    CAF_CHECK(refuses("node.data_dir = \"" + impossible + "\" cannot be"));
  }
}

CAF_TEST(what_this_user_may_not_write_is_refused) {
  if (is_root())
    return; // tests/shell/starts.sh tries it as another user
  fs::create_directories(config.data_dir + "/store-0");
  ::chmod((config.data_dir + "/store-0").c_str(), 0555);
  CAF_CHECK(refuses("store-0"));
  ::chmod((config.data_dir + "/store-0").c_str(), 0755);
  ::chmod(config.data_dir.c_str(), 0555);
  CAF_CHECK(refuses("node.data_dir"));
  ::chmod(config.data_dir.c_str(), 0755);
}

CAF_TEST(a_store_that_is_no_directory_or_of_another_number_is_refused) {
  fs::create_directories(config.data_dir + "/store-0");
  fs::create_directories(config.data_dir + "/store-1");
  CAF_CHECK(refuses("store.stores = 1 but"));
  config.actors.stores = 2;
  CAF_CHECK_EQUAL(verdict(), "sound");
  fs::remove(config.data_dir + "/store-1");
  write("data/store-1", "");
  CAF_CHECK(refuses("store-1"));
}

CAF_TEST(what_is_there_but_is_no_file_is_refused) {
  fs::create_directories(config.data_dir);
  fs::create_symlink(path() / "nowhere", config.data_dir + "/store-0");
  CAF_CHECK(refuses("store-0"));
  fs::remove(config.data_dir + "/store-0");
  fs::create_directories(config.data_dir + "/store-0/lost+found");
  CAF_CHECK_EQUAL(verdict(), "sound");
  for (auto folder :
       {"/store-0/LOCK", "/store-0/CURRENT", "/store-0/MANIFEST-000004", "/store-0/000005.ldb", "/identity"}) {
    fs::create_directories(config.data_dir + folder);
    CAF_CHECK(refuses("Is a directory"));
    fs::remove(config.data_dir + folder);
  }
}

CAF_TEST(a_socket_or_log_that_cannot_be_made_is_refused) {
  config.socket = path() / "nowhere" / "a.sock";
  CAF_CHECK(refuses("listen.socket"));
  config.socket = write("a.sock", "text");
  CAF_CHECK(refuses("is no socket"));
  config.socket.clear();
  config.log_file = path();
  CAF_CHECK(refuses("log.file"));
}

CAF_TEST(an_address_of_another_machine_is_refused_and_a_port_in_use_is_not) {
  config.http.host = "192.0.2.1";
  CAF_CHECK(refuses("or set http.insecure = true"));
  config.http_insecure = true;
  CAF_CHECK(refuses("listen.http = \"192.0.2.1:0\" cannot be listened on"));
  config.http.host = "127.0.0.1";
  config.insecure_networks = {"10.0.0.0/8"};
  config.tunnel.host = "10.255.255.254";
  CAF_CHECK(refuses("listen.tunnel = \"10.255.255.254:0\" cannot be listened on"));
}

CAF_TEST(one_address_for_two_listeners_is_refused) {
  config.tunnel.port = 7101;
  config.dns_zones = {"g.example"};
  config.http = {"0.0.0.0", 7101};
  config.http_insecure = true;
  CAF_CHECK(refuses("listen.tunnel = \"127.0.0.1:7101\" and listen.http = \"0.0.0.0:7101\" cannot be at one address"));
  config.http.port = 0;
  for (auto host : {"127.0.0.1", "localhost", "0.0.0.0"}) {
    config.dns = {host, 7101};
    CAF_CHECK(
        refuses("listen.tunnel = \"127.0.0.1:7101\" and listen.dns = \"" + to_string(config.dns) + "\" cannot be"));
  }
  config.dns = {"localhost", 0};
  CAF_CHECK_EQUAL(verdict(), "sound");
  for (auto host : {"node.example.com", "fe80::1%lo"}) {
    config.dns.host = host;
    CAF_CHECK(refuses("listen.dns = \"" + to_string(config.dns) + "\" must be an IP address and a port"));
  }
}

CAF_TEST(connections_leave_files_for_the_stores) {
  auto with_files = [](rlim_t count) {
    rlimit low{count, count};
    return ::setrlimit(RLIMIT_NOFILE, &low) == 0;
  };
  auto child = ::fork(); // the limit cannot be raised again
  CAF_REQUIRE(child >= 0);
  if (child == 0) {
    auto enough = with_files(300) && verdict() == "sound" && possible_connections(config) > 0
                  && possible_connections(config) < 300;
    ::_exit(enough && with_files(64) && verdict().find("may have 64 files open") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  CAF_REQUIRE_EQUAL(::waitpid(child, &status, 0), child);
  CAF_CHECK_EQUAL(status, 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
