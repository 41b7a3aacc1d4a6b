// Every message type goes through CAF's binary form and comes out as it went in. A type that is not covered here, or
// not registered, fails the last test.
#define CAF_SUITE protocol
#include "actors/messages/protocol.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/test/dsl.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

using namespace gnomon;
using namespace std::chrono_literals;

namespace {

constexpr auto infinity = std::numeric_limits<double>::infinity();

// Each member gets a value that no default has, and no two members of one struct the same where that is possible.
const timestamp noon{duration{1'700'000'043'210}};
const holding_id holding{0xFEDCBA9876543210u, 77};
const std::string odd_text{"key \0 \xE3\x82\xAD/\xFF", 11};

struct config : caf::actor_system_config {
  config() {
    register_messages(*this);
    set("scheduler.max-threads", size_t{1});
  }
};

struct fixture {
  config settings;
  caf::actor_system system{settings};
  caf::actor somebody = system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });

  ~fixture() {
    caf::anon_send_exit(somebody, caf::exit_reason::user_shutdown);
  }

  template <class Handle>
  Handle handle() const {
    return caf::actor_cast<Handle>(somebody);
  }

  std::vector<char> packed(const caf::message& message) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    CAF_REQUIRE_EQUAL(sink(message), caf::none);
    return bytes;
  }

  /// Sends `x` through bytes as a message of its own, as CAF does between nodes; notes that its type is covered.
  template <class T>
  T travel(T x) {
    covered.insert(caf::type_id<T>::value);
    auto sent = caf::make_message(std::move(x));
    auto bytes = packed(sent);
    caf::message arrived;
    caf::binary_deserializer source{system, bytes};
    CAF_REQUIRE_EQUAL(source(arrived), caf::none);
    CAF_CHECK_EQUAL(source.remaining(), 0u);
    CAF_REQUIRE(arrived.match_elements<T>());
    CAF_CHECK_EQUAL(caf::to_string(arrived), caf::to_string(sent));
    CAF_CHECK(packed(arrived) == bytes);
    return arrived.get_as<T>(0);
  }

  std::set<uint16_t> covered;
};

version_vector some_context() {
  version_vector context;
  context.add({holding, 5});
  context.add({{1, std::numeric_limits<uint64_t>::max()}, 9});
  return context;
}

sibling some_sibling() {
  return {{holding, 5}, {1'700'000'000'123, 4}, "text/plain", "request-1", "ann", noon, 12, 0xABCDEF0123456789u, true};
}

version_set some_versions() {
  return {some_context(), {some_sibling(), some_sibling()}};
}

holder_map some_holders() {
  holder_map holders;
  holders.begin_epoch("eu", holder_state::durable);
  holders.begin_epoch("us", holder_state::joining);
  holders.begin_epoch("us", holder_state::left);
  return holders;
}

lease some_lease() {
  return {lease_reason::prediction, 0.3, noon, noon + 1s, 90s};
}

std::vector<blob> some_values() {
  return {blob{odd_text}, blob{}, blob{std::string{}}, blob{std::string(1u << 20, '\x80')}};
}

item_copy some_copy() {
  return {odd_text, some_versions(), some_values(), some_holders(), {{odd_text, {{1, 2}, 3}, timestamp{duration{4}}}},
          true};
}

node_identity some_node() {
  return {"cluster",
          "eu",
          "eu-central-1",
          "127.0.0.1:7101",
          0xFFFFFFFFFFFFFFFFu,
          3,
          infinity,
          -infinity,
          {"203.0.113.7:80", "[2001:db8::7]:80"}};
}

ping some_facts() {
  return {some_node(),
          {some_node(), some_node()},
          {12.5, -1},
          8,
          {1, 0, std::numeric_limits<uint64_t>::max()},
          5,
          6,
          7,
          8,
          true,
          9,
          8,
          false};
}

copy_report some_report() {
  return {"eu",
          "eu-central-1",
          holder_state::shadow,
          lease_reason::request,
          -0.0,
          some_context(),
          "\"tag\"",
          noon,
          timestamp::max(),
          1,
          2,
          6.5,
          3,
          4,
          0.25,
          0.5,
          "it pays for itself",
          true,
          false};
}

