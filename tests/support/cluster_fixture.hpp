#pragma once

#include "actors/messages/protocol.hpp"
#include "storage/keys.hpp"
#include "tests/support/small_cluster.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

/// Four nodes, a to d, in one process, on CAF's test coordinator. Include it behind the definition of CAF_SUITE.
namespace gnomon::test {

/// A clock that throws once when told to: the way to make a shadow fail in the middle of a request.
class treacherous_clock final : public manual_clock {
public:
  mutable bool throws_next = false;
  timestamp now() const override {
    if (std::exchange(throws_next, false))
      throw std::runtime_error("the clock was told to throw");
    return manual_clock::now();
  }
};

write_item write_of(std::string id, std::string value, version_vector seen = {});

struct cluster_fixture : test_coordinator_fixture<> {
  std::vector<std::string> names{"a", "b", "c", "d"};
  std::map<std::string, small_node> nodes;
  std::shared_ptr<small_network> network = std::make_shared<small_network>();
  std::shared_ptr<treacherous_clock> time = std::make_shared<treacherous_clock>();
  settings config;
  bool predicts = false; // set before `begin`

  ~cluster_fixture();
  void begin(uint32_t factor = 2, uint32_t min_copies = 1);
  void boot(const std::string& name);
  void restart(const std::string& name);

  template <class Reply, class Message>
  expected<Reply> ask(const std::string& name, Message message) {
    expected<Reply> result{make_error(ec::internal, "no answer")};
    auto handle = self->request(nodes[name].context->handles.get()->router, caf::infinite, std::move(message));
    sched.run();
    std::move(handle).receive([&](Reply& x) { result = std::move(x); }, [&](caf::error& e) { result = std::move(e); });
    return result;
  }

  /// The item's shadow at the node throws while it handles `message`, and no other actor does: the router looks at the
  /// clock as well, so the message does not go through it. True when the answer is an error.
  template <class Reply, class Message>
  bool fails_in_shadow(const std::string& name, const Message& message) {
    auto& crashes = nodes[name].context->counters.shadow_crashes;
    auto before = crashes.load();
    time->throws_next = true;
    auto handle = self->request(nodes[name].context->shard(message.id), caf::infinite, message);
    sched.run();
    time->throws_next = false;
    CAF_CHECK_EQUAL(crashes.load(), before + 1);
    auto failed = false;
    std::move(handle).receive([](const Reply&) {}, [&](const caf::error&) { failed = true; });
    return failed;
  }

  expected<write_receipt> put(const std::string& name, std::string id, std::string value, version_vector seen = {});
  expected<item_versions> get(const std::string& name, const std::string& id, version_vector seen = {});
  std::string value(const std::string& name, const std::string& id);

  /// role of `id` at each node that has a record on disk, as "a:durable b:shadow"
  std::string copies(const std::string& id);

  holder_map holders(const std::string& name, const std::string& id);

  /// Every node hears the others' heartbeats.
  void heartbeats();

  void pass_time(duration d);
};

// What nearly every suite asks is compiled once.
extern template expected<write_receipt> cluster_fixture::ask(const std::string&, write_item);
extern template expected<item_versions> cluster_fixture::ask(const std::string&, read_item);
extern template expected<policy_list> cluster_fixture::ask(const std::string&, put_policy);

} // namespace gnomon::test
