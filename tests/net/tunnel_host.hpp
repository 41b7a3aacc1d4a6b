#pragma once

#include "runtime/net/tunnel.hpp"
#include "tests/net/eventually.hpp"
#include "tests/net/sockets.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <future>

/// A tunnel by itself, for tests.
namespace gnomon::test {

inline node_identity named(const std::string& name) {
  return {"c", name, "region-" + name, "", 1, 1, 0, 0};
}

inline void welcome_all(node_identity, tunnel::answer_function answer) {
  answer({reception::welcome, "", {}});
}

/// A tunnel in front of a socket on which the test itself listens.
struct host {
  explicit host(const std::string& name, tunnel_config config = {}, tunnel::greeter decide = welcome_all)
      : inner(folder / "inner.sock") {
    config.self = named(name);
    config.socket = folder / "inner.sock";
    auto started = tunnel::start(config, decide);
    CAF_REQUIRE(started);
    way = std::move(*started);
  }

  expected<dialed> call(const std::string& address, duration timeout = 2s) {
    std::promise<expected<dialed>> result;
    way->dial(address, timeout, [&](expected<dialed> outcome) { result.set_value(std::move(outcome)); });
    auto future = result.get_future();
    CAF_REQUIRE(future.wait_for(timeout + 2s) == std::future_status::ready);
    return future.get();
  }

  temporary_directory folder;
  unix_listener inner;
  std::unique_ptr<tunnel> way;
};

} // namespace gnomon::test