policy_entry some_policy() {
  return {policy_scope::user, "ann", R"({"factor": 3})", {1'700'000'000'321, 9}};
}

token_record some_token() {
  return {"0123", odd_text, role::write, {"news", "sports"}, "scrypt$14$8$1$a$b", noon, noon + 1s, true};
}

catalog_row some_row() {
  return {odd_text, false, true};
}

struct samples : fixture {
  /// A client's requests and their answers.
  void travel_of_clients() {
    travel(read_item{odd_text, "ann", some_context(), true, true, "192.0.2.1", read_condition::if_changed, "\"tag\"",
                     "0-9"});
    travel(
        item_versions{odd_text, some_versions(), some_values(), "eu", copy_kind::prefetched, true, "203.0.113.7:80"});
    travel(write_item{odd_text, "ann", blob{odd_text}, "image/png", true, some_context(), write_condition::if_match,
                      "\"tag\"", "request-1", acks_all, noon, true});
    travel(write_receipt{odd_text, some_context(), "\"tag\"", true, 3, "eu"});
    travel(list_items{"news/", "news/7", 17, true});
    travel(
        item_page{{{odd_text, 9, "text/plain", holder_state::left, 3}, {"b", 0, "", holder_state::shadow, 1}}, true});
    travel(create_shadow{odd_text, "ann", 4, 90s, lease_reason::policy});
    travel(shadow_plan{odd_text, 4, {{"eu", "eu-central-1", holder_state::durable, true}}, "too few regions"});
    travel(get_shadow_status{odd_text});
    travel(copy_report{some_report()});
    travel(shadow_report{odd_text, 4, 2, "eu", {some_report(), some_report()}});
    travel(put_policy{policy_scope::item, "news/7", "{}", {"token x", "192.0.2.1"}});
    travel(get_policies{});
    travel(put_token{some_token()});
    travel(revoke_token{odd_text});
    travel(get_tokens{});
    travel(token_list{{some_token(), some_token()}});
    travel(policy_list{{some_policy(), some_policy()}, {{"ap", 9}}, odd_text, {some_token()}});
    travel(get_route{odd_text, true, infinity, -infinity, "192.0.2.1"});
    travel(route_list{{{"eu", "eu-central-1", true, false, infinity, std::nan(""), 12.5, "far away"}}, odd_text});
    travel(get_effective_policy{odd_text, "ann"});
    travel(effective_policy{odd_text, "ann", "{}", {{"ttl", "user", "ann"}}});
    travel(drop_shadow{odd_text, "eu-central-1"});
    travel(shadow_drop{odd_text, "eu"});
    travel(count_items{odd_text});
    travel(item_count{3, 4, false});
    travel(get_cluster{});
    node_report peer{"us", "us-east-1", "h:1", 9, 1.5, -2.5, peer_state::down, infinity, 1, 2, 3, 4, -1, true, true};
    travel(cluster_report{"eu", {peer}, 7, {true, 1, 2, 3, 4}, {{"ap", 9}}});
    travel(remove_node{odd_text, true, {"token x", "192.0.2.1"}});
    travel(node_removal{odd_text, 9, 3});
    travel(load_item{some_copy(), true});
    travel(load_receipt{odd_text, load_outcome::expired});
    travel(hello_client{"shell", 7});
    travel(find_actor{odd_text});
    travel(found_actor{odd_text, "eu", 7, {"a", odd_text}});
    travel(actor_message{odd_text, 7, blob{odd_text}, true});
    travel(actor_reply{blob{odd_text}});
    travel(client_welcome{some_node(), handle<router_actor>()});
  }

