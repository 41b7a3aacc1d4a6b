// How requests are answered: from the read index at once, or by the router.
#include "actors/node/known_nodes.hpp"
#include "actors/node/patience.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/gateway/cors.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/http_connection.hpp"
#include "runtime/gateway/item_head.hpp"
#include "runtime/gateway/own_pages.hpp"
#include "runtime/gateway/rights.hpp"
#include "runtime/location/client_address.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace gnomon::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto router_grace = 2s; // beyond the actors' own bound: they should say themselves that it took too long

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    auto lower = static_cast<char>(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || std::string_view{"-._~:@/"}.find(c) != std::string_view::npos;
  });
}

} // namespace

/// The address of who asks, behind the proxies that the config trusts; nothing when the connection is gone.
std::optional<ip_address> connection::client(const request& asked) const {
  auto proxies = owner_.parts().node->proxies.get();
  if (!peer_ || proxies->empty())
    return peer_;
  auto value = [&asked](std::string_view name) {
    const auto* text = asked.field(name);
    return text ? std::string_view{*text} : std::string_view{};
  };
  return client_address(*peer_, {value("x-forwarded-for"), value("forwarded")}, *proxies);
}

// The path that has to be fast: a GET without conditions for an item that the index has, answered by one write.
bool connection::answer_from_index() {
  if (head_.conditional || head_.version != 11 || !keep_ || head_.method != "GET"
      || !head_.target.starts_with(item_path))
    return false;
  auto [path, query] = split_target(head_.target);
  auto id = path.substr(item_path.size());
  auto user_key = query.starts_with("user=") ? std::string_view{"user="} : std::string_view{"user_id="};
  auto user = query.substr(std::min(query.size(), user_key.size()));
  if ((!query.empty() && !query.starts_with(user_key)) || !is_plain(user) || !is_plain(id) || user.size() > max_id_bytes
      || has_dot_segment(id) || has_dot_segment(user))
    return false; // the general way says what is wrong, if anything is
  if (!who_ || !who_->has(role::read) || !who_->covers(data_type(id))
      || (head_.has_origin && !owner_.security()->origins.empty()))
    return false;
  auto entry = owner_.current(id, user);
  if (!entry)
    return false;
  if (entry->head(render_head).empty())
    return false;
  where_ = endpoint::item;
  owner_.stats.record(where_, 200, clock::now() - started_);
  // Before the answer goes out: that may give the buffer away in which the head lies.
  if (owner_.parts().node->proxies.get()->empty())
    owner_.elsewhere.note(entry->versions, peer_);
  else
    owner_.elsewhere.note(entry->versions, client(to_request(head_, false)));
  send_entry(entry);
  return true;
}

void connection::send_entry(const std::shared_ptr<const index_entry>& entry) {
  const auto& value = entry->versions.values.front();
  const auto& end = owner_.head_end();
  std::array<asio::const_buffer, 3> parts{asio::buffer(entry->head(render_head)), asio::buffer(end),
                                          asio::buffer(value.view())};
  error_code fault;
  auto sent = line_.write(parts, fault);
  if (fault && fault != asio::error::would_block)
    return close();
  if (sent == asio::buffer_size(parts))
    return;
  out_head_ = entry->head(render_head) + end;
  out_body_ = value;
  out_sent_ = std::min(sent, out_head_.size());
  out_rest_ = std::string_view{out_body_.view()}.substr(sent - out_sent_);
  phase_ = phase::writing;
  flush();
}

void connection::dispatch() {
  asked_.body = std::exchange(body_, {});
  auto& parts = owner_.parts();
  auto step = prepare(asked_, parts.node->time->now());
  if (auto* answer = std::get_if<response>(&step))
    return respond(std::move(*answer));
  if (auto* message = std::get_if<client_message>(&step))
    return ask(std::move(*message));
  const auto& tunnel = parts.config.tunnel_counts;
  server_facts facts{{}, parts.connections.load(), tunnel ? tunnel() : std::map<std::string, uint64_t>{}};
  facts.failed_openings = parts.failed_openings.load();
  if (const auto& shown = owner_.security()->credentials)
    facts.certificate_ends = std::chrono::system_clock::to_time_t(shown->own().ends);
  for (const auto& thread : parts.workers)
    facts.threads.push_back(&thread->stats);
  respond(answer_own(std::get<own_page>(step), *parts.node, facts));
}

/// What has come of a streamed body goes to the router; nothing is read until that has taken it.
void connection::hand_on() {
  asked_.body = std::exchange(body_, {});
  auto step = prepare_train(asked_, false);
  share_.release();
  ask(std::move(std::get<client_message>(step)));
}

void connection::ask(client_message message) {
  if (!is_still_permitted()) {
    keep_ = false;
    return streaming_ ? close() : respond(unauthorized(true));
  }
  if (auto refusal = refuse_scope(*who_, message)) {
    keep_ = keep_ && parser_->is_done();
    return respond(std::move(*refusal));
  }
  if (role_for(where_, asked_.method) == role::admin)
    sign(message, {who_->who, from()});
  if (auto* read = std::get_if<read_item>(&message); read && answer_from_index(*read))
    return;
  const auto& node = *owner_.parts().node;
  if (auto* read = std::get_if<read_item>(&message))
    if (node.effective_policy(read->id, read->user).routing == routing_rule::redirect)
      if (auto address = client(asked_))
        read->client = to_string(*address);
  const auto& limits = node.config;
  if (auto* follow = std::get_if<follow_changes>(&message)) {
    follow->wait = std::min(follow->wait, limits.request_timeout / 2);
    stream_ = *follow;
  }
  phase_ = phase::waiting;
  auto bytes = std::visit([](const auto& request) { return bytes_moved(request); }, message);
  deadline_ = clock::now() + limits.patience(limits.request_timeout, bytes) + router_grace;
  owner_.ask(serial_, std::move(message));
}

