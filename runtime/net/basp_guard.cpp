#include "runtime/net/basp_guard.hpp"

#include "actors/cluster/parcels.hpp"

#include <caf/atom.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {
namespace {

enum operation : uint8_t {
  server_handshake,
  client_handshake,
  direct_message,
  routed_message,
  monitor,
  down,
  heartbeat
};

constexpr size_t header_bytes = 32;
constexpr uint8_t named_receiver = 1;
constexpr auto spawn_server = static_cast<uint64_t>(caf::atom("SpawnServ"));
constexpr auto default_node = static_cast<uint64_t>(caf::atom("default"));
constexpr size_t node_bytes = 8 + 4 + 20;
constexpr uint64_t response_flag = 1ull << 63, request_mask = (1ull << 60) - 1;

constexpr size_t longest_name = 255, max_sentence_bytes = 4096, max_addresses = 64;
constexpr size_t max_small_bytes = 8192;        // of all messages but frames
constexpr uint64_t max_window_bytes = 1u << 30; // as the config allows
constexpr uint64_t max_window_frames = 1'000'000;
constexpr uint64_t spare_bytes = 512u << 10,
                   spare_frames = 64; // a frame may exceed a window, and a session may be over
constexpr size_t max_known_actors = 256, max_peers = 256;
constexpr double others_a_second = 32, most_others = 128;

bool is_async(uint64_t id) {
  return (id & (response_flag | request_mask)) == 0;
}

bool is_response(uint64_t id) {
  return (id & response_flag) != 0;
}

void remember(std::set<uint64_t>& actors, uint64_t id) {
  actors.insert(id);
  if (actors.size() > max_known_actors)
    actors.erase(actors.begin()); // the oldest: ids grow
}

} // namespace

/// Reads as CAF's serializers write: numbers with the most significant byte first, texts and lists after their length
/// in groups of seven bits. Remembers a failure, so that its users check once at the end.
class basp_guard::fields {
public:
  explicit fields(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    uint64_t value = 0;
    for (auto c : take(sizeof(T)))
      value = value << 8 | static_cast<uint8_t>(c);
    return static_cast<T>(value);
  }
  size_t length(size_t most) {
    uint64_t value = 0;
    for (auto shift = 0; shift < 35; shift += 7) {
      const auto part = number<uint8_t>();
      value |= static_cast<uint64_t>(part & 0x7F) << shift;
      if ((part & 0x80) == 0)
        return value <= most ? value : fail();
    }
    return fail();
  }
  std::string_view text(size_t most) {
    return take(length(most));
  }
  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  /// An id of CAF's for a node, in the one form that nodes use.
  std::string_view node() {
    const auto bytes = take(node_bytes);
    if (fields{bytes}.number<uint64_t>() != default_node)
      fail();
    return bytes;
  }
  /// The names of the types of a message.
  std::string_view types() {
    if (number<uint16_t>() != 0)
      fail();
    return text(longest_name);
  }
  void error() {
    number<uint8_t>();
    number<uint64_t>();
    auto context = types();
    if (!context.starts_with("@<>"))
      fail();
    for (context.remove_prefix(std::min<size_t>(3, context.size())); !context.empty(); context.remove_prefix(5)) {
      if (!context.starts_with("+@str"))
        return static_cast<void>(fail());
      text(max_sentence_bytes);
    }
  }
  bool good() const {
    return !failed_;
  }
  /// All was there, and nothing is left.
  bool whole() const {
    return !failed_ && rest_.empty();
  }

private:
  size_t fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

struct basp_guard::header {
  uint8_t operation, flags;
  uint32_t length; // of the payload
  uint64_t data, source, target;