  void travel_of_changes() {
    item_step step{odd_text, {}, some_context(), odd_text, noon, true, false};
    travel(step);
    travel(pull_steps{"eu", {{odd_text}, {"news/"}}, ~0ull, 7, 3s});
    travel(step_page{~0ull, 8, {step}, true});
    travel(list_states{odd_text, true, "a", 10});
    travel(state_page{{{odd_text, some_versions()}}, true});
    travel(follow_changes{follow_scope::prefix, odd_text, "1-2", 10s, true, true});
    travel(change_page{{{"written", odd_text, "context", "etag", 3, "1-2", 17, true, odd_text, "text/plain"}}, "1-2"});
  }

  /// What is learned and predicted.
  void travel_of_prediction() {
    travel(get_prediction{odd_text, 7, true});
    travel(predicted_item{odd_text, 0.25, 0.5, {"a", "b"}, {"c"}});
    travel(prediction{odd_text, "n", 9, {{"i", 0.5, 0.25, {"a"}, {"b", "c"}}}, 3});
    travel(forget_user{odd_text, {"token x", "192.0.2.1"}});
    travel(forget_receipt{odd_text, 3});
    travel(train_piece{1, 2, blob{"text"}, false, {"token x", "192.0.2.1"}});
    travel(get_training{7});
    travel(line_complaint{9, odd_text});
    travel(model_figures{0.5, infinity, -1.0, 7});
    travel(demand_figures{0.25, 0.125, 9, odd_text, 0.5, infinity});
    travel(training_status{1,
                           training_phase::kept,
                           2,
                           3,
                           4,
                           5,
                           13,
                           14,
                           {{6, odd_text}},
                           0.5,
                           1.5,
                           2.5,
                           {0.5, 0.25, 0.125, 8},
                           {0.5, 0.25, 0.125, 9},
                           {0.5, 0.25, 10, "trees", 0.5, 0.25},
                           {0.5, 0.25, 11, "formula", 0.5, 0.25},
                           true,
                           false,
                           12,
                           odd_text});
    training_status job;
    job.job = 7;
    travel(list_trainings{});
    travel(training_list{{job, {}}});
    travel(report_reads{{{odd_text, "ann", 3}, {"b", "", 1}}});
    travel(reads_receipt{4});
    travel(item_accesses{odd_text, 3, 4, noon});
    travel(region_accesses{"r", {{"i", 1, 2, noon}}});
    travel(accesses_ack{});
    travel(past_access{odd_text, "i", "r", 7});
    travel(past_accesses{{{"u", odd_text, "r", 7}}, 3, false});
    travel(past_receipt{4, 5});
    travel(state_piece{6, blob{"text"}, true});
    travel(prefetch_wish{odd_text, 0.75});
    travel(prefetch_wishes{{{"i", 0.5}}});
  }

  /// What peers say to each other.
  void travel_between_nodes() {
    travel(fetch_item{odd_text, "us", true, true, true});
    travel(some_copy());
    travel(fetch_value{odd_text, {{1, 2}, 3}, 9});
    travel(version_value{blob{std::string{"value"}}});
    travel(replicate_item{some_copy(), "eu", {"us", "ap"}});
    travel(replicate_ack{some_context(), some_holders(), true});
    travel(invite_copy{odd_text, "eu", holder_state::durable, some_lease(), 7});
    travel(invite_answer{true, "no room", {some_holders(), true, some_context(), true}});
    travel(update_holders{odd_text, "eu", some_holders(), some_context(), true, true, true});
    travel(holders_ack{some_holders(), true, some_context(), true});
    travel(compare_trees{"eu", 2, {{7, {1, 0, std::numeric_limits<uint64_t>::max()}}, {8, {}}}});
    travel(tree_difference{{5, std::numeric_limits<uint64_t>::max()}});
    travel(compare_leaves{"eu", {9, 10}, {{odd_text, 7}, {"b", 0}}});
    travel(leaf_difference{{odd_text, "b"}, 11});
    travel(steward_order{odd_text, "eu", some_context(), steward_word::demote});
    travel(steward_answer{true, holder_state::durable, some_context(), some_holders(), 1.5});
    travel(get_copy_report{odd_text});
    travel(pull_catalog{63, 8, 9, odd_text});
    travel(catalog_delta{63, 8, 9, true, true, {some_row(), {"b", true}}});
    travel(exchange_policies{{some_policy()}, {{"ap", 9}}, true, true, {some_token()}, true});
    travel(some_node());
    travel(some_facts());
    travel(pong{some_facts()});
    travel(greeting{reception::refused, "another cluster", some_node()});
    travel(hello{some_node(), 11, handle<link_end_actor>(), 12, 13});
    travel(frame{14, std::string(1u << 20, '\0')});
    travel(credit{14, 15, 16});
    travel(session_over{17});
  }

