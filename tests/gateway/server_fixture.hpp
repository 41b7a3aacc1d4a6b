#pragma once

#include "runtime/gateway/http_server.hpp"
#include "runtime/gateway/item_head.hpp"
#include "tests/support/http_get.hpp"

#include <mutex>

namespace gnomon::test {

/// What the fake router saw and how it is to behave; shared with the tests' thread.
struct router_script {
  std::mutex guard;
  std::map<std::string, write_item> stored;
  std::vector<access_sample> samples;
  std::string uploaded; // to train with
  uint32_t pieces = 0;
  bool upload_ended = false;
  std::vector<change> changes; // for followers, one an answer
  std::vector<follow_changes> followed;
  std::atomic<int> reads{0};
  std::atomic<bool> silent{false}; // never answer
};

struct fake_router_state {
  std::shared_ptr<router_script> script;
  std::vector<caf::response_promise> held;
};

inline item_versions versions_of(const std::string& id, const blob& value) {
  item_versions item;
  item.id = id;
  sibling version;
  version.content_type = "text/plain";
  version.bytes = value.size();
  item.versions.write({}, holding_id{7, 1}, version);
  item.values.push_back(value);
  item.served_by = "n1";
  return item;
}

/// No answer.
template <class Reply>
caf::delegated<Reply> never(router_actor::stateful_pointer<fake_router_state> self) {
  self->state.held.push_back(self->make_response_promise());
  return {};
}

inline std::optional<change_page> next_page(router_script& script, const follow_changes& asked) {
  std::lock_guard lock{script.guard};
  script.followed.push_back(asked);
  if (script.changes.empty())
    return std::nullopt;
  change_page page{{script.changes.front()}, script.changes.front().position};
  script.changes.erase(script.changes.begin());
  return page;
}

/// Nothing when the piece is out of order.
inline std::optional<training_status> take_piece(router_script& script, const train_piece& piece) {
  std::lock_guard lock{script.guard};
  if (piece.number != script.pieces || piece.job != (piece.number == 0 ? 0u : 7u))
    return std::nullopt;
  ++script.pieces;
  script.uploaded += piece.text.view();
  script.upload_ended = piece.last;
  training_status status;
  status.job = 7;
  return status;
}

inline caf::result<item_versions> read_from(router_script& script, const read_item& asked) {
  std::lock_guard lock{script.guard};
  auto found = script.stored.find(asked.id);
  if (found == script.stored.end())
    return make_error(ec::not_found, "no region has this item");
  return versions_of(asked.id, found->second.value);
}

/// Keeps writes in a map and answers reads from it.
inline router_actor::behavior_type fake_router(router_actor::stateful_pointer<fake_router_state> self,
                                               std::shared_ptr<router_script> script) {
  self->state.script = script;
  auto none = [] { return make_error(ec::unavailable, "the fake router does not do that"); };
  return {
      [=](const read_item& x) -> caf::result<item_versions> {
        ++script->reads;
        return script->silent ? never<item_versions>(self) : read_from(*script, x);
      },
      [=](const write_item& x) -> caf::result<write_receipt> {
        std::lock_guard lock{script->guard};
        auto created = script->stored.insert_or_assign(x.id, x).second;
        return write_receipt{x.id, {}, "\"e\"", created, 1, "n1"};
      },
      [=](const list_items&) -> caf::result<item_page> { return item_page{}; },
      [=](const create_shadow&) -> caf::result<shadow_plan> { return none(); },
      [=](const get_shadow_status&) -> caf::result<shadow_report> { return none(); },
      [=](const put_policy&) -> caf::result<policy_list> { return none(); },
      [=](const get_policies&) -> caf::result<policy_list> { throw std::runtime_error{"as told"}; },
      [](const fetch_item&) -> caf::result<item_copy> { return item_copy{}; },
      [](const load_item&) -> caf::result<load_receipt> { return load_receipt{}; },
      [](const exchange_policies&) -> caf::result<policy_list> { return policy_list{}; },
      [=](const get_route&) -> caf::result<route_list> { return none(); },
      [=](const get_cluster&) -> caf::result<cluster_report> {
        cluster_report report;
        report.self = "n1";
        return report;
      },
      [=](const remove_node&) -> caf::result<node_removal> { return none(); },
      [](deadline_a, uint64_t) {},
      [](flush_a) {},
      [=](const get_prediction&) -> caf::result<prediction> { return none(); },
      [=](const forget_user&) -> caf::result<forget_receipt> { return none(); },
      [=](const find_actor&) -> caf::result<found_actor> { return none(); },
      [=](const train_piece& x) -> caf::result<training_status> {
        if (auto status = take_piece(*script, x))
          return *status;
        return none();
      },
      [=](const get_training&) -> caf::result<training_status> { return none(); },
      [=](const access_batch&) {},
      [=](const follow_changes& x) -> caf::result<change_page> {
        if (auto page = next_page(*script, x))
          return *page;
        return never<change_page>(self);
      },
      [=](const get_effective_policy&) -> caf::result<effective_policy> { return none(); },
      [=](const list_trainings&) -> caf::result<training_list> { return none(); },
      [=](const report_reads&) -> caf::result<reads_receipt> { return none(); },
      [=](const drop_shadow&) -> caf::result<shadow_drop> { return none(); },
      [=](const count_items&) -> caf::result<item_count> { return none(); },
      [=](const put_token&) -> caf::result<token_list> { return none(); },
      [=](const revoke_token&) -> caf::result<token_list> { return none(); },
      [=](const get_tokens&) -> caf::result<token_list> { return none(); },
  };
}

inline agent_actor::behavior_type fake_agent(agent_actor::pointer, std::shared_ptr<router_script> script) {
  return {
      [=](const access_batch& batch) {
        std::lock_guard lock{script->guard};
        script->samples.insert(script->samples.end(), batch.samples.begin(), batch.samples.end());
      },
  };
}

struct server_fixture {
  struct system_config : caf::actor_system_config {
    system_config() {
      add_message_types<caf::id_block::gnomon>();
    }
  };

