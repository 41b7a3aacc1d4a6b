// A watcher at each of five nodes hears of every acknowledged change, while nodes are killed and started again.
#define CAF_SUITE watching
#include "storage/versions.hpp"
#include "tests/cluster/node_under_test.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>

using namespace gnomon;
using namespace gnomon::test;

namespace {

std::string between(const std::string& text, const std::string& before, const std::string& behind) {
  auto at = text.find(before);
  if (at == text.npos)
    return {};
  at += before.size();
  return text.substr(at, text.find(behind, at) - at);
}

version_vector context_of(const std::string& text) {
  auto found = version_vector::from_text(text);
  return found ? *found : version_vector{};
}

struct event {
  std::string kind, id, context;
  uint64_t missed = 0;
};

/// Reads the stream of a node, and connects again with the position of the last event when it breaks off.
class stream_reader {
public:
  explicit stream_reader(node_under_test& node) : node_(node), thread_([this] { run(); }) {}
  ~stream_reader() {
    over_ = true;
    thread_.join();
  }
  std::vector<event> heard() {
    std::lock_guard lock{mutex_};
    return heard_;
  }
  bool connected() const {
    return connected_;
  }

private:
  void run() {
    while (!over_) {
      read_stream();
      connected_ = false;
      std::this_thread::sleep_for(50ms);
    }
  }
  void read_stream() {
    auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
    timeval bound{0, 200'000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(node_.http_port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string asked = "GET /watch?prefix=w/ HTTP/1.1\r\nHost: x\r\n"
                        + (position_.empty() ? std::string{} : "Last-Event-ID: " + position_ + "\r\n") + "\r\n";
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0
        && ::send(fd, asked.data(), asked.size(), MSG_NOSIGNAL) > 0)
      read_lines(fd);
    ::close(fd);
  }
  void read_lines(int fd) {
    std::string text;
    char piece[4096];
    while (!over_) {
      auto count = ::recv(fd, piece, sizeof piece, 0);
      if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        return;
      if (count < 0)
        continue;
      connected_ = true;
      text.append(piece, static_cast<size_t>(count));
      for (size_t end; (end = text.find('\n')) != text.npos; text.erase(0, end + 1))
        take(text.substr(0, end));
    }
  }
  void take(const std::string& line) {
    if (line.starts_with("id: "))
      next_ = line.substr(4);
    if (!line.starts_with("data: "))
      return;
    std::lock_guard lock{mutex_};
    position_ = next_;
    auto missed = between(line, "\"missed\":", ",");
    heard_.push_back({between(line, "\"event\":\"", "\""), between(line, "\"id\":\"", "\""),
                      between(line, "\"context\":\"", "\""), missed.empty() ? 0 : std::stoull(missed)});
  }

  node_under_test& node_;
  std::atomic<bool> over_{false}, connected_{false};
  std::mutex mutex_;
  std::vector<event> heard_;
  std::string position_, next_;
  std::thread thread_; // last: it uses the others
};

struct five_nodes {
  five_nodes() {
    for (int i = 0; i < 5; ++i) {
      auto name = std::string(1, static_cast<char>('a' + i));
      nodes.push_back(std::make_unique<node_under_test>(name, "region-" + name, dir.path()));
      if (i > 0)
        nodes[static_cast<size_t>(i)]->seed(*nodes[0]);
      else
        nodes[0]->seed(*nodes[0]);
      for (const auto* setting :
           {"placement.factor=3", "requests.timeout=4s", "requests.peer_timeout=2s", "prediction.enabled=false"})
        nodes.back()->set(setting);
    }
    for (auto& node : nodes)
      if (!node->start_and_wait())
        CAF_FAIL("a node does not start: " << node->log());
    if (!within(30s,
                [&] { return std::all_of(nodes.begin(), nodes.end(), [](auto& node) { return sees_all(*node); }); }))
      CAF_FAIL("the nodes do not find each other");
    for (auto& node : nodes)
      readers.push_back(std::make_unique<stream_reader>(*node));
    if (!within(20s, [&] {
          return std::all_of(readers.begin(), readers.end(), [](auto& reader) { return reader->connected(); });
        }))
      CAF_FAIL("no stream begins");
  }
  ~five_nodes() {
    readers.clear();
  }
  static bool sees_all(node_under_test& node) {
    auto text = node.get("/cluster").body;
    size_t live = 0;
    for (size_t at = 0; (at = text.find("\"state\":\"live\"", at)) != text.npos; ++at)
      ++live;
    return live == 5;
  }

  temporary_directory dir;
  std::vector<std::unique_ptr<node_under_test>> nodes;
  std::vector<std::unique_ptr<stream_reader>> readers;
};

/// What one reader did not hear of, of what was acknowledged.
size_t lacking(stream_reader& reader, const std::vector<std::pair<std::string, version_vector>>& acknowledged) {
  std::map<std::string, version_vector> told;
  for (const auto& one : reader.heard())
    told[one.id].merge(context_of(one.context));
  return static_cast<size_t>(std::count_if(acknowledged.begin(), acknowledged.end(),
                                           [&](const auto& write) { return !told[write.first].covers(write.second); }));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(watching_tests, five_nodes)

CAF_TEST(each_of_five_watchers_hears_of_every_acknowledged_change) {
  std::mt19937 random{std::random_device{}()};
  std::vector<std::pair<std::string, version_vector>> acknowledged;
  std::map<std::string, std::string> contexts;
  size_t down = nodes.size(); // none
  for (int i = 0; i < 400; ++i) {
    if (i % 80 == 40) {
      down = random() % nodes.size();
      nodes[down]->kill();
    }
    if (i % 80 == 70) {
      if (!nodes[down]->start_and_wait())
        CAF_FAIL("a node does not start again: " << nodes[down]->log());
      down = nodes.size();
    }
    auto at = random() % nodes.size();
    if (at == down)
      continue;
    auto id = "w/" + std::to_string(random() % 10);
    auto fields = contexts[id].empty() ? std::string{} : line("Gnomon-Context", contexts[id]);
    auto answer = nodes[at]->put(id, std::to_string(i), fields);
    if (answer.status == 201 || answer.status == 204) {
      contexts[id] = field(answer, "Gnomon-Context");
      acknowledged.emplace_back(id, context_of(contexts[id]));
    }
    std::this_thread::sleep_for(5ms);
  }
  CAF_MESSAGE(acknowledged.size() << " writes acknowledged");
  CAF_CHECK(acknowledged.size() > 200);
  for (auto& reader : readers) {
    CAF_CHECK(within(60s, [&] { return lacking(*reader, acknowledged) == 0; }));
    size_t alone = 0, missed = 0, gaps = 0;
    std::map<std::string, version_vector> told;
    for (const auto& one : reader->heard()) {
      if (one.kind == "gap") {
        ++gaps;
        told.clear();
        continue;
      }
      auto context = context_of(one.context);
      if (one.kind == "written") {
        CAF_CHECK(!told[one.id].covers(context)); // once
        ++alone;
        missed += one.missed;
      }
      if (one.kind == "written" || gaps == 0)
        told[one.id].merge(context);
    }
    CAF_MESSAGE(alone << " changes told, " << missed << " with another, " << gaps << " gaps");
    CAF_CHECK(alone > 0);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
