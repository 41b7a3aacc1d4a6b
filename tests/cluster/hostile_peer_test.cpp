#define CAF_SUITE hostile_peer
#include "tests/cluster/node_under_test.hpp"
#include "tests/net/basp_messages.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_client.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace gnomon;
using namespace gnomon::test;

namespace {

template <class T>
std::string little(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i)
    bytes += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  return bytes;
}

std::string short_text(const std::string& s) {
  return little(static_cast<uint16_t>(s.size())) + s;
}

/// A caller's greeting at the tunnel, as `runtime/net/preamble.hpp` has it.
std::string greeting_of(const std::string& name) {
  const auto body = short_text("test") + short_text(name) + short_text("region-" + name) + short_text("127.0.0.1:1")
                    + little<uint64_t>(7) + little<uint64_t>(8) + std::string(16, '\0') + little<uint64_t>(9)
                    + little<uint32_t>(0);
  return "GNOMON\x02" + little(static_cast<uint16_t>(body.size())) + body;
}

/// What holds a certificate of the cluster, and is no node and no shell.
class impostor {
public:
  impostor(const node_under_test& node, const credential_files& shows, const std::string& name)
      : line_(node.tunnel_port(), {.shows = shows}) {
    if (!line_.shake_hands() || !line_.send(greeting_of(name)))
      return;
    const auto head = line_.receive(9);
    if (head.size() < 9)
      return;
    const auto answer = line_.receive(static_cast<uint8_t>(head[7]) | static_cast<uint8_t>(head[8]) << 8);
    welcome_ = !answer.empty() && answer.front() == 0;
    if (welcome_)
      read_handshake();
  }
  bool welcome() const {
    return welcome_ && gate_ != 0;
  }
  /// The actor that nodes greet.
  uint64_t gate() const {
    return gate_;
  }
  /// The node's id, as CAF writes it.
  const std::string& node() const {
    return node_;
  }
  bool send(const std::string& bytes) {
    return line_.send(bytes);
  }
  /// Within five seconds.
  bool cut_off() {
    for (auto part = line_.receive(1); !part.empty(); part = line_.receive(1))
      continue;
    char c = 0;
    const auto n = ::recv(line_.fd(), &c, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }

private:
  static uint64_t number(const std::string& bytes) {
    uint64_t value = 0;
    for (auto c : bytes)
      value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  void read_handshake() {
    const auto head = line_.receive(32);
    if (head.size() < 32)
      return;
    const auto payload = line_.receive(number(head.substr(4, 4)));
    node_ = payload.substr(0, 32);
    const auto name = static_cast<uint8_t>(payload.at(33)); // after the number of names: one
    gate_ = number(payload.substr(34 + name, 8));
  }

  tls_client line_;
  bool welcome_ = false;
  uint64_t gate_ = 0;
  std::string node_;
};

struct fixture {
  fixture() {
    ::signal(SIGPIPE, SIG_IGN); // the node closes while an impostor still writes
    const auto files = authority.files_for("z");
    std::ofstream{folder / "z.toml"} << "[cluster]\ncertificate = \"" << files.certificate << "\"\nkey = \""
                                     << files.key << "\"\nauthorities = \"" << files.authorities << "\"\n";
    node.config_file(folder / "z.toml").set("placement.conflicts=lww"); // it is written without being read before
    CAF_REQUIRE(node.start_and_wait());
  }
  size_t cuts() const {
    size_t n = 0;
    const auto log = node.log();
    for (size_t at = 0; (at = log.find("peer-cut-off", at)) != std::string::npos; ++at)
      ++n;
    return n;
  }
  bool serves() {
    return !node.ended() && node.put("a", "value").status / 100 == 2 && node.get("/data/a").body == "value";
  }
  /// Each case by a node or a shell of its own: one that was cut off is refused for a while.
  template <class Attack>
  void expect_cut(const std::string& what, Attack attack, bearer of = bearer::node) {
    const auto before = cuts();
    const auto name = "x" + std::to_string(++count_);
    impostor peer{node, of == bearer::shell ? authority.files_for_shell(name) : authority.files_for(name), name};
    if (!peer.welcome())
      CAF_FAIL(what << ": not welcome\n" << node.log());
    attack(peer);
    const auto ended = peer.cut_off(), noted = within(5s, [&] { return cuts() == before + 1; });
    if (!ended || !noted || !serves())
      CAF_ERROR(what << " went on: ended " << ended << ", noted " << noted << "\n" << node.log());
  }
  static std::string hello_of(const impostor& peer, const std::string& name) {
    return basp::message({.data = (1ull << 60) | 1, .source = 5, .target = peer.gate()}, basp::hello({.name = name}));
  }

  temporary_directory folder;
  test_authority authority;
  node_under_test node{"z", "r", folder.path()}; // the greater name is the one that is dialed
  int count_ = 0;
};

const auto handshake = basp::client_greeting(basp::node('p'));

std::string random_bytes(uint64_t seed, size_t count) {
  std::mt19937_64 random{seed};
  std::string bytes(count, '\0');
  for (auto& c : bytes)
    c = static_cast<char>(random());
  return bytes;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(hostile_peer_tests, fixture)

CAF_TEST(a_node_with_a_certificate_that_sends_nonsense_is_cut_off_and_the_others_go_on) {
  expect_cut("a handshake without content",
             [](auto& peer) { peer.send(basp::message({.what = basp::client_handshake}, {})); });
  expect_cut("a handshake with this node's own id", [](auto& peer) { peer.send(basp::client_greeting(peer.node())); });
  expect_cut("four gigabytes", [](auto& peer) {
    peer.send(handshake + basp::message({.source = 5, .target = peer.gate()}, {}, UINT32_MAX));
  });
  expect_cut("random bytes", [](auto& peer) { peer.send(random_bytes(1, 5000)); });
  expect_cut("random bytes after a handshake", [](auto& peer) { peer.send(handshake + random_bytes(2, 5000)); });
  expect_cut("an order to end for every actor", [](auto& peer) {
    peer.send(handshake);
    for (uint64_t id = 1; id < 300; ++id)
      peer.send(basp::message({.data = 1ull << 60, .source = 5, .target = id},
                              basp::content("@<>+@exit", basp::number(id) + basp::node('p') + std::string(12, '\1'))));
  });
  expect_cut("a link between actors", [](auto& peer) {
    const auto link = basp::number(static_cast<uint64_t>(caf::atom("link"))) + basp::number(peer.gate()) + peer.node();
    peer.send(
        handshake
        + basp::message({.source = 5, .target = peer.gate()}, basp::content("@<>+@atom+@strong_actor_ptr", link)));
  });
  expect_cut("a routed message", [](auto& peer) {
    peer.send(
        handshake
        + basp::message({.what = basp::routed, .source = 5, .target = peer.gate()}, basp::node('p') + peer.node()));
  });
  expect_cut("another node's greeting", [](auto& peer) { peer.send(handshake + hello_of(peer, "somebody-else")); });
  expect_cut("frames without a session", [](auto& peer) {
    peer.send(handshake);
    for (uint64_t id = 1; id < 300; ++id)
      peer.send(basp::message({.data = 1ull << 60, .source = 5, .target = id}, basp::frame(1, "x")));
  });
  expect_cut("a flood of heartbeats", [](auto& peer) {
    peer.send(handshake);
    for (auto i = 0; i < 1000; ++i)
      if (!peer.send(basp::message({.what = basp::heartbeat}, {})))
        break;
  });
  CAF_CHECK_EQUAL(node.terminate(), 0);
}

CAF_TEST(a_shell_that_sends_what_no_shell_sends_is_cut_off_and_the_node_goes_on) {
  auto shell_is_cut = [&](const std::string& what, auto attack) { expect_cut(what, attack, bearer::shell); };
  auto request = [](const impostor& peer, const std::string& types, const std::string& bytes, int64_t announced = -1) {
    return basp::message({.data = 7, .source = 5, .target = peer.gate()}, basp::content(types, bytes), announced);
  };
  shell_is_cut("a handshake without content",
               [](auto& peer) { peer.send(basp::message({.what = basp::client_handshake}, {})); });
  shell_is_cut("random bytes after a handshake", [](auto& peer) { peer.send(handshake + random_bytes(4, 5000)); });
  shell_is_cut("four gigabytes", [&](auto& peer) {
    peer.send(handshake + request(peer, "@<>+gnomon::write_item", std::string(400, 'x'), UINT32_MAX));
  });
  shell_is_cut("a node's greeting", [](auto& peer) { peer.send(handshake + hello_of(peer, "a")); });
  shell_is_cut("a request to the gate", [&](auto& peer) {
    peer.send(handshake + request(peer, "@<>+gnomon::read_item", std::string(40, '\0')));
  });
  shell_is_cut("requests to any actor", [](auto& peer) {
    peer.send(handshake);
    for (uint64_t id = 1; id < 300; ++id)
      peer.send(basp::message({.data = 7, .source = 5, .target = id}, basp::content("@<>+gnomon::get_cluster", {})));
  });
  shell_is_cut("an order to end for every actor", [](auto& peer) {
    peer.send(handshake);
    for (uint64_t id = 1; id < 300; ++id)
      peer.send(basp::message({.data = 1ull << 60, .source = 5, .target = id},
                              basp::content("@<>+@exit", basp::number(id) + basp::node('p') + std::string(12, '\1'))));
  });
  CAF_CHECK_EQUAL(node.terminate(), 0);
}

CAF_TEST(one_that_was_cut_off_is_refused_for_a_while) {
  {
    impostor peer{node, authority.files_for("x"), "x"};
    CAF_REQUIRE(peer.welcome());
    peer.send(random_bytes(3, 100));
    CAF_CHECK(peer.cut_off());
  }
  CAF_CHECK(within(5s, [&] { return cuts() == 1; }));
  impostor again{node, authority.files_for("x"), "x"}, other{node, authority.files_for("y"), "y"};
  CAF_CHECK(!again.welcome());
  CAF_CHECK(other.welcome());
}

CAF_TEST_FIXTURE_SCOPE_END()
