#include "runtime/net/basp_guard.hpp"

#include "runtime/net/basp_reader.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon {

namespace {

constexpr uint64_t max_window_bytes = 1u << 30; // as the config allows
constexpr uint64_t max_window_frames = 1'000'000;
constexpr uint64_t spare_bytes = 512u << 10,
                   spare_frames = 64; // a frame may exceed a window, and a session may be over
constexpr size_t max_peers = 256;
constexpr double others_a_second = 32, most_others = 128;

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

basp_guard::basp_guard(std::shared_ptr<basp_peers> all, std::string peer, basp_role role, introduced tell)
    : all_(std::move(all)), traffic_(all_->with(peer)), peer_(std::move(peer)), role_(role), tell_(std::move(tell)) {}

// -- what arrives ----------------------------------------------------------------------------------------------------

/// The length is judged before the rest of the message is waited for.
basp_guard::ruling basp_guard::judge(std::string_view arrived, time_point now) {
  if (rest_of_request_ > 0)
    return judge_rest(arrived.size());
  if (arrived.size() < basp::header_bytes)
    return {};
  const header head{arrived};
  if (head.bytes() > longest(head))
    return basp::cut(fmt::format("it announced a message of {} bytes", head.bytes()));
  if (handshakes_ == 0 && head.operation != (called() ? basp::client_handshake : basp::server_handshake))
    return basp::cut("it did not begin with a handshake");
  if (role_ == basp_role::shell && head.operation == basp::direct_message && !head.asks_spawn_server())
    return judge_request(head, arrived);
  if (arrived.size() < head.bytes())
    return {};
  const fields payload{arrived.substr(basp::header_bytes, head.length)};
  auto result = basp::cut(fmt::format("it sent a message of kind {}, which nodes do not send", head.operation));
  if (head.asks_spawn_server())
    result = {verdict::drop, head.bytes()};
  else if (head.operation == basp::server_handshake || head.operation == basp::client_handshake)
    result = judge_handshake(head, payload);
  else if (head.operation == basp::direct_message)
    return judge_direct(head, payload);
  else if (head.operation == basp::monitor || head.operation == basp::down || head.operation == basp::heartbeat)
    result = judge_notice(head, payload);
  return result.what == verdict::cut || one_more(now) ? result
                                                      : basp::cut("it sent more messages than it had reason to");
}

size_t basp_guard::longest(const header& head) const {
  if (head.operation != basp::direct_message)
    return basp::max_small_bytes;
  return role_ == basp_role::shell && !head.asks_spawn_server() ? longest_request : max_basp_bytes;
}

/// A shell's CAF watches each actor that answers it.
bool basp_guard::one_more(time_point now) {
  auto& t = *traffic_;
  if (role_ == basp_role::shell && t.answers_due > 0)
    return --t.answers_due, true;
  const auto since = t.counted_at == time_point{} ? 0.0 : std::chrono::duration<double>(now - t.counted_at).count();
  t.others_due = std::min(most_others, t.others_due + std::max(0.0, since) * others_a_second);
  t.counted_at = now;
  return t.others_due >= 1 && (t.others_due -= 1, true);
}

/// A caller's CAF introduces itself at once, and again when it has read our handshake, under the same id.
basp_guard::ruling basp_guard::judge_handshake(const header& head, fields payload) {
  if (called() != (head.operation == basp::client_handshake) || ++handshakes_ > (called() ? 2 : 1))
    return basp::cut("it sent a handshake that was not its turn");
  const auto node = payload.node();
  if (!called()) {
    for (auto n = payload.length(16); n > 0; --n)
      payload.text(basp::longest_name); // what programs are called
    payload.number<uint64_t>();         // its gate
    for (auto n = payload.length(basp::max_addresses); n > 0; --n)
      payload.text(basp::max_small_bytes); // what that understands
  }
  if (!payload.whole() || (called() && (head.source != 0 || head.target != 0)) || (!called() && head.data == 0))
    return basp::cut("its handshake cannot be read");
  if (all_->knows(node, *traffic_) || (handshakes_ > 1 && node != caf_node_))
    return basp::cut("its handshake names another node");
  traffic_->caf_node = caf_node_ = node;
  if (handshakes_ == 1)
    forget_requests();
  if (tell_ && handshakes_ == 1)
    tell_(caf_node_);
  return {verdict::pass, head.bytes()};
}

basp_guard::ruling basp_guard::judge_direct(const header& head, fields payload) {
  if (head.flags != 0 || head.source == 0 || payload.length(0) != 0)
    return basp::cut("it sent a message in a form that links do not use");
  const auto types = payload.types();
  if (types == "@<>+gnomon::frame")
    return judge_frame(head, payload);
  if (head.bytes() > basp::max_small_bytes)
    return basp::cut(fmt::format("it sent a message of {} bytes that is no frame", head.bytes()));
  if (types == "@<>+gnomon::credit" || types == "@<>+gnomon::session_over")
    return judge_answer(head, payload, types == "@<>+gnomon::credit");
  if (types == "@<>+gnomon::hello")
    return judge_hello(head, payload);
  if (types != "@<>+@error")
    return basp::cut(fmt::format("it sent a message of types {}, which links do not send", types));
  payload.error();
  return payload.whole() && basp::is_response(head.data) && traffic_->actors.count(head.target) > 0
             ? ruling{verdict::pass, head.bytes()}
             : basp::cut("its answer to a greeting cannot be read");
}

/// Its actors are remote ones of its own CAF: another node's handle would lead this node's messages astray.
basp_guard::ruling basp_guard::judge_hello(const header& head, fields payload) {
  auto& t = *traffic_;
  payload.text(basp::longest_name); // the cluster
  const auto name = payload.text(basp::longest_name);
  payload.text(basp::longest_name); // the region
  payload.text(basp::longest_name); // the address
  payload.take(4 * sizeof(uint64_t));
  for (auto n = payload.length(basp::max_addresses); n > 0; --n)
    payload.text(basp::longest_name);
  const auto session = payload.number<uint64_t>();
  const auto end = payload.number<uint64_t>();
  const auto node = payload.node();
  const auto window_bytes = payload.number<uint64_t>();
  const auto window_frames = payload.number<uint32_t>();
  if (!payload.whole() || end == 0 || basp::is_async(head.data))
    return basp::cut("its greeting for a link cannot be read");
  if (name != peer_ || node != t.caf_node)
    return basp::cut(fmt::format("it is {}, and sent a greeting for another node's link", peer_));
  if (!(basp::is_response(head.data) ? t.actors : t.gates).count(head.target))
    return basp::cut("it greeted an actor that is not for it");
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
  if (!payload.whole() || !basp::is_async(head.data))
    return basp::cut("it sent a frame that cannot be read");
  if (!t.actors.count(head.target))
    return basp::cut("it sent a frame to an actor that is not its link");
  t.bytes += bytes;
  ++t.frames;
  if (t.bytes > 2 * t.window_bytes + spare_bytes || t.frames > 2 * t.window_frames + spare_frames)
    return basp::cut("it sent more frames than it had credit for");
  return {verdict::pass, head.bytes()};
}

basp_guard::ruling basp_guard::judge_answer(const header& head, fields payload, bool credit) {
  auto& t = *traffic_;
  payload.take(credit ? 8 + 8 + 4 : 8);
  if (!payload.whole() || !basp::is_async(head.data))
    return basp::cut("it sent a credit, or the end of a session, that cannot be read");
  if (!t.actors.count(head.target))
    return basp::cut("it sent a credit, or the end of a session, to an actor that is not its link");
  if (t.answers_due == 0)
    return basp::cut("it sent more credits than there were frames");
  --t.answers_due;
  return {verdict::pass, head.bytes()};
}

/// About actors that it watches, or that were watched there and have ended.
basp_guard::ruling basp_guard::judge_notice(const header& head, fields payload) {
  if (head.operation == basp::heartbeat)
    return head.length == 0 && head.data == 0 && head.source == 0 && head.target == 0
               ? ruling{verdict::pass, head.bytes()}
               : basp::cut("it sent a heartbeat that cannot be read");
  const auto from = payload.node(), to = payload.node();
  if (head.operation == basp::down)
    payload.error();
  if (!payload.whole() || head.data != 0 || (head.operation == basp::down && (head.source == 0 || head.target != 0)))
    return basp::cut("it sent a notice about an actor that cannot be read");
  if (from != traffic_->caf_node || to != all_->own())
    return basp::cut("it sent a notice about an actor of another node");
  return {verdict::pass, head.bytes()};
}

// -- what is sent ----------------------------------------------------------------------------------------------------

/// Only the beginning of each message is kept until it is read.
void basp_guard::note(std::string_view sent) {
  while (!sent.empty()) {
    const auto skipped = std::min<uint64_t>(to_skip_, sent.size());
    to_skip_ -= skipped;
    sent.remove_prefix(skipped);
    const auto wanted = sent_.size() < basp::header_bytes
                            ? basp::header_bytes
                            : std::min(header{sent_}.bytes(), basp::header_bytes + basp::max_small_bytes);
    const auto more = sent.substr(0, wanted - sent_.size());
    sent_.append(more);
    sent.remove_prefix(more.size());
    if (sent_.size() < basp::header_bytes)
      continue;
    const header head{sent_};
    if (sent_.size() < std::min(head.bytes(), basp::header_bytes + basp::max_small_bytes))
      continue;
    note_message(sent_);
    to_skip_ = head.bytes() - sent_.size();
    sent_.clear();
  }
}

void basp_guard::note_message(std::string_view message) {
  auto& t = *traffic_;
  const header head{message};
  fields payload{message.substr(basp::header_bytes)};
  if (head.operation == basp::server_handshake) {
    payload.node();
    for (auto n = payload.length(16); n > 0; --n)
      payload.text(basp::longest_name);
    basp::remember(t.gates, payload.number<uint64_t>());
  }
  if (role_ == basp_role::shell)
    return note_answer(head, payload);
  if (head.operation != basp::direct_message || (head.flags & basp::named_receiver) != 0 || payload.length(0) != 0)
    return;
  basp::remember(t.actors, head.source);
  const auto types = payload.types();
  if (types == "@<>+gnomon::frame")
    ++t.answers_due;
  if (types != "@<>+gnomon::credit" || payload.number<uint64_t>() != t.session)
    return;
  t.bytes -= std::min(t.bytes, payload.number<uint64_t>());
  t.frames -= std::min<uint64_t>(t.frames, payload.number<uint32_t>());
}

} // namespace gnomon
