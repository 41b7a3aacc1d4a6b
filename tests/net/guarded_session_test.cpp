#define CAF_SUITE guarded_session
#include "actors/messages/protocol.hpp"
#include "runtime/net/basp_guard.hpp"
#include "runtime/net/unix_middleman.hpp"
#include "tests/net/eventually.hpp"
#include "tests/net/sockets.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <mutex>
#include <thread>

using namespace gnomon;
using namespace gnomon::test;

namespace {

struct config : caf::actor_system_config {
  config() {
    register_messages(*this);
    load_middleman(*this);
    set("scheduler.max-threads", size_t{1});
  }
};

std::string bytes_of(caf::actor_system& system) {
  auto id = system.node();
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  CAF_REQUIRE(!sink(id));
  return {bytes.begin(), bytes.end()};
}

struct seen {
  std::atomic<int> frames{0}, credits{0}, overs{0}, downs{0};
};

/// A link that answers each frame with a credit, and three frames with the end of the session as well.
using answering_link = link_end_actor::extend<caf::replies_to<hello>::with<hello>>;

answering_link::behavior_type answers(answering_link::pointer self, node_identity who) {
  auto theirs = std::make_shared<link_end_actor>();
  auto frames = std::make_shared<int>(0);
  return {
      [=](const frame& x) {
        self->send(*theirs, credit{x.session, x.bytes.size(), 1});
        self->send(*theirs, frame{x.session, x.bytes});
        if (++*frames == 3)
          self->send(*theirs, session_over{x.session});
      },
      [](const credit&) {},
      [](const session_over&) {},
      [=](const hello& x) -> caf::result<hello> {
        if (x.session == 0)
          return make_error(ec::rejected, "as told");
        *theirs = x.end;
        return hello{who, x.session, link_end_actor{self}, 1u << 20, 256};
      },
  };
}

link_end_actor::behavior_type records(link_end_actor::pointer self, std::shared_ptr<seen> what) {
  self->set_down_handler([=](const caf::down_msg&) { ++what->downs; });
  return {
      [=](const frame&) { ++what->frames; },
      [=](const credit&) { ++what->credits; },
      [=](const session_over&) { ++what->overs; },
  };
}

gate_actor::behavior_type gate_to(gate_actor::pointer self, answering_link link) {
  return {
      [=](const hello& x) { return self->delegate(link, x); },
      [](const hello_client&) -> caf::result<client_welcome> { return make_error(ec::unavailable); },
  };
}

/// Stands between two CAFs as two tunnels do.
class guarded_way {
public:
  guarded_way(const std::string& listens, std::string leads_to, const std::string& called, const std::string& calls)
      : listener_(listens), leads_to_(std::move(leads_to)),
        at_called_(std::make_shared<basp_peers>(called), "b", basp_role::calling_node),
        at_caller_(std::make_shared<basp_peers>(calls), "a", basp_role::called_node), thread_([this] { run(); }) {}
  ~guarded_way() {
    stopping_ = true;
    thread_.join();
  }
  /// Why a guard cut the connection; empty: none did. After the object has done its work.
  std::string cut() const {
    std::lock_guard lock{guard_};
    return cut_;
  }
  int dropped() const {
    return dropped_;
  }

private:
  void run() {
    auto near = listener_.accept();
    test_socket far{*connect_to_socket(leads_to_)};
    std::string from_caller, from_called;
    auto open = true;
    while (open && !stopping_) {
      pollfd both[] = {{near.fd(), POLLIN, 0}, {far.fd(), POLLIN, 0}};
      ::poll(both, 2, 10);
      open = (!both[0].revents || carry(near, far, at_caller_, at_called_, from_caller))
             && (!both[1].revents || carry(far, near, at_called_, at_caller_, from_called));
    }
  }
  bool carry(test_socket& from, test_socket& to, basp_guard& sender, basp_guard& receiver, std::string& waiting) {
    char buffer[4096];
    const auto n = ::recv(from.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0)
      return n < 0 && (errno == EAGAIN || errno == EINTR);
    sender.note({buffer, static_cast<size_t>(n)});
    waiting.append(buffer, static_cast<size_t>(n));
    for (;;) {
      const auto ruling = receiver.judge(waiting, std::chrono::steady_clock::now());
      if (ruling.what == basp_guard::verdict::wait)
        return true;
      if (ruling.what == basp_guard::verdict::cut) {
        std::lock_guard lock{guard_};
        cut_ = ruling.reason;
        return false;
      }
      for (auto left = waiting.substr(0, ruling.what == basp_guard::verdict::pass ? ruling.bytes : 0); !left.empty();)
        left.erase(0, to.send_some(left, 1000ms));
      dropped_ += ruling.what == basp_guard::verdict::drop;
      waiting.erase(0, ruling.bytes);
    }
  }

  unix_listener listener_;
  std::string leads_to_;
  basp_guard at_called_, at_caller_;
  mutable std::mutex guard_;
  std::string cut_;
  std::atomic<int> dropped_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

node_identity named(const std::string& name) {
  return {"c", name, "r", "127.0.0.1:1", 1, 2, 0, 0, {"127.0.0.1:80"}};
}

} // namespace

CAF_TEST(what_two_cafs_and_their_links_say_to_each_other_passes) {
  temporary_directory folder;
  config one, two;
  caf::actor_system a{one}, b{two};
  auto link = a.spawn(answers, named("a"));
  auto gate = a.spawn(gate_to, link);
  CAF_REQUIRE(!publish_on_socket(a, caf::actor_cast<caf::strong_actor_ptr>(gate), folder / "a.sock"));
  guarded_way way{folder / "way.sock", folder / "a.sock", bytes_of(a), bytes_of(b)};

  auto what = std::make_shared<seen>();
  auto end = b.spawn(records, what);
  caf::scoped_actor self{b};
  gate_actor remote;
  auto fail = [&](const caf::error& reason) { CAF_FAIL(b.render(reason) << "; " << way.cut()); };
  self->request(basp_broker_of(b), 10s, begin_session(b, *connect_to_socket(folder / "way.sock")))
      .receive([&](const caf::node_id&, caf::strong_actor_ptr& there,
                   const std::set<std::string>&) { remote = caf::actor_cast<gate_actor>(there); },
               fail);
  CAF_REQUIRE(remote);

  link_end_actor theirs;
  self->request(remote, 10s, hello{named("b"), 9, end, 1u << 20, 256})
      .receive([&](const hello& x) { theirs = x.end; }, fail);
  CAF_REQUIRE(theirs);
  for (auto i = 0; i < 50; ++i)
    caf::send_as(end, theirs, frame{9, std::string(static_cast<size_t>(i) * 2000, 'x')});
  CAF_CHECK(eventually([&] { return what->frames == 50 && what->credits == 50 && what->overs == 1; }));
  auto code = ec{};
  self->request(remote, 10s, hello{named("b"), 0, end, 1u << 20, 256})
      .receive([](const hello&) {}, [&](const caf::error& reason) { code = code_of(reason); });
  CAF_CHECK_EQUAL(code, ec::rejected);

  self->monitor(theirs);
  caf::anon_send_exit(link, caf::exit_reason::kill);
  auto down = false;
  self->receive([&](const caf::down_msg&) { down = true; }, caf::after(10s) >> [] {});
  CAF_CHECK(down);
  CAF_CHECK_EQUAL(way.cut(), "");
  CAF_CHECK(way.dropped() > 0);
  unpublish_socket(a, folder / "a.sock");
  caf::anon_send_exit(gate, caf::exit_reason::kill);
  caf::anon_send_exit(end, caf::exit_reason::kill);
}
