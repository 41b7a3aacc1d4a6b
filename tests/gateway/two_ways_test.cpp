#define CAF_SUITE two_ways
// A GET is answered by a ready head from the read index, or the general way. Both must say the same.
#include "server_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>

using namespace gnomon;
using namespace gnomon::test;

namespace {

// Without what names the time.
std::string comparable(std::string answer) {
  auto at = answer.find("\r\nDate: ");
  if (at != std::string::npos)
    answer.erase(at, answer.find("\r\n", at + 2) - at);
  return answer;
}

std::vector<std::string> lines_of(const std::string& answer) {
  std::vector<std::string> lines;
  for (size_t begin = 0, end; begin < answer.size(); begin = end + 2) {
    end = std::min(answer.find("\r\n", begin), answer.size());
    lines.push_back(answer.substr(begin, end - begin));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

struct two_ways_fixture : server_fixture {
  /// `If-Modified-Since` means nothing where no item has a date; it only keeps a request from the short way.
  void compare(const std::string& target, const std::string& fields) {
    auto quick = comparable(get(target, fields));
    auto general = comparable(get(target, fields + "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    if (lines_of(quick) != lines_of(general))
      CAF_ERROR("the short way and the general one differ for " << target << "\n" << quick << "\n--\n" << general);
    (is(quick, 200) ? good : refused) += 1;
  }
  void compare_many(uint64_t seed) {
    CAF_MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    auto pick = [&](const auto& from) { return from[random() % from.size()]; };
    for (int i = 0; i < 300; ++i) {
      auto target = "/data/" + pick(ids) + pick(queries);
      auto fields = pick(extra);
      compare(random() % 8 == 0 ? "http://x" + target : target, fields);
    }
  }

  const std::vector<std::string> ids{
      "a",    "a/b", "news%2F1", "news/1", "x/../y", "..",  ".",    "x/%2e%2e/y",           ".x",  "none",     "a%",
      "a%00", "a b", "a+b",      "stale",  "ended",  "a#b", "a\\b", std::string(1025, 'x'), "two", "odd-type", "",
      "x/."};
  const std::vector<std::string> queries{"",
                                         "",
                                         "?",
                                         "?user_id=ann",
                                         "?user_id=",
                                         "?user=ann",
                                         "?user=a&user_id=a",
                                         "?user_id=a/b",
                                         "?user_id=..",
                                         "?user_id=a&user_id=b",
                                         "?user_id=%FF",
                                         "?user_id=a%00",
                                         "?USER_ID=a",
                                         "?other=1",
                                         "?user_id=" + std::string(1025, 'u'),
                                         "?user_id=x/./y",
                                         "?user_id=a#b",
                                         "?user_id=a+b"};
  const std::vector<std::string> extra{"",
                                       "",
                                       "Accept: application/json\r\n",
                                       "Accept: text/html;q=0\r\n",
                                       "Accept-Encoding: gzip\r\n",
                                       "Cache-Control: no-cache\r\n",
                                       "Host: y\r\n",
                                       "X: a\r\n b\r\n",
                                       "Content-Type: a\r\nContent-Type: b\r\n",
                                       "Connection: keep-alive\r\n",
                                       "Cookie: a=b\r\n",
                                       "If-Unmodified-Since: x\r\n",
                                       "Content-Encoding: gzip\r\n"};
  int good = 0, refused = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(two_ways_tests, two_ways_fixture)

CAF_TEST(the_short_way_says_what_the_general_one_says) {
  start();
  for (const auto& id : {"a", "a/b", "news/1", "x/../y", "..", ".", "x/.", ".x", "a b", "a+b", "y"})
    publish(id, std::string{"value of "} + id);
  publish("ended", "old", node->time->now() - 1s);
  compare_many(1);
  compare_many(std::random_device{}());
  CAF_CHECK_GREATER(good, 20); // of 600, about 60
  CAF_CHECK_GREATER(refused, 50);
}

CAF_TEST(a_hit_by_the_short_way_is_not_asked_of_the_router) {
  start();
  publish("a", "value");
  publish("x/../y", "not to be reached by this name");
  CAF_CHECK(is(get("/data/a"), 200));
  CAF_CHECK(has(get("/data/a"), "\r\nCache-Control: no-cache\r\n"));
  CAF_CHECK(is(get("/data/x/../y"), 400));
  CAF_CHECK_EQUAL(script->reads.load(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
