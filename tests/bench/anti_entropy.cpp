// What does anti-entropy move to find the copies that differ? Two nodes in this process, each with a LevelDB of its own
// that holds the same items but for a few, and between them a link that encodes every message as a real one does and
// counts its bytes. Called by tests/bench/anti-entropy.sh.
#include "actors/repair/anti_entropy.hpp"
#include "actors/region/agent.hpp"
#include "actors/region/region.hpp"
#include "actors/shadow/shard.hpp"
#include "actors/shadow/store.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"
#include "tests/support/link_behavior.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <filesystem>
#include <iostream>
#include <thread>

using namespace gnomon;

namespace {

struct options {
  uint64_t items = 1'000'000;
  uint64_t differ = 100;
  std::string folder;
};

/// Bytes of all messages, by what they are for.
struct traffic_counts {
  std::atomic<uint64_t> compared{0}, met{0}, messages{0};
};

struct bench_node {
  context_ptr context;
  std::shared_ptr<kv_store> database;
};

struct counting_link_state {
  bench_node* peer = nullptr;
  traffic_counts* counts = nullptr;
};

template <class Message>
caf::result<reply_of<Message>> carry(link_actor::stateful_pointer<counting_link_state> self, Message& message) {
  auto comparison = std::is_same_v<Message, compare_trees> || std::is_same_v<Message, compare_leaves>;
  auto count = [counts = self->state.counts, comparison](size_t bytes) {
    (comparison ? counts->compared : counts->met) += bytes;
    ++counts->messages;
  };
  count(pack(self->system(), static_cast<uint8_t>(position_of<Message>()), message).size());
  auto promise = self->make_response_promise<reply_of<Message>>();
  self->request(self->state.peer->context->handles.get()->region, caf::infinite, message)
      .then(
          [self, count, promise](reply_of<Message>& reply) mutable {
            count(pack(self->system(), reply_ok, reply).size());
            promise.deliver(std::move(reply));
          },
          [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
  return promise;
}

link_actor::behavior_type counting_link(link_actor::stateful_pointer<counting_link_state> self, bench_node* peer,
                                        traffic_counts* counts) {
  self->state = {peer, counts};
  return test::link_behavior([self](auto& message) { return carry(self, message); });
}

std::string id_of(uint64_t number) {
  auto digits = std::to_string(number);
  return "bench/" + std::string(10 - std::min<size_t>(10, digits.size()), '0') + digits;
}

/// The item as node `a` wrote it once, or twice.
item_record record_of(uint64_t number, bool newer) {
  item_record record;
  record.id = id_of(number);
  for (int i = 0; i < (newer ? 2 : 1); ++i) {
    sibling version;
    version.bytes = 100;
    version.stamp.millis = 1'700'000'000'000 + i;
    record.versions.write(record.versions.context, {1, number + 1}, version);
  }
  record.holders.begin_epoch("a", holder_state::durable);
  record.holders.begin_epoch("b", holder_state::durable);
  return record;
}

/// Every second of the items that differ is newer at `a`, the others at `b`.
bool newer_at(const options& o, bool a, uint64_t number) {
  auto step = std::max<uint64_t>(1, o.items / std::max<uint64_t>(1, o.differ));
  auto chosen = number % step == 0 && number / step < o.differ;
  return chosen && ((number / step) % 2 == 0) == a;
}

void must(const expected<void>& result) {
  if (!result)
    throw std::runtime_error(sentence_of(result.error()));
}

void fill(kv_store& database, const options& o, bool a) {
  auto value = encode_value(std::string(100, 'v'));
  for (uint64_t first = 0; first < o.items; first += 10'000) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (auto i = first; i < std::min(o.items, first + 10'000); ++i) {
      auto record = record_of(i, newer_at(o, a, i));
      entries.emplace_back(keys::record(record.id), encode(record));
      entries.emplace_back(keys::value(record.id, record.versions.siblings.front().id), value);
    }
    std::vector<kv_write> writes;
    for (const auto& [key, bytes] : entries)
      writes.push_back({key, bytes});
    must(database.apply(writes));
  }
}

void start(bench_node& node, caf::actor_system& system, const std::string& name) {
  node_identity who;
  who.cluster = "bench";
  who.node = name;
  who.region = "region-" + name;
  who.incarnation = node.database->identity().incarnation;
  settings config;
  config.compare_every = 24h; // only the rounds that the bench begins
  node.context = std::make_shared<node_context>(who, config, std::make_shared<scaled_clock>());
  node.context->holding_sequence = node.database->identity().start << 32;
  node.context->fresh_until_ms = INT64_MAX;
  node_handles handles;
  handles.stores.push_back(system.spawn<caf::detached>(store, node.context, node.database));
  for (size_t i = 0; i < shard_count; ++i)
    handles.shards.push_back(system.spawn(shard, node.context, i));
  handles.anti_entropy = system.spawn(anti_entropy, node.context);
  handles.agent = system.spawn(agent, node.context);
  node.context->handles.set(handles);
  handles.region = system.spawn(region, node.context);
  node.context->handles.set(handles);
}

void stop(bench_node& node) {
  auto handles = node.context->handles.get();
  auto end = [](const auto& handle) { caf::anon_send_exit(handle, caf::exit_reason::kill); };
  end(handles->region);
  end(handles->agent);
  end(handles->anti_entropy);
  for (const auto& shard : handles->shards)
    end(shard);
  for (const auto& store : handles->stores)
    end(store);
  node.context->handles.set({});
}

template <class Done>
bool wait_for(std::chrono::seconds most, Done done) {
  auto until = std::chrono::steady_clock::now() + most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// Bytes of messages that name every id with its digest, a thousand in each.
uint64_t bytes_of_all(caf::actor_system& system, const options& o) {
  uint64_t bytes = 0;
  for (uint64_t first = 0; first < o.items; first += 1000) {
    compare_leaves all{"a", {}, {}};
    for (auto i = first; i < std::min(o.items, first + 1000); ++i) {
      auto record = record_of(i, newer_at(o, true, i));
      all.entries.push_back({record.id, digest_of(record)});
    }
    bytes += pack(system, 0, all).size();
  }
  return bytes;
}

/// Items that differ and have the newer version in both stores now.
uint64_t met(bench_node& a, bench_node& b, const options& o, uint64_t& from) {
  for (; from < o.items; ++from) {
    if (!newer_at(o, true, from) && !newer_at(o, false, from))
      continue;
    auto wanted = record_of(from, true).versions.context;
    for (auto node : {&a, &b}) {
      store_get question{{keys::record(id_of(from))}};
      caf::scoped_actor self{a.context->handles.get()->stores.front().home_system()};
      auto there = false;
      self->request(node->context->handles.get()->stores.front(), 10s, question)
          .receive(
              [&](const store_values& got) {
                auto record = decode_record(got.values.front().view());
                there = record && record->versions.context == wanted;
              },
              [](const caf::error& reason) { throw std::runtime_error(sentence_of(reason)); });
      if (!there)
        return from;
    }
  }
  return from;
}

void open(bench_node& node, caf::actor_system& system, const options& o, const std::string& name) {
  auto database = open_level_store(o.folder + "/" + name);
  if (!database)
    throw std::runtime_error(sentence_of(database.error()));
  node.database = std::move(*database);
  fill(*node.database, o, name == "a");
  start(node, system, name);
}

/// `node` sees `other` as its only peer, behind a link that counts.
void introduce(bench_node& node, bench_node& other, caf::actor_system& system, traffic_counts& counts) {
  cluster_view view;
  peer_view peer;
  peer.identity = other.context->self;
  peer.state = peer_state::live;
  peer.rtt_ms = 1;
  peer.link = system.spawn(counting_link, &other, &counts);
  view.peers.push_back(peer);
  node.context->cluster.set(std::move(view));
}

void close(bench_node& node) {
  auto view = node.context->cluster.get();
  for (const auto& peer : view->peers)
    caf::anon_send_exit(peer.link, caf::exit_reason::kill);
  stop(node);
}

/// One round of `a` with `b`, and a second one for what the first has left.
nlohmann::ordered_json measure_rounds(bench_node& a, bench_node& b, const traffic_counts& counts, const options& o) {
  auto begun = std::chrono::steady_clock::now();
  auto begin_round = [&] { caf::anon_send(a.context->handles.get()->anti_entropy, compare_a_v, std::string{"b"}); };
  auto rounds = [&] { return a.context->counters.comparisons.load(); };
  begin_round();
  if (!wait_for(300s, [&] { return rounds() >= 1; }))
    throw std::runtime_error("the round did not end within 300 s");
  uint64_t equal = 0;
  auto all_met = wait_for(60s, [&] { return met(a, b, o, equal) == o.items; });
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  auto compared = counts.compared.load();
  auto met_bytes = counts.met.load();
  begin_round();
  wait_for(60s, [&] { return rounds() >= 2; });
  return {{"items", o.items},
          {"differ", o.differ},
          {"all_met", all_met},
          {"seconds", seconds.count()},
          {"compared_bytes", compared},
          {"meeting_bytes", met_bytes},
          {"messages", counts.messages.load()},
          {"next_round_bytes", counts.compared.load() - compared}};
}

nlohmann::ordered_json measure(caf::actor_system& system, const options& o) {
  bench_node a, b;
  traffic_counts counts;
  open(a, system, o, "a");
  open(b, system, o, "b");
  auto ready = [](bench_node& node) { return node.context->counters.shards_ready == shard_count; };
  if (!wait_for(300s, [&] { return ready(a) && ready(b); }))
    throw std::runtime_error("the nodes did not read their stores within 300 s");
  introduce(a, b, system, counts);
  introduce(b, a, system, counts);
  auto figures = measure_rounds(a, b, counts, o);
  auto all = bytes_of_all(system, o);
  figures["all_ids_and_digests_bytes"] = all;
  figures["ratio"] =
      (figures["compared_bytes"].get<double>() + figures["meeting_bytes"].get<double>()) / static_cast<double>(all);
  close(a);
  close(b);
  system.await_all_actors_done();
  return figures;
}

bool take_number(std::string_view text, uint64_t& number) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size() && number > 0;
}

} // namespace

int main(int argc, char** argv) {
  options o;
  auto valid = argc == 4 && take_number(argv[2], o.items) && take_number(argv[3], o.differ) && o.differ <= o.items;
  if (!valid) {
    std::cerr << "usage: gnomon-bench-anti-entropy FOLDER ITEMS DIFFER (DIFFER at most ITEMS)\n";
    return 2;
  }
  o.folder = argv[1];
  log::start({}, "warn"); // standard output is for the figures
  caf::actor_system_config config;
  register_messages(config);
  caf::actor_system system{config};
  try {
    auto result = measure(system, o);
    std::cout << result.dump() << "\n";
    return result["all_met"].get<bool>() ? 0 : 1;
  } catch (const std::exception& problem) {
    std::cerr << "gnomon-bench-anti-entropy: " << problem.what() << "\n";
    std::exit(1);
  }
}