  explicit header(std::string_view bytes) {
    fields in{bytes.substr(0, header_bytes)};
    operation = in.number<uint8_t>();
    in.number<uint16_t>(); // nothing
    flags = in.number<uint8_t>();
    length = in.number<uint32_t>();
    data = in.number<uint64_t>();
    source = in.number<uint64_t>();
    target = in.number<uint64_t>();
  }
  size_t bytes() const {
    return header_bytes + length;
  }
  /// CAF looks for a service of nodes, which none of ours asks for.
  bool asks_spawn_server() const {
    return operation == direct_message && (flags & named_receiver) != 0 && target == spawn_server;
  }
};

namespace {

basp_guard::ruling cut(std::string reason) {
  return {basp_guard::verdict::cut, 0, std::move(reason)};
}

} // namespace

// -- peers -----------------------------------------------------------------------------------------------------------

std::shared_ptr<peer_traffic> basp_peers::with(const std::string& peer) {
  // Names are as many as there are certificates; without any, whoever may call may call himself anything.
  if (peers_.size() > max_peers)
    std::erase_if(peers_, [](const auto& each) { return each.second.use_count() == 1; });
  auto& found = peers_[peer];
  if (!found)
    found = std::make_shared<peer_traffic>();
  return found;
}

bool basp_peers::knows(std::string_view caf_node, const peer_traffic& except) const {
  return caf_node == own_ || std::any_of(peers_.begin(), peers_.end(), [&](const auto& each) {
           return each.second.get() != &except && each.second.use_count() > 1 && each.second->caf_node == caf_node;
         });
}

basp_guard::basp_guard(std::shared_ptr<basp_peers> all, std::string peer, bool called)
    : all_(std::move(all)), traffic_(all_->with(peer)), peer_(std::move(peer)), called_(called) {}

// -- what arrives ----------------------------------------------------------------------------------------------------

/// The length is judged before the rest of the message is waited for.
basp_guard::ruling basp_guard::judge(std::string_view arrived, time_point now) {
  if (arrived.size() < header_bytes)
    return {};
  const header head{arrived};
  if (head.bytes() > (head.operation == direct_message ? max_basp_bytes : max_small_bytes))
    return cut(fmt::format("it announced a message of {} bytes", head.bytes()));
  if (handshakes_ == 0 && head.operation != (called_ ? client_handshake : server_handshake))
    return cut("it did not begin with a handshake");
  if (arrived.size() < head.bytes())
    return {};
  const fields payload{arrived.substr(header_bytes, head.length)};
  auto result = cut(fmt::format("it sent a message of kind {}, which nodes do not send", head.operation));
  if (head.asks_spawn_server())
    result = {verdict::drop, head.bytes()};
  else if (head.operation == server_handshake || head.operation == client_handshake)
    result = judge_handshake(head, payload);
  else if (head.operation == direct_message)
    return judge_direct(head, payload);
  else if (head.operation == monitor || head.operation == down || head.operation == heartbeat)
    result = judge_notice(head, payload);
  return result.what == verdict::cut || one_more(now) ? result : cut("it sent more messages than it had reason to");
}

bool basp_guard::one_more(time_point now) {
  auto& t = *traffic_;
  const auto since = t.counted_at == time_point{} ? 0.0 : std::chrono::duration<double>(now - t.counted_at).count();
  t.others_due = std::min(most_others, t.others_due + std::max(0.0, since) * others_a_second);
  t.counted_at = now;
  return t.others_due >= 1 && (t.others_due -= 1, true);
}

/// A caller's CAF introduces itself at once, and again when it has read our handshake.
basp_guard::ruling basp_guard::judge_handshake(const header& head, fields payload) {
  if (called_ != (head.operation == client_handshake) || ++handshakes_ > (called_ ? 2 : 1))
    return cut("it sent a handshake that was not its turn");
  const auto node = payload.node();
  if (!called_) {
    for (auto n = payload.length(16); n > 0; --n)
      payload.text(longest_name); // what programs are called
    payload.number<uint64_t>();   // its gate
    for (auto n = payload.length(max_addresses); n > 0; --n)
      payload.text(max_small_bytes); // what that understands
  }
  if (!payload.whole() || (called_ && (head.source != 0 || head.target != 0)) || (!called_ && head.data == 0))
    return cut("its handshake cannot be read");
  if (all_->knows(node, *traffic_))
    return cut("its handshake names another node");
  traffic_->caf_node = node;
  return {verdict::pass, head.bytes()};
}

basp_guard::ruling basp_guard::judge_direct(const header& head, fields payload) {
  if (head.flags != 0 || head.source == 0 || payload.length(0) != 0)
    return cut("it sent a message in a form that links do not use");
  const auto types = payload.types();
  if (types == "@<>+gnomon::frame")
    return judge_frame(head, payload);
  if (head.bytes() > max_small_bytes)
    return cut(fmt::format("it sent a message of {} bytes that is no frame", head.bytes()));
  if (types == "@<>+gnomon::credit" || types == "@<>+gnomon::session_over")
    return judge_answer(head, payload, types == "@<>+gnomon::credit");
  if (types == "@<>+gnomon::hello")
    return judge_hello(head, payload);
  if (types != "@<>+@error")
    return cut(fmt::format("it sent a message of types {}, which links do not send", types));
  payload.error();
  return payload.whole() && is_response(head.data) && traffic_->actors.count(head.target) > 0
             ? ruling{verdict::pass, head.bytes()}
             : cut("its answer to a greeting cannot be read");
}

/// Its actors are remote ones of its own CAF: another node's handle would lead this node's messages astray.
basp_guard::ruling basp_guard::judge_hello(const header& head, fields payload) {
  auto& t = *traffic_;
  payload.text(longest_name); // the cluster
  const auto name = payload.text(longest_name);
  payload.text(longest_name); // the region
  payload.text(longest_name); // the address
  payload.take(4 * sizeof(uint64_t));
  for (auto n = payload.length(max_addresses); n > 0; --n)
    payload.text(longest_name);
  const auto session = payload.number<uint64_t>();
  const auto end = payload.number<uint64_t>();
  const auto node = payload.node();
  const auto window_bytes = payload.number<uint64_t>();
  const auto window_frames = payload.number<uint32_t>();
  if (!payload.whole() || end == 0 || is_async(head.data))
    return cut("its greeting for a link cannot be read");
  if (name != peer_ || node != t.caf_node)
    return cut(fmt::format("it is {}, and sent a greeting for another node's link", peer_));
  if (!(is_response(head.data) ? t.actors : t.gates).count(head.target))
    return cut("it greeted an actor that is not for it");
  t.session = session;
  t.window_bytes = std::min(window_bytes, max_window_bytes);
  t.window_frames = std::min<uint64_t>(window_frames, max_window_frames);
  t.bytes = t.frames = 0;
  return {verdict::pass, head.bytes()};
}

/// Frames of a session that is over are not credited: as many as were under way may still come.
basp_guard::ruling basp_guard::judge_frame(const header& head, fields payload) {
  auto& t = *traffic_;
  payload.number<uint64_t>(); // the session
  const auto bytes = payload.text(max_basp_bytes).size();
  if (!payload.whole() || !is_async(head.data))
    return cut("it sent a frame that cannot be read");
  if (!t.actors.count(head.target))
    return cut("it sent a frame to an actor that is not its link");
  t.bytes += bytes;
  ++t.frames;
  if (t.bytes > 2 * t.window_bytes + spare_bytes || t.frames > 2 * t.window_frames + spare_frames)
    return cut("it sent more frames than it had credit for");
  return {verdict::pass, head.bytes()};
}

basp_guard::ruling basp_guard::judge_answer(const header& head, fields payload, bool credit) {
  auto& t = *traffic_;
  payload.take(credit ? 8 + 8 + 4 : 8);
  if (!payload.whole() || !is_async(head.data))
    return cut("it sent a credit, or the end of a session, that cannot be read");
  if (!t.actors.count(head.target))
    return cut("it sent a credit, or the end of a session, to an actor that is not its link");
  if (t.answers_due == 0)
    return cut("it sent more credits than there were frames");
  --t.answers_due;
  return {verdict::pass, head.bytes()};
}

/// About actors that it watches, or that were watched there and have ended.
basp_guard::ruling basp_guard::judge_notice(const header& head, fields payload) {
  if (head.operation == heartbeat)
    return head.length == 0 && head.data == 0 && head.source == 0 && head.target == 0
               ? ruling{verdict::pass, head.bytes()}
               : cut("it sent a heartbeat that cannot be read");
  const auto from = payload.node(), to = payload.node();
  if (head.operation == down)
    payload.error();
  if (!payload.whole() || head.data != 0 || (head.operation == down && (head.source == 0 || head.target != 0)))
    return cut("it sent a notice about an actor that cannot be read");
  if (from != traffic_->caf_node || to != all_->own())
    return cut("it sent a notice about an actor of another node");
  return {verdict::pass, head.bytes()};
}

// -- what is sent ----------------------------------------------------------------------------------------------------

/// Only the beginning of each message is kept until it is read.
void basp_guard::note(std::string_view sent) {
  while (!sent.empty()) {
    const auto skipped = std::min<uint64_t>(to_skip_, sent.size());
    to_skip_ -= skipped;
    sent.remove_prefix(skipped);
    const auto wanted =
        sent_.size() < header_bytes ? header_bytes : std::min(header{sent_}.bytes(), header_bytes + max_small_bytes);
    const auto more = sent.substr(0, wanted - sent_.size());
    sent_.append(more);
    sent.remove_prefix(more.size());
    if (sent_.size() < header_bytes)
      continue;
    const header head{sent_};
    if (sent_.size() < std::min(head.bytes(), header_bytes + max_small_bytes))
      continue;
    note_message(sent_);
    to_skip_ = head.bytes() - sent_.size();
    sent_.clear();
  }
}

void basp_guard::note_message(std::string_view message) {
  auto& t = *traffic_;
  const header head{message};
  fields payload{message.substr(header_bytes)};
  if (head.operation == server_handshake) {
    payload.node();
    for (auto n = payload.length(16); n > 0; --n)
      payload.text(longest_name);
    remember(t.gates, payload.number<uint64_t>());
  }
  if (head.operation != direct_message || (head.flags & named_receiver) != 0 || payload.length(0) != 0)
    return;
  remember(t.actors, head.source);
  const auto types = payload.types();
  if (types == "@<>+gnomon::frame")
    ++t.answers_due;
  if (types != "@<>+gnomon::credit" || payload.number<uint64_t>() != t.session)
    return;
  t.bytes -= std::min(t.bytes, payload.number<uint64_t>());
  t.frames -= std::min<uint64_t>(t.frames, payload.number<uint32_t>());
}

} // namespace gnomon
