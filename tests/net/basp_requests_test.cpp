#define CAF_SUITE basp_requests
#include "tests/net/guard_fixture.hpp"

#include <random>

using namespace gnomon;
using namespace gnomon::test;
using verdict = basp_guard::verdict;

namespace {

constexpr uint64_t our_gate = 3, our_router = 40, response = 1ull << 63;

/// A shell that called this node, and was told of its router.
struct fixture : guard_fixture {
  fixture() : guard_fixture{"shell alice 1", basp_role::shell} {
    guard.note(basp::server_greeting(basp::node('o'), our_gate));
    CAF_CHECK(introduced.empty());
    CAF_CHECK(passes(basp::client_greeting(basp::node('p'))));
    CAF_CHECK_EQUAL(introduced, basp::node('p'));
    CAF_CHECK(passes(request("hello_client", basp::text("client") + basp::number<uint32_t>(1), our_gate, 1)));
    guard.note(basp::message({.data = response | 1, .source = our_gate, .target = 5},
                             basp::welcome(our_router, basp::node('o'))));
  }
  /// `bytes` stands for the fields; `announced`: how long the payload is said to be.
  static std::string request(const std::string& what, const std::string& bytes, uint64_t to = our_router,
                             uint64_t number = 2, int64_t announced = -1) {
    return basp::message({.data = 1ull << 60 | number, .source = 5, .target = to},
                         basp::content("@<>+gnomon::" + what, bytes), announced);
  }
  static std::string answer_to(uint64_t number, uint64_t from = our_router) {
    return basp::message({.data = response | number, .source = from, .target = 5}, basp::content("@<>", {}));
  }
};

const std::string fields(40, '\0');

} // namespace

CAF_TEST_FIXTURE_SCOPE(basp_requests_tests, fixture)

CAF_TEST(requests_to_the_router_pass) {
  auto number = uint64_t{10};
  for (auto* what : {"read_item", "write_item", "list_items", "get_cluster", "put_policy", "remove_node", "load_item",
                     "fetch_item", "exchange_policies", "put_token", "follow_changes", "train_piece"})
    CAF_CHECK(passes(request(what, fields, our_router, ++number)));
  const auto both = basp::node('p') + basp::node('o');
  CAF_CHECK(passes(basp::message({.what = basp::monitor, .target = our_router}, both)));
  CAF_CHECK(passes(basp::message({.what = basp::heartbeat}, {})));
}

CAF_TEST(what_shells_do_not_ask_is_cut) {
  for (auto* what : {"hello", "frame", "access_batch", "find_actor", "ping", "hello_client", "replicate_item"})
    CAF_CHECK(cuts(request(what, fields)));
  CAF_CHECK(cuts(request("read_item", fields, our_gate)));
  CAF_CHECK(cuts(request("read_item", fields, our_router + 1)));
  for (auto types : {"@<>", "@<>+@exit", "@<>+@down", "@<>+@message", "@<>+@error", "@<>+gnomon::get_tokens+@str", ""})
    CAF_CHECK(cuts(basp::message({.data = 7, .source = 5, .target = our_router}, basp::content(types, fields))));
  CAF_CHECK(cuts(
      basp::message({.what = basp::routed, .source = 5, .target = our_router}, basp::node('p') + basp::node('o'))));
}

CAF_TEST(only_requests_may_come) {
  const auto read = basp::content("@<>+gnomon::read_item", fields);
  CAF_CHECK(cuts(basp::message({.data = 1ull << 60, .source = 5, .target = our_router}, read)));
  CAF_CHECK(cuts(basp::message({.data = response | 7, .source = 5, .target = our_router}, read)));
  CAF_CHECK(cuts(basp::message({.data = 7, .source = 0, .target = our_router}, read)));
  CAF_CHECK(passes(basp::message({.data = 7, .source = 5, .target = our_router}, read)));
  CAF_CHECK(cuts(basp::message({.data = 7, .source = 5, .target = our_router}, read))); // once more
}

CAF_TEST(what_cafs_service_of_nodes_answers_is_left_out) {
  const auto answer = basp::message({.data = 1ull << 60, .source = 1, .target = 89},
                                    basp::content("@<>+@atom+@str+@strong_actor_ptr+@str", std::string(80, 'x')));
  CAF_CHECK(of(answer.substr(0, answer.size() - 1)) == verdict::wait);
  const auto ruling = guard.judge(answer, now);
  CAF_CHECK(ruling.what == verdict::drop);
  CAF_CHECK_EQUAL(ruling.bytes, answer.size());
}

