#define CAF_SUITE start_and_stop
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <filesystem>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

using namespace gnomon::test;

namespace {

/// Starts a node that must not come up, and answers the one line it ends with.
std::string refusal(node_under_test& node) {
  node.start();
  CAF_CHECK_EQUAL(node.exit_status(30s), 1);
  std::string line, last;
  std::istringstream lines{node.log()};
  while (std::getline(lines, line))
    if (line.starts_with("gnomond: "))
      last = line;
  CAF_MESSAGE(last);
  return last;
}

} // namespace

CAF_TEST(a_node_serves_until_sigterm_and_ends_within_the_bound) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  CAF_REQUIRE(node.set("placement.factor=1").set("placement.min_copies=1").set("node.stop_within=2s").start_and_wait());
  CAF_CHECK_EQUAL(node.put("x/1", "hello").status, 201);
  auto read = node.get("/data/x/1");
  CAF_CHECK_EQUAL(read.status, 200);
  CAF_CHECK_EQUAL(read.body, "hello");
  connection idle{node.http_port()};
  CAF_CHECK(idle.open());
  auto began = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(node.terminate(), 0);
  CAF_CHECK(std::chrono::steady_clock::now() - began < 3s);
  CAF_CHECK(has(node.log(), "gnomond stopped"));
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(node.get("/data/x/1").body, "hello");
}

CAF_TEST(a_client_that_stops_half_way_does_not_keep_a_node_from_ending) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  CAF_REQUIRE(node.set("node.stop_within=2s").start_and_wait());
  connection slow{node.http_port()};
  CAF_CHECK(slow.send("PUT /data/x HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf"));
  std::this_thread::sleep_for(200ms);
  auto began = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(node.terminate(), 0);
  CAF_CHECK(std::chrono::steady_clock::now() - began < 4s);
}

CAF_TEST(a_store_that_another_process_holds_ends_the_start) {
  temporary_directory dir;
  node_under_test first{"a", "r1", dir.path()};
  CAF_REQUIRE(first.start_and_wait());
  node_under_test second{"b", "r2", dir.path()};
  second.set("node.data_dir=" + first.data_dir()).set("listen.socket=" + dir / "b.sock");
  auto line = refusal(second);
  CAF_CHECK(has(line, first.data_dir()));
  CAF_CHECK(has(line, "lock") || has(line, "holds") || has(line, "process"));
}

CAF_TEST(an_address_that_is_taken_ends_the_start) {
  temporary_directory dir;
  node_under_test first{"a", "r1", dir.path()};
  CAF_REQUIRE(first.start_and_wait());
  node_under_test same_tunnel{"b", "r2", dir.path()};
  auto tunnel = "127.0.0.1:" + std::to_string(first.tunnel_port());
  CAF_CHECK(has(refusal(same_tunnel.set("listen.tunnel=" + tunnel)), tunnel));
  node_under_test same_http{"c", "r3", dir.path()};
  auto http = "127.0.0.1:" + std::to_string(first.http_port());
  CAF_CHECK(has(refusal(same_http.set("listen.http=" + http)), http));
  node_under_test elsewhere{"d", "r4", dir.path()};
  CAF_CHECK(has(refusal(elsewhere.set("listen.http=192.0.2.1:80")), "192.0.2.1:80"));
}

CAF_TEST(a_data_directory_that_cannot_be_written_ends_the_start) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  auto line = refusal(node.set("node.data_dir=/proc/gnomon").set("listen.socket=" + dir / "a.sock"));
  CAF_CHECK(has(line, "/proc/gnomon"));
  CAF_CHECK(has(line, "cannot be created"));
}

CAF_TEST(a_store_that_is_read_only_ends_the_start) {
  temporary_directory dir;
  ::chmod(dir.path().c_str(), 0755);
  node_under_test node{"a", "r1", dir.path()};
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(node.terminate(), 0);
  auto store = node.data_dir() + "/store-0";
  for (const auto& entry : std::filesystem::directory_iterator{store})
    ::chmod(entry.path().c_str(), 0444);
  ::chmod(store.c_str(), 0555);
  auto line = refusal(node.unprivileged());
  CAF_CHECK(has(line, node.data_dir()));
  CAF_CHECK(has(line, "writ") || has(line, "ermission"));
  ::chmod(store.c_str(), 0755);
}

CAF_TEST(unknown_keys_and_bad_values_end_the_start) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  CAF_CHECK(has(refusal(node.set("node.color=red")), "unknown key node.color"));
  node_under_test other{"b", "r1", dir.path()};
  CAF_CHECK(has(refusal(other.set("placement.factor=1000")), "must be a number from 1 to 64"));
}

CAF_TEST(the_number_of_stores_is_fixed_once_there_is_data) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  CAF_REQUIRE(node.set("store.stores=2").start_and_wait());
  CAF_CHECK_EQUAL(node.terminate(), 0);
  CAF_CHECK(has(refusal(node.set("store.stores=3")), "holds 2"));
}

CAF_TEST(sighup_opens_the_log_file_again) {
  temporary_directory dir;
  node_under_test node{"a", "r1", dir.path()};
  auto file = dir / "gnomond.log";
  node.set("log.file=" + file).start();
  CAF_REQUIRE(within(30s, [&] { return std::filesystem::exists(file) && std::filesystem::file_size(file) > 0; }));
  CAF_REQUIRE(within(30s, [&] {
    std::ifstream in{file};
    std::ostringstream all;
    all << in.rdbuf();
    return has(all.str(), "gnomond listening");
  }));
  std::filesystem::rename(file, file + ".1");
  node.signal(SIGHUP);
  CAF_CHECK(within(10s, [&] { return std::filesystem::exists(file) && std::filesystem::file_size(file) > 0; }));
  CAF_CHECK_EQUAL(node.terminate(), 0);
}

namespace {

/// The datagrams that a service manager gets (sd_notify(3)).
class notify_socket {
public:
  explicit notify_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bound_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~notify_socket() {
    ::close(fd_);
  }
  notify_socket(const notify_socket&) = delete;
  notify_socket& operator=(const notify_socket&) = delete;

  bool bound() const {
    return bound_;
  }
  /// True once a datagram with `line` has come. What came before it is gone then.
  bool hears(const std::string& line) {
    return within(30s, [&] {
      char buffer[1024];
      auto size = ::recv(fd_, buffer, sizeof(buffer), 0);
      return size > 0 && has("\n" + std::string(buffer, static_cast<size_t>(size)) + "\n", "\n" + line + "\n");
    });
  }

private:
  int fd_ = -1;
  bool bound_ = false;
};

} // namespace

CAF_TEST(the_service_manager_hears_how_the_node_stands) {
  temporary_directory dir;
  notify_socket manager{dir / "notify"};
  CAF_REQUIRE(manager.bound());
  node_under_test node{"a", "r1", dir.path()};
  node.environment("NOTIFY_SOCKET", dir / "notify").start();
  CAF_REQUIRE(manager.hears("READY=1"));
  CAF_CHECK(node.listening());
  node.signal(SIGHUP);
  CAF_CHECK(manager.hears("RELOADING=1"));
  CAF_CHECK(manager.hears("READY=1"));
  node.signal(SIGTERM);
  CAF_CHECK(manager.hears("STOPPING=1"));
  CAF_CHECK_EQUAL(node.exit_status(15s), 0);
}
