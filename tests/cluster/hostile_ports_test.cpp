#define CAF_SUITE hostile_ports
#include "tests/cluster/node_under_test.hpp"
#include "tests/cluster/rough_client.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <random>

using namespace gnomon::test;

namespace {

/// `./dev fuzz ports` gives it a minute.
std::chrono::milliseconds duration_of_attack() {
  const auto* seconds = std::getenv("GNOMON_HOSTILE_SECONDS");
  return std::chrono::milliseconds{seconds ? 1000 * std::atoi(seconds) : 6000};
}

uint64_t seed_of_attack() {
  const auto* seed = std::getenv("GNOMON_HOSTILE_SEED");
  return seed ? std::strtoull(seed, nullptr, 10) : 1;
}

const std::vector<std::string> requests{
    "GET /data/news/1 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4\r\nAccept: application/json;q=0.5\r\n\r\n",
    "GET /data?prefix=a&limit=10 HTTP/1.1\r\nHost: [::1]:80\r\n\r\nGET /cluster HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT /data/news/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: "
    "100-continue\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
    "PUT /data/news/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nIf-Match: \"x\"\r\n\r\nabc",
    "POST /shadow/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    "17\r\n\r\n{\"data_id\":\"news\"}",
    "POST /prefetch/train HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
    "chunked\r\n\r\n20\r\n{\"user_id\":\"u\",\"data_id\":\"a\",\"t\r\n",
    "GET /watch?prefix=a&since=1-2-a HTTP/1.1\r\nHost: x\r\n\r\n",
    "HEAD /metrics HTTP/1.0\r\n\r\n",
    "GET /prefetch/predict?user_id=u HTTP/1.1\r\nHost: x\r\nGnomon-Context: AAAAAAAAAAAAAAA\r\n\r\n"};

// A question for g.example, A, with an OPT record that has a client's subnet.
const std::string question{"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01g\x07"
                           "example\x00\x00\x01\x00\x01"
                           "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x0b\x00\x08\x00\x07\x00\x01\x18\x00\x0a\x00\x00",
                           49};
const std::vector<std::string> questions{question, std::string("\x00\x31", 2) + question};
const std::vector<std::string> greetings{std::string("GNOMON\x02\x40\x00\x04\x00test\x01\x00x\x01\x00r\x0b\x00"
                                                     "127.0.0.1:1",
                                                     30)
                                             + std::string(40, '\1'),
                                         std::string("\x16\x03\x01\x00\x80\x01\x00\x00\x7c\x03\x03", 11)
                                             + std::string(120, 'r')};

class attack {
public:
  attack(uint16_t port, int type, std::string from, const std::vector<std::string>& samples, uint64_t seed)
      : port_(port), type_(type), from_(std::move(from)), samples_(samples), random_(seed), thread_([this] { run(); }) {
  }
  ~attack() {
    stopping_ = true;
    thread_.join();
  }
  size_t sent() const {
    return sent_;
  }

private:
  size_t below(size_t n) {
    return static_cast<size_t>(random_() % n);
  }
  std::string bytes() {
    std::string text = below(4) == 0 ? std::string(below(3000), '\0') : samples_[below(samples_.size())];
    if (text.empty() || text.front() == '\0')
      for (auto& c : text)
        c = static_cast<char>(random_());
    for (auto n = below(6); n > 0 && !text.empty(); --n) {
      const auto at = below(text.size());
      switch (below(4)) {
      case 0:
        text[at] = static_cast<char>(random_());
        break;
      case 1:
        text.erase(at, below(8));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(40)));
        break;
      default:
        text.insert(at, below(300), static_cast<char>(random_()));
      }
    }
    return text;
  }
  void run() {
    std::vector<rough_client> left; // that stay open and say nothing more
    while (!stopping_) {
      rough_client line{port_, from_, type_};
      for (auto n = below(4) + 1; n > 0 && line.open(); --n) {
        const auto text = bytes();
        line.send(std::string_view{text}.substr(0, type_ == SOCK_DGRAM ? 1400 : text.size()));
        ++sent_;
        line.receive(static_cast<int>(below(4)));
      }
      switch (line.open() ? below(4) : 3) {
      case 0:
        line.reset();
        break;
      case 1:
        line.half_close();
        line.receive(5);
        break;
      case 2:
        left.push_back(std::move(line));
        if (left.size() > 20)
          left.clear();
        break;
      default:
        break;
      }
    }
  }

