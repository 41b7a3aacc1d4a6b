#pragma once

#include "runtime/net/basp_guard.hpp"
#include "tests/net/basp_messages.hpp"

#include <caf/test/dsl.hpp>

/// Include it behind the definition of CAF_SUITE.
namespace gnomon::test {

/// A guard, and what it says of messages.
struct guard_fixture {
  using verdict = basp_guard::verdict;

  std::shared_ptr<basp_peers> peers = std::make_shared<basp_peers>(basp::node('o'));
  std::string introduced; // as, by a shell
  basp_guard guard;
  basp_guard::time_point now{std::chrono::hours{1}};

  guard_fixture(const std::string& peer, basp_role role)
      : guard{peers, peer, role, [this](const std::string& id) { introduced = id; }} {}

  verdict of(const std::string& bytes) {
    const auto ruling = guard.judge(bytes, now);
    CAF_CHECK_EQUAL(ruling.what == verdict::cut, !ruling.reason.empty());
    return ruling.what;
  }
  bool passes(const std::string& bytes) {
    const auto ruling = guard.judge(bytes, now);
    return ruling.what == verdict::pass && ruling.bytes == bytes.size();
  }
  bool cuts(const std::string& bytes) {
    return of(bytes) == verdict::cut;
  }
};

} // namespace gnomon::test