bool connection::answer_from_index(const read_item& message) {
  auto entry = owner_.current(message.id, message.user, message.seen);
  if (entry) {
    owner_.elsewhere.note(entry->versions, client(asked_));
    respond(complete(asked_, entry->versions));
    return true;
  }
  auto absent = owner_.is_absent(message);
  if (absent)
    respond(complete(asked_, nobody_holds_it()));
  return absent;
}

void connection::resume(client_result result) {
  guarded([&] { take(std::move(result)); });
}

void connection::take(client_result result) {
  if (phase_ != phase::waiting)
    return;
  if (auto* status = std::get_if<training_status>(&result); status && !parser_->is_done()) {
    asked_.upload.job = status->job;
    ++asked_.upload.pieces;
    phase_ = phase::body;
    body_end_ = clock::now() + owner_.parts().config.body_limit; // for the next piece
    return feed();
  }
  if (auto* page = std::get_if<change_page>(&result))
    return is_still_permitted() ? stream(std::move(*page)) : close();
  if (streaming_) // the node has lost its place: the client connects again, and says how far it is
    return close();
  keep_ = keep_ && parser_->is_done();
  if (auto* read = std::get_if<item_versions>(&result))
    owner_.elsewhere.note(*read, client(asked_));
  respond(complete(asked_, std::move(result)));
  if (phase_ == phase::head)
    serve();
}

void connection::fail(int status, std::string_view error, std::string_view detail) {
  keep_ = false;
  respond(problem(status, error, detail));
}

void connection::respond(response answer) {
  keep_ = keep_ && !owner_.draining();
  auto persistent = head_.version >= 11 ? "" : "keep-alive";
  add_cors(answer, asked_, owner_.security()->origins);
  out_head_ = head_of(answer, owner_.date(), keep_ ? persistent : "close");
  out_sent_ = 0;
  out_body_ = asked_.method == "HEAD" ? blob{} : std::move(answer.body);
  answer.body = out_body_;
  out_rest_ = answer.content();
  if (started_ != clock::time_point{})
    owner_.stats.record(where_, answer.status, clock::now() - started_);
  phase_ = phase::writing;
  share_.release(); // before the client can know that its request is over
  flush();
}

/// The next part of an answer that has no end. To a client of HTTP/1.0 it ends with the connection.
void connection::stream(change_page page) {
  auto chunked = head_.version >= 11;
  out_head_.clear();
  if (!streaming_) {
    response answer;
    answer.headers.emplace_back("Content-Type", "text/event-stream");
    if (chunked)
      answer.headers.emplace_back("Transfer-Encoding", "chunked");
    answer.without_length = true;
    add_cors(answer, asked_, owner_.security()->origins);
    out_head_ = head_of(answer, owner_.date(), "close");
    owner_.stats.record(where_, answer.status, clock::now() - started_);
    streaming_ = true;
    keep_ = false;
    share_.release();
  }
  stream_->after = std::move(page.position);
  auto events = events_of(page);
  out_body_ = blob{chunked ? fmt::format("{:x}\r\n{}\r\n", events.size(), events) : std::move(events)};
  out_rest_ = out_body_.view();
  out_sent_ = 0;
  phase_ = phase::writing;
  flush();
}

void connection::go_on_streaming() {
  out_body_ = {};
  if (owner_.draining())
    return close();
  ask(follow_changes{*stream_});
}

void connection::flush() {
  if (write_now())
    return after_write();
  if (phase_ == phase::closed)
    return;
  deadline_ = clock::now() + owner_.parts().config.write_timeout;
  line_.wait_writable(
      [self = shared_from_this()](const error_code& fault) { self->guarded([&] { self->on_writable(fault); }); });
}

void connection::on_writable(const error_code& fault) {
  if (phase_ != phase::writing)
    return;
  if (fault)
    return close();
  flush();
  if (phase_ == phase::head)
    serve();
}

// Writes as much as the socket takes. True when that was all.
bool connection::write_now() {
  error_code fault;
  while (!fault && (out_sent_ < out_head_.size() || !out_rest_.empty())) {
    std::array<asio::const_buffer, 2> parts{asio::buffer(out_head_.data() + out_sent_, out_head_.size() - out_sent_),
                                            asio::buffer(out_rest_.data(), out_rest_.size())};
    auto sent = line_.write(parts, fault);
    auto of_head = std::min(sent, out_head_.size() - out_sent_);
    out_sent_ += of_head;
    out_rest_.remove_prefix(sent - of_head);
  }
  if (fault && fault != asio::error::would_block)
    close();
  return !fault;
}

void connection::after_write() {
  if (streaming_)
    return go_on_streaming();
  out_body_ = {};
  asked_ = {};
  where_ = endpoint::unknown;
  auto complete_request = parser_ && parser_->is_done();
  if (!keep_)
    return complete_request && begin_ == end_ ? close() : linger();
  if (begin_ == end_ && in_.size() > owner_.parts().config.max_header_bytes) {
    in_ = std::vector<char>(owner_.parts().config.max_header_bytes);
    begin_ = end_ = 0;
  }
  phase_ = phase::head;
}

} // namespace gnomon::http