  uint16_t port_;
  int type_;
  std::string from_;
  const std::vector<std::string>& samples_;
  std::mt19937_64 random_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> sent_{0};
  std::thread thread_;
};

struct fixture {
  fixture() {
    const auto files = authority.files_for("a");
    std::ofstream{folder / "a.toml"} << "[cluster]\ninsecure = true\ncertificate = \"" << files.certificate
                                     << "\"\nkey = \"" << files.key << "\"\nauthorities = \"" << files.authorities
                                     << "\"\n";
    node.config_file(folder / "a.toml").set("http.head_timeout=1s").set("http.body_timeout=1s");
    node.set("placement.conflicts=lww").set("http.idle_timeout=2s").set("dns.zones=[\"g.example\"]");
    node.set("listen.dns=127.0.0.1:" + std::to_string(dns_port));
  }
  bool answers_questions() {
    rough_client asker{dns_port, "127.0.0.3", SOCK_DGRAM};
    asker.send(question);
    const auto answer = asker.receive(2000);
    return answer.size() > 12 && answer.substr(0, 2) == question.substr(0, 2);
  }

  temporary_directory folder;
  test_authority authority;
  uint16_t dns_port = free_port();
  node_under_test node{"a", "r", folder.path()};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(hostile_ports_tests, fixture)

CAF_TEST(random_and_mutated_bytes_on_every_port_change_nothing_for_a_good_client) {
  CAF_REQUIRE(node.start_and_wait());
  const auto http = node.http_port();
  good_client good{http, "127.0.0.3"};
  const auto bytes_for = [&](std::chrono::milliseconds time, uint64_t seed) {
    attack on_http{http, SOCK_STREAM, "127.0.0.2", requests, seed};
    attack on_tunnel{node.tunnel_port(), SOCK_STREAM, "127.0.0.2", greetings, seed + 1};
    attack on_dns{dns_port, SOCK_DGRAM, "127.0.0.2", questions, seed + 2};
    attack on_dns_tcp{dns_port, SOCK_STREAM, "127.0.0.2", questions, seed + 3};
    std::this_thread::sleep_for(time);
    return std::vector{on_http.sent(), on_tunnel.sent(), on_dns.sent(), on_dns_tcp.sent()};
  };
  const auto seed = seed_of_attack();
  const auto whole = duration_of_attack();
  bytes_for(whole / 3, seed); // what a node keeps for good, it has then
  std::this_thread::sleep_for(4s);
  const auto files = open_files(node.pid()), mib = resident_mib(node.pid());
  for (const auto sent : bytes_for(whole - whole / 3, seed + 10))
    CAF_CHECK(sent > 50);
  CAF_CHECK(!node.ended());
  const auto answers = good.answers();
  CAF_CHECK(within(20s, [&] { return good.answers() > answers + 20; }));
  CAF_CHECK(within(20s, [&] { return open_files(node.pid()) <= files + 8; }));
  CAF_CHECK(resident_mib(node.pid()) <= mib + mib / 4 + 64);
  CAF_CHECK(answers_questions());
  good.stop();
  CAF_CHECK_EQUAL(good.faults(), 0u);
  CAF_CHECK_EQUAL(good.last_fault(), "");
  CAF_MESSAGE(good.answers() << " good answers; files " << files << " -> " << open_files(node.pid()) << "; MiB " << mib
                             << " -> " << resident_mib(node.pid()));
  CAF_CHECK_EQUAL(node.terminate(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
