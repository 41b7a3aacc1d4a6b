// How fast bytes travel between two nodes, plain and in TLS: two tunnels in one process, each with a thread of its own,
// over loopback. Prints JSON. Called by tunnel.sh.
#include "runtime/net/tunnel.hpp"
#include "tests/net/sockets.hpp"
#include "tests/support/certificates.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <future>
#include <thread>

using namespace gnomon;
using namespace gnomon::test;

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin) {
  return std::chrono::duration<double>(steady::now() - begin).count();
}

struct host {
  host(const std::string& name, credentials_ptr credentials) : inner(folder / "inner.sock") {
    tunnel_config config;
    config.self = {"bench", name, "region-" + name, "", 1, 1, 0, 0};
    config.socket = folder / "inner.sock";
    config.security = {credentials, !credentials, {}};
    auto started = tunnel::start(config, [](node_identity, tunnel::answer_function answer) {
      answer({reception::welcome, "", {}});
    });
    if (!started)
      throw std::runtime_error(sentence_of(started.error()));
    way = std::move(*started);
  }
  temporary_directory folder;
  unix_listener inner;
  std::unique_ptr<tunnel> way;
};

/// Two hosts and the two ends of a connection through them.
class pair_of_hosts {
public:
  explicit pair_of_hosts(const test_authority* authority)
      : a_("a", authority ? authority->credentials_for("a") : nullptr),
        b_("b", authority ? authority->credentials_for("b") : nullptr), near_(dial()), far_(b_.inner.accept()) {}

  double megabytes_per_second(size_t piece_bytes, size_t total) {
    const auto begin = steady::now();
    std::thread writer{[&] {
      const std::string piece(piece_bytes, 'x');
      for (size_t sent = 0; sent < total;)
        sent += near_.send_some(piece.substr(0, std::min(piece.size(), total - sent)), std::chrono::seconds{5});
    }};
    std::string buffer(1u << 20, '\0');
    for (size_t received = 0; received < total;) {
      const auto n = ::recv(far_.fd(), buffer.data(), buffer.size(), 0);
      if (n <= 0)
        throw std::runtime_error("the connection ended");
      received += static_cast<size_t>(n);
    }
    writer.join();
    return static_cast<double>(total) / seconds_since(begin) / 1e6;
  }

  double round_trip_us(size_t count) {
    const std::string message(100, 'x');
    const auto begin = steady::now();
    for (size_t i = 0; i < count; ++i) {
      near_.send(message);
      far_.send(far_.receive(message.size()));
      near_.receive(message.size());
    }
    return seconds_since(begin) / static_cast<double>(count) * 1e6;
  }

private:
  test_socket dial() {
    std::promise<expected<dialed>> result;
    a_.way->dial(b_.way->address(), std::chrono::seconds{5},
                 [&](expected<dialed> outcome) { result.set_value(std::move(outcome)); });
    auto outcome = result.get_future().get();
    if (!outcome)
      throw std::runtime_error(sentence_of(outcome.error()));
    return test_socket{outcome->fd};
  }

  host a_, b_;
  test_socket near_, far_;
};

struct figures {
  double bulk = 0, small = 0, round_trip = 1e9;
};

/// The best of several rounds, which other work on the machine has disturbed least.
void measure(const test_authority* authority, figures& best) {
  pair_of_hosts both{authority};
  best.bulk = std::max(best.bulk, both.megabytes_per_second(64u << 10, 1u << 30));
  best.small = std::max(best.small, both.megabytes_per_second(1000, 128u << 20));
  best.round_trip = std::min(best.round_trip, both.round_trip_us(3000));
}

std::string text_of(const figures& f) {
  return fmt::format(R"({{"bulk_mb_per_second": {:.0f}, "small_mb_per_second": {:.0f}, "round_trip_us": {:.1f}}})",
                     f.bulk, f.small, f.round_trip);
}

} // namespace

int main() {
  constexpr int rounds = 5;
  const test_authority authority;
  figures plain, tls;
  for (int i = 0; i < rounds; ++i) {
    measure(nullptr, plain);
    measure(&authority, tls);
  }
  std::printf("{\"plain\": %s, \"tls\": %s, \"bulk_ratio\": %.2f, \"small_ratio\": %.2f}\n", text_of(plain).c_str(),
              text_of(tls).c_str(), tls.bulk / plain.bulk, tls.small / plain.small);
}
