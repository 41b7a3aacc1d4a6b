// What another node's CAF says behind the greeting of the tunnels, before this node's CAF reads it.
#include "runtime/net/basp_guard.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/net/basp_messages.hpp"

#include <algorithm>

namespace gnomon::fuzz {
namespace {

using namespace test;
using verdict = basp_guard::verdict;

constexpr uint64_t our_gate = 3, our_link = 40, request = (1ull << 60) | 7, async = 1ull << 60,
                   response = 1ull << 63 | 1;

std::string hello() {
  return basp::message({.data = request, .source = 5, .target = our_gate}, basp::hello({}));
}

std::string to_link(const std::string& payload) {
  return basp::message({.data = async, .source = 5, .target = our_link}, payload);
}

struct fixture {
  std::shared_ptr<basp_peers> peers = std::make_shared<basp_peers>(basp::node('o'));
  basp_guard guard;

  explicit fixture(basp_role role) : guard(peers, "peer", role) {
    guard.note(basp::server_greeting(basp::node('o'), our_gate));
    guard.note(basp::message({.data = response, .source = our_gate, .target = 5}, basp::welcome(7, basp::node('o'))));
    guard.note(basp::message({.data = async, .source = our_link, .target = 5}, basp::credit(9, 1, 1)));
    const auto began = guard.judge(basp::client_greeting(basp::node('p')), {});
    require(began.what == verdict::pass, "a connection may begin");
  }
  /// How much passes of what arrives in pieces.
  size_t passed(std::string_view all, size_t piece) {
    size_t through = 0;
    std::string waiting;
    while (!all.empty()) {
      waiting += all.substr(0, piece);
      all.remove_prefix(std::min(piece, all.size()));
      for (auto ruling = guard.judge(waiting, {}); ruling.what != verdict::wait; ruling = guard.judge(waiting, {})) {
        if (ruling.what == verdict::cut || ruling.what == verdict::hold)
          return through;
        require(ruling.bytes > 0 && ruling.bytes <= waiting.size(), "no more passes than there is");
        through += ruling.what == verdict::pass ? ruling.bytes : 0;
        waiting.erase(0, ruling.bytes);
      }
      require(waiting.size() < max_basp_bytes, "a guard does not wait for ever");
    }
    return through;
  }
};

void read(std::string_view input) {
  for (auto role : {basp_role::calling_node, basp_role::shell}) {
    const auto at_once = fixture{role}.passed(input, SIZE_MAX), by_bytes = fixture{role}.passed(input, 1);
    require(at_once == by_bytes, "the same passes however it arrives");
  }
  fixture to_node{basp_role::calling_node}, to_shell{basp_role::shell};
  for (auto c : input)
    for (auto* sending : {&to_node, &to_shell})
      sending->guard.note({&c, 1});
  basp_guard called{to_node.peers, "other", basp_role::called_node};
  called.judge(input, {});
}

std::vector<std::string> examples() {
  const auto error = basp::number<uint8_t>(1) + basp::number<uint64_t>(2) + basp::number<uint16_t>(0);
  const auto nodes = basp::node('p') + basp::node('o');
  return {hello() + to_link(basp::frame(9, "bytes")) + to_link(basp::credit(9, 1, 1)),
          to_link(basp::content("@<>+gnomon::session_over", basp::number<uint64_t>(8))),
          basp::message({.what = basp::monitor, .target = our_link}, nodes),
          basp::message({.what = basp::down, .source = 5}, nodes + error + basp::text("@<>+@str") + basp::text("why")),
          basp::message({.data = 1ull << 63 | 7, .source = 5, .target = our_link},
                        basp::content("@<>+@error", error + basp::text("@<>"))),
          basp::message({.what = basp::heartbeat}, {}) + basp::client_greeting(basp::node('p')),
          basp::server_greeting(basp::node('p'), 3),
          basp::message({.data = request, .source = 5, .target = 7},
                        basp::content("@<>+gnomon::read_item", std::string(40, '\0')))
              + basp::message({.what = basp::monitor, .target = 7}, nodes)};
}

const listed this_target{"guard", read, examples};

} // namespace
} // namespace gnomon::fuzz