  /// What the actors of a node say to each other.
  void travel_inside_a_node() {
    travel(dial_result{{reception::call_back, "you dial", some_node()}, handle<gate_actor>()});
    travel(session_lost{"us", "its connection was lost"});
    travel(access_batch{{{odd_text, "ann", noon, 18, true, true, 3}, {"b", "", {}, 1, false, false}}});
    travel(expiry_due{odd_text, noon});
    travel(place_copies{odd_text, 4, 2, {"us", "ap"}, some_lease(), {"af"}, true});
    travel(catalog_position{"eu", 63, 8, 9});
    travel(copy_notes{{{odd_text, true, 12, {"us", "ap"}, true}, {"b", false, 0, {}, false}}, true});
    travel(list_held{{1, 2}, "us"});
    travel(held_ids{{odd_text, "b"}});
    travel(some_row());
    travel(store_batch{{{odd_text, blob{odd_text}}, {"k", blob{std::string{}}}}, {"gone", odd_text}});
    travel(store_receipt{19});
    travel(store_get{{odd_text, ""}});
    travel(store_values{some_values(), {true, false, true, true}});
    travel(found_copies{{{{odd_text, true, 12, {"us"}, false}, true, 100}}});
    travel(lost_ids{odd_text, "z"});
    travel(store_scan{odd_text, "z", 20, true});
    travel(store_entries{{{odd_text, blob{odd_text}}, {"k", blob{}}}, true});
    travel(traffic::prefetch);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(protocol_tests, samples)

CAF_TEST(every_message_type_travels) {
  travel_of_clients();
  travel_of_changes();
  travel_of_prediction();
  travel_between_nodes();
  travel_inside_a_node();

  // a type of the block that is missing above
  auto first = caf::id_block::gnomon::begin;
  for (auto id = first; id < caf::id_block::gnomon::end; ++id)
    if (covered.count(id) == 0)
      CAF_ERROR("message type number " << (id - first)
                                       << " of the list in actors/messages/type_ids.hpp does not travel here");
  CAF_CHECK_EQUAL(covered.size(), size_t{caf::id_block::gnomon::end} - first);
}

CAF_TEST(infinities_negative_zero_and_nan_arrive_as_they_were) {
  auto bits = [](double x) {
    uint64_t result = 0;
    std::memcpy(&result, &x, sizeof x);
    return result;
  };
  for (auto x : {infinity, -infinity, -0.0, std::nan(""), std::numeric_limits<double>::denorm_min(), 0.1})
    CAF_CHECK_EQUAL(bits(travel(get_route{"a", true, x, 1}).latitude), bits(x));
}

CAF_TEST(values_of_any_size_arrive_whole) {
  for (size_t size : {0u, 1u, 127u, 128u, 65'536u, 1u << 20}) {
    std::string value(size, '\0');
    for (size_t i = 0; i < size; ++i)
      value[i] = static_cast<char>(i * 31);
    CAF_CHECK(travel(store_values{{blob{value}}, {true}}).values.front().view() == value);
  }
}

CAF_TEST(a_handle_arrives_as_the_same_actor) {
  CAF_CHECK(travel(client_welcome{some_node(), handle<router_actor>()}).router == handle<router_actor>());
  CAF_CHECK(travel(dial_result{{}, handle<gate_actor>()}).gate == handle<gate_actor>());
  CAF_CHECK(!travel(dial_result{{}, gate_actor{}}).gate);
}

CAF_TEST_FIXTURE_SCOPE_END()
