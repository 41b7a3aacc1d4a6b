// What another node sends: its greeting at the tunnel, frames of a link, and the requests and replies inside them.
#include "actors/cluster/packing.hpp"
#include "actors/cluster/parcels.hpp"
#include "runtime/net/preamble.hpp"
#include "tests/fuzz/target.hpp"

#include <cstring>

namespace gnomon::fuzz {
namespace {

// -- greetings -------------------------------------------------------------------------------------------------------

void read_greetings(std::string_view input) {
  const auto length = body_length(input.substr(0, std::min(preamble_head_bytes, input.size())));
  require(!length || *length <= max_preamble_bytes, "no greeting is longer than its bound");
  const auto body = length ? input.substr(preamble_head_bytes) : input;
  if (auto by = decode_caller(body))
    require(encode_caller(*by).substr(preamble_head_bytes) == body, "a caller reads back as it was written");
  if (auto answer = decode_greeting(body))
    require(encode_greeting(*answer).substr(preamble_head_bytes) == body, "a greeting reads back as it was written");
}

node_identity somebody() {
  return {.cluster = "c", .node = "n", .region = "r", .address = "127.0.0.1:1", .incarnation = 7, .start = 8};
}

std::vector<std::string> greetings() {
  return {encode_caller({somebody(), 5, 0}), encode_caller({somebody(), 5, 2}),
          encode_greeting({reception::welcome, "", somebody()}),
          encode_greeting({reception::refused, "why", somebody()})};
}

// -- frames ----------------------------------------------------------------------------------------------------------

void read_frames(std::string_view input) {
  inbox arrived;
  // In two frames, for a parcel may be cut.
  for (auto frame : {input.substr(0, input.size() / 2), input.substr(input.size() / 2), input})
    if (auto parcels = arrived.take(frame))
      for (const auto& each : *parcels)
        require(!each.bytes.empty() && each.bytes.size() <= max_parcel_bytes, "a parcel has its bounds");
    else
      arrived.clear();
  require(arrived.bytes() <= 3 * max_parcel_bytes, "what is not complete has its bounds");
}

std::vector<std::string> frames() {
  outbox out{{.window_bytes = 4096}};
  out.push({parcel_kind::request, traffic::client, 1, {1, 2, 3}});
  out.push({parcel_kind::reply, traffic::repair, 2, std::vector<char>(3000, 'x')});
  out.push({parcel_kind::request, traffic::client, 3, std::vector<char>(800, 'y')});
  std::vector<std::string> made;
  std::string all;
  for (auto frame = out.next_frame(); !frame.empty(); frame = out.next_frame()) {
    all += frame;
    out.credit(frame.size(), 1);
    made.push_back(std::move(frame));
  }
  made.push_back(all);
  return made;
}

// -- messages --------------------------------------------------------------------------------------------------------

struct only_messages : caf::actor_system_config {
  only_messages() {
    register_messages(*this);
    set("scheduler.max-threads", 1);
  }
};

caf::actor_system& actors() {
  static only_messages config;
  static auto& never_ended = *new caf::actor_system{config};
  return never_ended;
}

template <class T>
void read_as(const std::vector<char>& bytes) {
  T found;
  if (unpack(actors(), bytes, found))
    return;
  // Not the same bytes: what is a set or a map is written in its order.
  const auto written = pack(actors(), 0, found);
  T again;
  require(!written.empty() && !unpack(actors(), written, again), "a message reads back as it was written");
  require(pack(actors(), 0, again) == written, "a message reads back as the same");
}

template <size_t... Is>
void read_any(const std::vector<char>& bytes, std::index_sequence<Is...>) {
  using reading = void (*)(const std::vector<char>&);
  static constexpr reading requests[] = {&read_as<typename std::tuple_element_t<Is, peer_exchanges>::request_type>...};
  static constexpr reading replies[] = {&read_as<typename std::tuple_element_t<Is, peer_exchanges>::reply_type>...};
  const auto which = static_cast<uint8_t>(bytes.front());
  if (which < exchange_count)
    requests[which](bytes);
  else if (which - 128u < exchange_count)
    replies[which - 128u](bytes);
}

void read_messages(std::string_view input) {
  if (!input.empty())
    read_any({input.begin(), input.end()}, std::make_index_sequence<exchange_count>{});
}

template <size_t... Is>
std::vector<std::string> empty_messages(std::index_sequence<Is...>) {
  std::vector<std::string> made;
  auto add = [&](size_t first, auto x) {
    const auto bytes = pack(actors(), static_cast<uint8_t>(first), x);
    made.emplace_back(bytes.begin(), bytes.end());
  };
  (add(Is, typename std::tuple_element_t<Is, peer_exchanges>::request_type{}), ...);
  (add(128 + Is, typename std::tuple_element_t<Is, peer_exchanges>::reply_type{}), ...);
  item_copy copy{.id = "news/1"};
  copy.versions.write({}, {7, 1}, {.content_type = "text/plain", .bytes = 5});
  copy.values.emplace_back("value");
  add(128 + position_of<fetch_item>(), copy);
  return made;
}

std::vector<std::string> messages() {
  return empty_messages(std::make_index_sequence<exchange_count>{});
}

const listed greeting_target{"greetings", read_greetings, greetings};
const listed frame_target{"frames", read_frames, frames};
const listed message_target{"messages", read_messages, messages};

} // namespace
} // namespace gnomon::fuzz
