#pragma once

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

inline write_item write_of(std::string id, std::string value, version_vector seen = {}) {
  write_item w;
  w.id = std::move(id);
  w.value = blob{std::move(value)};
  w.seen = std::move(seen);
  return w;
}

struct cluster_fixture : test_coordinator_fixture<> {
  std::vector<std::string> names{"a", "b", "c", "d"};
  std::map<std::string, small_node> nodes;
  std::shared_ptr<small_network> network = std::make_shared<small_network>();
  std::shared_ptr<treacherous_clock> time = std::make_shared<treacherous_clock>();
  settings config;
  bool predicts = false; // set before `begin`

  void begin(uint32_t factor = 2, uint32_t min_copies = 1) {
    config.factor = factor;
    config.min_copies = min_copies;
    config.shadow_ttl = 60s;
    config.predict = predicts;
    config.predict_users = 1000;
    config.detach_blocking = false;
    config.predict_items = std::min(config.predict_items, 20'000u);
    for (const auto& name : names) {
      nodes[name].database = std::make_shared<memory_store>();
      boot(name);
    }
    connect(nodes, sys, network, names);
    sched.run();
  }

  void boot(const std::string& name) {
    node_identity who;
    who.cluster = "test";
    who.node = name;
    who.region = "region-" + name;
    start(nodes[name], sys, who, config, time);
    nodes[name].context->steady_ms = [this] {
      return std::chrono::duration_cast<duration>(sched.clock().now().time_since_epoch()).count() + 1'000'000;
    };
    sched.run();
  }

  void restart(const std::string& name) {
    nodes[name].stop();
    sched.run();
    nodes[name].database->reopen();
    boot(name);
    connect(nodes, sys, network, names);
    sched.run();
  }

  ~cluster_fixture() {
    for (auto& [name, node] : nodes)
      node.stop();
    sched.run();
  }

  template <class Reply, class Message>
  expected<Reply> ask(const std::string& name, Message message) {
    expected<Reply> result{make_error(ec::internal, "no answer")};
    auto handle = self->request(nodes[name].context->handles.get()->router, caf::infinite, std::move(message));
    sched.run();
    std::move(handle).receive([&](Reply& x) { result = std::move(x); }, [&](caf::error& e) { result = std::move(e); });
    return result;
  }

  expected<write_receipt> put(const std::string& name, std::string id, std::string value, version_vector seen = {}) {
    return ask<write_receipt>(name, write_of(std::move(id), std::move(value), std::move(seen)));
  }

  expected<item_versions> get(const std::string& name, const std::string& id, version_vector seen = {}) {
    read_item r;
    r.id = id;
    r.seen = std::move(seen);
    return ask<item_versions>(name, r);
  }

  std::string value(const std::string& name, const std::string& id) {
    auto got = get(name, id);
    if (!got)
      return std::string{gnomon::name(code_of(got.error()))};
    std::string all;
    for (const auto& v : got->values)
      all += (all.empty() ? "" : "|") + v.view();
    return all;
  }

  /// role of `id` at each node that has a record on disk, as "a:durable b:shadow"
  std::string copies(const std::string& id) {
    std::string all;
    for (const auto& name : names) {
      auto stored = nodes[name].database->get(keys::record(id));
      if (!stored || !*stored)
        continue;
      auto record = unbox(decode_record(**stored));
      all += (all.empty() ? "" : " ") + name + ":" + std::string{gnomon::name(record.holders.state_of(name))};
    }
    return all;
  }

  holder_map holders(const std::string& name, const std::string& id) {
    return unbox(decode_record(*unbox(nodes[name].database->get(keys::record(id))))).holders;
  }

  /// Every node hears the others' heartbeats.
  void heartbeats() {
    for (const auto& from : names)
      for (const auto& to : names) {
        if (from == to || network->cut.count({from, to}) > 0)
          continue;
        ping facts;
        facts.from = nodes[from].context->self;
        facts.from.start = 1;
        facts.catalog_generation = nodes[from].context->counters.catalog_generation;
        for (auto& head : nodes[from].context->counters.catalog_heads)
          facts.catalog_heads.push_back(head.load());
        self->send(nodes[to].context->handles.get()->region, facts);
      }
    sched.run();
  }

  void pass_time(duration d) {
    time->advance(d);
    for (int i = 0; i < 5; ++i) {
      sched.clock().current_time += 3s;
      sched.trigger_timeouts();
      sched.run();
    }
  }
};

} // namespace gnomon::test
