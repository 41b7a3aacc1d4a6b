#define CAF_SUITE cluster_fixture
#include "tests/support/cluster_fixture.hpp"

namespace gnomon::test {

write_item write_of(std::string id, std::string value, version_vector seen) {
  write_item w;
  w.id = std::move(id);
  w.value = blob{std::move(value)};
  w.seen = std::move(seen);
  return w;
}

void cluster_fixture::begin(uint32_t factor, uint32_t min_copies) {
  config.factor = factor;
  config.min_copies = min_copies;
  config.shadow_ttl = 60s;
  config.predict = predicts;
  config.link_floor = 1u << 30; // these links wait for no progress, and have no time limit of their own
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

void cluster_fixture::boot(const std::string& name) {
  node_identity who;
  who.cluster = "test";
  who.node = name;
  who.region = "region-" + name;
  auto own = config;
  if (!own.store_path.empty())
    own.store_path += "/" + name;
  start(nodes[name], sys, who, own, time);
  nodes[name].context->steady_ms = [this] {
    return std::chrono::duration_cast<duration>(sched.clock().now().time_since_epoch()).count() + 1'000'000;
  };
  sched.run();
}

void cluster_fixture::restart(const std::string& name) {
  nodes[name].stop();
  sched.run();
  nodes[name].database->reopen();
  boot(name);
  connect(nodes, sys, network, names);
  sched.run();
}

cluster_fixture::~cluster_fixture() {
  for (auto& [name, node] : nodes)
    node.stop();
  sched.run();
}

expected<write_receipt> cluster_fixture::put(const std::string& name, std::string id, std::string value,
                                             version_vector seen) {
  return ask<write_receipt>(name, write_of(std::move(id), std::move(value), std::move(seen)));
}

expected<item_versions> cluster_fixture::get(const std::string& name, const std::string& id, version_vector seen) {
  read_item r;
  r.id = id;
  r.seen = std::move(seen);
  return ask<item_versions>(name, r);
}

std::string cluster_fixture::value(const std::string& name, const std::string& id) {
  auto got = get(name, id);
  if (!got)
    return std::string{gnomon::name(code_of(got.error()))};
  std::string all;
  for (const auto& v : got->values)
    all += (all.empty() ? "" : "|") + v.view();
  return all;
}

std::string cluster_fixture::copies(const std::string& id) {
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

holder_map cluster_fixture::holders(const std::string& name, const std::string& id) {
  return unbox(decode_record(*unbox(nodes[name].database->get(keys::record(id))))).holders;
}

void cluster_fixture::heartbeats() {
  for (const auto& from : names)
    for (const auto& to : names) {
      if (from == to || network->cut.count({from, to}) > 0)
        continue;
      ping facts;
      facts.from = nodes[from].context->self;
      facts.from.start = 1;
      facts.catalog_generation = nodes[from].context->counters.announced_generation();
      for (auto& head : nodes[from].context->counters.catalog_heads)
        facts.catalog_heads.push_back(head.load());
      self->send(nodes[to].context->handles.get()->region, facts);
    }
  sched.run();
}

void cluster_fixture::pass_time(duration d) {
  time->advance(d);
  for (int i = 0; i < 5; ++i) {
    sched.clock().current_time += 3s;
    sched.trigger_timeouts();
    sched.run();
  }
}

template expected<write_receipt> cluster_fixture::ask(const std::string&, write_item);
template expected<item_versions> cluster_fixture::ask(const std::string&, read_item);
template expected<policy_list> cluster_fixture::ask(const std::string&, put_policy);

} // namespace gnomon::test