  server_fixture() {
    settings s;
    s.sample_every = 20ms;
    node_identity who;
    who.node = "n1";
    node = std::make_shared<node_context>(who, s, std::make_shared<scaled_clock>());
    node->fresh_until_ms = INT64_MAX;
    node_handles handles;
    handles.router = system.spawn(fake_router, script);
    handles.agent = system.spawn(fake_agent, script);
    node->handles.set(handles);
    limits.port = 0;
    limits.threads = 2;
  }
  ~server_fixture() {
    server.reset();
    auto handles = node->handles.get();
    caf::anon_send_exit(handles->router, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(handles->agent, caf::exit_reason::user_shutdown);
  }

  void start() {
    server = std::make_unique<http_server>(node, system, limits);
    auto bound = server->start();
    if (!bound)
      throw std::runtime_error(sentence_of(bound.error()));
    port = *bound;
  }

  /// The item as its shadow would publish it.
  void publish(const std::string& id, const std::string& value, timestamp expires = {}) {
    auto entry = std::make_shared<index_entry>();
    entry->versions = versions_of(id, blob{value});
    entry->versions.versions.siblings.front().expires = expires;
    node->index.put(entry);
  }

  std::string once(const std::string& request) {
    connection client{port};
    client.send(request);
    return client.read_answer();
  }
  std::string get(const std::string& target, const std::string& fields = {}) {
    return once("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
  }
  size_t stored() {
    std::lock_guard lock{script->guard};
    return script->stored.size();
  }

  system_config config;
  caf::actor_system system{config};
  std::shared_ptr<router_script> script = std::make_shared<router_script>();
  context_ptr node;
  http_config limits;
  std::unique_ptr<http_server> server;
  uint16_t port = 0;
};

inline bool is(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

} // namespace gnomon::test