CAF_TEST(a_value_passes_while_it_arrives) {
  const auto whole = request("write_item", std::string(1'000'000, 'x'));
  size_t passed = 0;
  std::string waiting;
  for (size_t at = 0; at < whole.size(); at += 1000) {
    waiting += whole.substr(at, 1000);
    for (auto ruling = guard.judge(waiting, now); ruling.what != verdict::wait; ruling = guard.judge(waiting, now)) {
      CAF_REQUIRE(ruling.what == verdict::pass);
      passed += ruling.bytes;
      waiting.erase(0, ruling.bytes);
    }
    CAF_REQUIRE(waiting.size() <= 1000);
  }
  CAF_CHECK_EQUAL(passed, whole.size());
  CAF_CHECK(passes(request("get_cluster", {}, our_router, 3)));
}

CAF_TEST(only_what_holds_a_value_may_be_long) {
  const auto mebibyte = int64_t{1} << 20;
  CAF_CHECK(cuts(request("read_item", std::string(400, 'x'), our_router, 2, 5 * mebibyte)));
  CAF_CHECK(cuts(request("write_item", std::string(400, 'x'), our_router, 2, 67 * mebibyte)));
  CAF_CHECK(cuts(request("hello_client", std::string(400, 'x'), our_gate, 2, mebibyte)));
  CAF_CHECK(cuts(basp::message({.what = basp::monitor, .target = our_router}, {}, mebibyte)));
  CAF_CHECK(of(request("write_item", std::string(400, 'x'), our_router, 2, 65 * mebibyte)) == verdict::pass);
}

CAF_TEST(too_much_under_way_is_held_until_it_is_answered) {
  auto number = uint64_t{10};
  while (of(request("get_cluster", {}, our_router, ++number)) == verdict::pass)
    CAF_REQUIRE(number < 100'000);
  CAF_CHECK(of(request("get_cluster", {}, our_router, number)) == verdict::hold);
  guard.note(answer_to(11, 99)); // whoever answers
  CAF_CHECK(passes(request("get_cluster", {}, our_router, number)));
  CAF_CHECK(of(request("get_cluster", {}, our_router, number + 1)) == verdict::hold);
}

CAF_TEST(the_bytes_under_way_have_a_bound) {
  constexpr auto value = 60u << 20;
  auto number = uint64_t{10};
  auto write = [&] {
    auto begun = request("write_item", std::string(400, 'x'), our_router, number, value);
    const auto ruling = guard.judge(begun, now);
    if (ruling.what == verdict::pass) {
      const std::string piece(1u << 20, 'x');
      for (auto left = 32 + value - begun.size(); left > 0; left -= std::min<size_t>(left, piece.size()))
        CAF_REQUIRE(guard.judge(std::string_view{piece}.substr(0, left), now).what == verdict::pass);
      ++number;
    }
    return ruling.what;
  };
  while (write() == verdict::pass)
    CAF_REQUIRE(number < 20);
  CAF_CHECK(number > 12);
  CAF_CHECK(write() == verdict::hold);
  guard.note(answer_to(10));
  CAF_CHECK(write() == verdict::pass);
}

CAF_TEST(each_answer_lets_a_shell_watch_who_gave_it) {
  const auto watches = basp::message({.what = basp::monitor, .target = 77}, basp::node('p') + basp::node('o'));
  auto alone = 0;
  while (passes(watches))
    CAF_REQUIRE(++alone < 1000);
  for (auto i = 0; i < 10'000; ++i) {
    guard.note(answer_to(1000 + i, 100 + i));
    CAF_REQUIRE(passes(watches));
  }
  CAF_CHECK(cuts(watches));
}

CAF_TEST(a_program_that_connects_anew_begins_without_requests) {
  while (of(request("get_cluster", {}, our_router, 1000 + peers->with("shell alice 1")->requests.size()))
         == verdict::pass)
    continue;
  basp_guard anew{peers, "shell alice 1", basp_role::shell};
  CAF_CHECK(anew.judge(basp::client_greeting(basp::node('p')), now).what == verdict::pass);
  CAF_CHECK(anew.judge(request("get_cluster", {}, our_router, 1000), now).what == verdict::pass);
}

CAF_TEST(random_bytes_of_a_shell_never_pass) {
  std::mt19937_64 random{1};
  for (auto i = 0; i < 20'000; ++i) {
    std::string bytes(32 + random() % 64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    CAF_REQUIRE(of(bytes) != verdict::pass);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
