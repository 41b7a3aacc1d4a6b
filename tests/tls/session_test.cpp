#define CAF_SUITE session
#include "runtime/tls/session.hpp"

#include "tests/support/certificates.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

using namespace gnomon;
using namespace gnomon::test;

namespace {

/// Two sessions over a pair of sockets, driven in turns on one thread.
struct conversation {
  conversation(credentials_ptr a, credentials_ptr b) {
    CAF_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    caller.emplace(std::move(a), fds[0], tls_end::caller);
    called.emplace(std::move(b), fds[1], tls_end::called);
  }
  ~conversation() {
    for (auto fd : fds)
      ::close(fd);
  }
  static bool waits(tls_step step) {
    return step == tls_step::wants_read || step == tls_step::wants_write;
  }
  /// True when both are through.
  bool shake_hands() {
    auto a = tls_step::wants_read, b = tls_step::wants_read;
    for (int i = 0; i < 20 && (waits(a) || waits(b)); ++i) {
      if (waits(a))
        a = caller->handshake();
      if (waits(b))
        b = called->handshake();
    }
    return a == tls_step::done && b == tls_step::done;
  }
  std::array<int, 2> fds{};
  std::optional<tls_session> caller, called;
};

} // namespace

CAF_TEST(each_side_learns_the_others_name_and_bytes_arrive_in_order) {
  const test_authority authority;
  conversation both{authority.credentials_for("a"), authority.credentials_for("b")};
  CAF_REQUIRE(both.shake_hands());
  CAF_CHECK(both.caller->peers() == std::vector<std::string>{"b"});
  CAF_CHECK(both.called->peers() == std::vector<std::string>{"a"});
  std::string sent, received;
  for (int i = 0; i < 200'000; ++i)
    sent += static_cast<char>(i * 31 / 7);
  for (size_t written = 0; received.size() < sent.size();) {
    size_t n = 0;
    if (written < sent.size() && both.caller->write(sent.data() + written, sent.size() - written, n) == tls_step::done)
      written += n;
    std::array<char, 70'000> buffer{};
    if (both.called->read(buffer.data(), buffer.size(), n) == tls_step::done)
      received.append(buffer.data(), n);
  }
  CAF_CHECK(received == sent);
}

CAF_TEST(a_certificate_of_another_authority_is_refused_by_either_side) {
  const test_authority one, other;
  conversation both{one.credentials_for("a"), other.credentials_for("b")};
  CAF_CHECK(!both.shake_hands());
  CAF_CHECK(both.caller->problem().find("not accepted here") != std::string::npos);
  // The caller trusts both, the called one does not: with TLS 1.3 the caller learns it when it reads.
  auto files = other.files_for("a");
  files.authorities = one.beside(other);
  conversation half{*credentials::load(files, "a"), one.credentials_for("b")};
  CAF_CHECK(!half.shake_hands());
  CAF_CHECK(half.called->problem().find("not accepted here") != std::string::npos);
  char byte = 0;
  size_t n = 0;
  CAF_CHECK(half.caller->read(&byte, 1, n) == tls_step::failed);
  CAF_CHECK(half.caller->problem().find("does not accept this side's certificate") != std::string::npos);
}

CAF_TEST(who_writes_to_a_side_that_has_refused_and_closed_hears_why) {
  const test_authority one, other;
  auto files = other.files_for("a");
  files.authorities = one.beside(other);
  conversation half{*credentials::load(files, "a"), one.credentials_for("b")};
  CAF_CHECK(!half.shake_hands());
  ::shutdown(half.fds[1], SHUT_RDWR);
  char byte = 0;
  size_t n = 0;
  CAF_CHECK(half.caller->write(&byte, 1, n) == tls_step::failed);
  CAF_CHECK(half.caller->problem().find("does not accept this side's certificate") != std::string::npos);
}

CAF_TEST(trust_can_be_withdrawn_from_a_connection_that_stands) {
  const test_authority one, other;
  conversation both{one.credentials_for("a"), one.credentials_for("b")};
  CAF_REQUIRE(both.shake_hands());
  CAF_CHECK(both.called->trusted_by(*one.credentials_for("b")));
  CAF_CHECK(!both.called->trusted_by(*other.credentials_for("b")));
  auto files = other.files_for("b");
  files.authorities = other.beside(one);
  CAF_CHECK(both.called->trusted_by(**credentials::load(files, "b")));
}

CAF_TEST(a_peer_that_has_gone_raises_no_signal) {
  const test_authority authority;
  conversation both{authority.credentials_for("a"), authority.credentials_for("b")};
  CAF_REQUIRE(both.shake_hands());
  ::shutdown(both.fds[1], SHUT_RDWR);
  const std::string bytes(1 << 20, 'x');
  auto step = tls_step::done;
  for (int i = 0; i < 10 && step == tls_step::done; ++i) {
    size_t n = 0;
    step = both.caller->write(bytes.data(), bytes.size(), n);
  }
  CAF_CHECK(step == tls_step::closed);
  char byte = 0;
  size_t n = 0;
  CAF_CHECK(both.called->read(&byte, 1, n) != tls_step::done);
}
