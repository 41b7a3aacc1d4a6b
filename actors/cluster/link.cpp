#include "actors/cluster/link.hpp"

#include "actors/cluster/packing.hpp"
#include "actors/cluster/soundness.hpp"
#include "actors/node/patience.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>
#include <utility>

namespace gnomon {
namespace {

constexpr size_t most_faults = 16; // of a session: a newer node may send one now and then

template <class T>
void settle(caf::typed_response_promise<T>& promise, expected<T> result) {
  if (result)
    promise.deliver(std::move(*result));
  else
    promise.deliver(std::move(result.error()));
}

// -- asking and serving ----------------------------------------------------------------------------------------------

template <class Request>
caf::result<reply_of<Request>> ask(link_state& state, traffic urgency, Request& request) {
  auto promise = state.self->make_response_promise<reply_of<Request>>();
  auto system = &state.self->system();
  auto done = [promise, system](expected<std::vector<char>> bytes) mutable {
    if (bytes)
      settle(promise, unpack_reply<reply_of<Request>>(*system, *bytes));
    else
      promise.deliver(std::move(bytes.error()));
  };
  auto bytes = pack(*system, static_cast<uint8_t>(position_of<Request>()), request);
  const auto& limits = state.node->config;
  if (auto err = state.request(urgency, std::move(bytes), peer_patience(limits, request),
                               longest_patience(limits, request), std::move(done)))
    promise.deliver(std::move(err));
  return promise;
}

template <class Request>
void serve_as(link_state& state, link_state::debt owed, const std::vector<char>& bytes) {
  auto self = state.self;
  auto fail = [self, owed](const caf::error& reason) { self->state.answer(owed, pack_error(self->system(), reason)); };
  Request request;
  auto fault = unpack(self->system(), bytes, request);
  if (!fault)
    fault = fault_of(request, state.config.peer);
  if (fault) {
    fail(fault);
    return state.complain(fault);
  }
  auto ask_local = [&](const auto& target) {
    if (!target)
      return fail(make_error(ec::unavailable, "node " + state.node->self.node + " is still starting; try again"));
    self->request(target, caf::infinite, std::move(request)) // the peer's link knows when it is late
        .then([=](reply_of<Request>& reply) { self->state.answer(owed, pack(self->system(), reply_ok, reply)); }, fail);
  };
  if constexpr (std::is_same_v<Request, ping>)
    ask_local(state.config.owner);
  else
    ask_local(state.node->handles.get()->region);
}

template <size_t... Is>
void serve_any(link_state& state, link_state::debt owed, const std::vector<char>& bytes, std::index_sequence<Is...>) {
  using server = void (*)(link_state&, link_state::debt, const std::vector<char>&);
  static constexpr server servers[] = {&serve_as<typename std::tuple_element_t<Is, peer_exchanges>::request_type>...};
  servers[static_cast<uint8_t>(bytes.front())](state, owed, bytes);
}

caf::error not_connected(const std::string& peer) {
  return make_error(ec::peer_gone, "node " + peer + " is not connected; try again");
}

} // namespace

// -- requests of this node -------------------------------------------------------------------------------------------

link_state::~link_state() {
  fail_pending("the link stops");
}

caf::error link_state::request(traffic urgency, std::vector<char> bytes, duration patience, duration longest,
                               reply_handler done) {
  if (!up_)
    return not_connected(config.peer);
  if (bytes.empty() || bytes.size() > max_parcel_bytes)
    return make_error(ec::too_large, "a message to node " + config.peer + " is longer than a link carries");
  patience = std::max(patience, for_large(bytes.size()));
  auto deadline = now() + patience;
  auto latest = now() + std::max(patience, longest);
  auto sequence = next_sequence_++;
  if (pending_.size() >= node->config.link_queue_messages
      || !out.push({parcel_kind::request, urgency, sequence, std::move(bytes), deadline}))
    return make_error(ec::overloaded, "too much waits for node " + config.peer + "; try again later");
  pending_.emplace(sequence, waiting{std::move(done), urgency, patience, latest});
  deadlines_.emplace(deadline, sequence);
  schedule_flush();
  schedule_sweep();
  return {};
}

// One frame for all that arrives before the link's turn comes again.
void link_state::schedule_flush() {
  if (!std::exchange(flush_scheduled_, true))
    self->send(self, flush_a_v);
}

void link_state::flush() {
  flush_scheduled_ = false;
  if (!up_)
    return;
  for (auto bytes = out.next_frame(); !bytes.empty(); bytes = out.next_frame())
    self->send(end_, frame{session_, std::move(bytes)});
}

/// Large parcels leave one after the other.
duration link_state::for_large(size_t bytes) const {
  const auto& limits = node->config;
  return limits.patience(limits.peer_timeout, bytes > max_chunk_bytes ? bytes + out.bytes() : 0);
}

void link_state::take_credit(const credit& granted) {
  if (granted.session != session_)
    return;
  for (size_t urgency = 0; urgency < progress_.size(); ++urgency)
    if (out.has_large(urgency))
      progress_[urgency] = now();
  out.credit(granted.bytes, granted.frames);
  flush();
}

void link_state::complete(parcel reply) {
  auto i = pending_.find(reply.sequence);
  if (i == pending_.end())
    return; // its time was up
  auto done = std::move(i->second.done);
  pending_.erase(i);
  done(std::move(reply.bytes));
}

// One timer for all requests: CAF's own would each live on until their timeout, answered or not.
void link_state::schedule_sweep() {
  if (!std::exchange(sweep_scheduled_, true))
    self->delayed_send(self, std::max<duration>(node->config.peer_timeout / 16, 10ms), tick_a_v);
}

void link_state::sweep() {
  sweep_scheduled_ = false;
  auto t = now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= t) {
    auto i = pending_.find(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    if (i == pending_.end())
      continue;
    // A large message that makes progress is not late. The messages behind it in the queue are not late either.
    auto& w = i->second;
    auto later = std::min(progress_[static_cast<size_t>(w.urgency)] + w.patience, w.latest);
    if (later > t) {
      deadlines_.emplace(later, i->first);
      continue;
    }
    auto done = std::move(i->second.done);
    pending_.erase(i);
    done(make_error(ec::timeout, "node " + config.peer + " did not answer in time; try again"));
  }
  out.drop_expired(t);
  serve_background();
  if (!deadlines_.empty() || out.size() > 0)
    schedule_sweep();
}

// -- requests of the peer --------------------------------------------------------------------------------------------

void link_state::receive(const frame& arrived) {
  if (arrived.session != session_ || session_ == 0) {
    if (auto sender = self->current_sender())
      self->send(caf::actor_cast<link_end_actor>(sender), session_over{arrived.session});
    return;
  }
  auto parcels = in.take(arrived.bytes);
  if (!parcels) {
    log::error("link", "broken-frame", {{"peer", config.peer}, {"reason", sentence_of(parcels.error())}});
    return lose_session("it sent a frame that cannot be read");
  }
  for (size_t urgency = 0; urgency < progress_.size(); ++urgency)
    if (in.has_large(urgency))
      progress_[urgency] = now();
  owed_.bytes += arrived.bytes.size();
  ++owed_.frames;
  for (auto& p : *parcels) {
    if (arrived.session != session_)
      return; // it has ended meanwhile
    if (p.kind == parcel_kind::reply)
      complete(std::move(p));
    else
      serve(std::move(p));
  }
  grant();
}

/// A request of the peer made no sense.
void link_state::complain(const caf::error& fault) {
  log::warn("link", "nonsense", {{"peer", config.peer}, {"reason", sentence_of(fault)}});
  if (++faults_ >= most_faults)
    lose_session("it sent requests that make no sense");
}

// Credit is given for what has arrived, whether or not it is served: two nodes that both held it back could wait for
// each other for ever. What bounds the work taken on is the refusal in `serve`.
void link_state::grant() {
  if (!up_ || (owed_.bytes < grant_bytes_ && owed_.frames < grant_frames_))
    return;
  owed_.session = session_;
  self->send(end_, std::exchange(owed_, credit{}));
}

void link_state::serve(parcel asked) {
  debt owed{session_, asked.urgency, asked.sequence, asked.bytes.size(), now() + node->config.peer_timeout};
  ++serving_;
  serving_bytes_ += owed.bytes;
  auto refuse = [&](ec code, std::string sentence) {
    answer(owed, pack_error(self->system(), make_error(code, std::move(sentence))));
  };
  if (static_cast<uint8_t>(asked.bytes.front()) >= exchange_count)
    return refuse(ec::bad_message, "a request that node " + node->self.node + " does not know; update it");
  auto& limits = node->config;
  if (serving_ > 1 && (serving_ > limits.link_queue_messages || serving_bytes_ > limits.link_queue_bytes))
    return refuse(ec::overloaded, "node " + node->self.node + " has too much to do; try again later");
  // What another question of the peer waits for is served at once, or the two would wait for each other.
  auto fetches = static_cast<uint8_t>(asked.bytes.front()) == position_of<fetch_item>();
  if (owed.urgency == traffic::client || fetches)
    return serve_any(*this, owed, asked.bytes, std::make_index_sequence<exchange_count>{});
  put_off_.emplace_back(owed, std::move(asked.bytes));
  serve_background();
}

/// What is not for a client waits until less of it is under way; each link has a share of what the node's pace allows.
void link_state::serve_background() {
  if (std::exchange(choosing_, true))
    return; // what was served just now was answered at once
  auto links = std::max<size_t>(1, node->cluster.get()->peers.size());
  auto most = std::max<uint64_t>(background_pace::least, node->pace.allowed() / links);
  while (!put_off_.empty() && background_ < most) {
    auto [owed, bytes] = std::move(put_off_.front());
    put_off_.pop_front();
    if (owed.until <= now()) { // the asker has given up
      node->counters.requests_shed.fetch_add(1, std::memory_order_relaxed);
      --serving_;
      serving_bytes_ -= owed.bytes;
      continue;
    }
    ++background_;
    owed.paced = true;
    serve_any(*this, owed, bytes, std::make_index_sequence<exchange_count>{});
  }
  choosing_ = false;
  if (!put_off_.empty())
    schedule_sweep();
}

void link_state::answer(const debt& owed, std::vector<char> bytes) {
  --serving_;
  serving_bytes_ -= owed.bytes;
  if (owed.paced) {
    --background_;
    serve_background();
  }
  if (owed.session != session_)
    return; // who asked is gone
  if (bytes.empty() || bytes.size() > max_parcel_bytes)
    bytes = pack_error(self->system(), make_error(ec::too_large, "the answer is longer than a link carries"));
  auto reply = [&](std::vector<char> content) {
    auto deadline = now() + for_large(content.size());
    return parcel{parcel_kind::reply, owed.urgency, owed.sequence, std::move(content), deadline};
  };
  if (!out.push(reply(std::move(bytes)))) {
    auto reason = make_error(ec::overloaded, "too many answers wait for node " + config.peer + "; try again later");
    if (!out.push(reply(pack_error(self->system(), reason))))
      return; // the asker's own sweep tells it
  }
  schedule_flush();
  schedule_sweep();
}

// -- sessions --------------------------------------------------------------------------------------------------------

hello link_state::our_hello() const {
  return {node->self, session_, link_end_actor{self}, node->config.link_credit_bytes,
          node->config.link_credit_messages};
}

caf::result<node_identity> link_state::open(const gate_actor& gate) {
  end_session("another one begins");
  // Set before the hello leaves: the peer's first frames may overtake its answer.
  session_ = random_u64();
  auto promise = self->make_response_promise<node_identity>();
  self->request(gate, node->config.peer_timeout, our_hello())
      .then(
          [this, promise, ours = session_](const hello& theirs) mutable {
            if (session_ == ours && theirs.session == ours) {
              enter(theirs);
              promise.deliver(theirs.from);
            } else {
              promise.deliver(make_error(ec::peer_gone, "another session began meanwhile"));
            }
          },
          [this, promise, ours = session_](caf::error& reason) mutable {
            if (session_ == ours)
              session_ = 0;
            promise.deliver(std::move(reason));
          });
  return promise;
}

caf::result<hello> link_state::accept(const hello& theirs) {
  end_session("another one begins");
  session_ = theirs.session;
  enter(theirs);
  return our_hello();
}

void link_state::enter(const hello& theirs) {
  up_ = true;
  faults_ = 0;
  end_ = theirs.end;
  grant_bytes_ = std::max<uint64_t>(1, theirs.window_bytes / 4);
  grant_frames_ = std::max<uint32_t>(1, theirs.window_frames / 4);
  self->monitor(end_);
  log::info("link", "up", {{"peer", config.peer}, {"session", session_}});
  grant();
  schedule_flush();
}

void link_state::lost(const caf::actor_addr& source) {
  if (up_ && source == end_.address())
    lose_session("its connection was lost");
}

void link_state::peer_ended(const session_over& over) {
  if (over.session == session_)
    lose_session("the peer knows it no more");
}

/// Ends it unexpectedly: the owner has to know.
void link_state::lose_session(const std::string& reason) {
  if (session_ == 0)
    return;
  end_session(reason);
  self->send(config.owner, session_lost{config.peer, reason});
}

void link_state::end_session(const std::string& reason) {
  if (session_ == 0)
    return;
  if (up_) {
    self->demonitor(end_.address());
    log::info("link", "down", {{"peer", config.peer}, {"session", session_}, {"reason", reason}});
  }
  session_ = 0;
  up_ = false;
  end_ = link_end_actor{};
  owed_ = {};
  out.clear();
  in.clear();
  for (const auto& [owed, bytes] : std::exchange(put_off_, {})) {
    --serving_;
    serving_bytes_ -= owed.bytes;
  }
  fail_pending(reason);
}

void link_state::fail_pending(const std::string& reason) {
  auto failed = std::exchange(pending_, {});
  deadlines_.clear();
  for (auto& entry : failed)
    entry.second.done(make_error(ec::peer_gone, "the session with node " + config.peer + " ended: " + reason));
}

link_state::time_point link_state::now() const {
  return self->clock().now();
}

// -- the actor -------------------------------------------------------------------------------------------------------

namespace {

template <class... Es>
link_actor::behavior_type behavior_of(link_actor::stateful_pointer<link_state> self, std::tuple<Es...>*) {
  return {
      [self](traffic urgency, typename Es::request_type& request) { return ask(self->state, urgency, request); }...,
      [self](open_a, const gate_actor& gate) { return self->state.open(gate); },
      [self](const hello& theirs) { return self->state.accept(theirs); },
      [self](hang_up_a) { self->state.end_session("the peer counts as down"); },
      [self](flush_a) { self->state.flush(); },
      [self](tick_a) { self->state.sweep(); },
      [self](const frame& arrived) { self->state.receive(arrived); },
      [self](const credit& granted) { self->state.take_credit(granted); },
      [self](const session_over& over) { self->state.peer_ended(over); },
  };
}

} // namespace

link_actor::behavior_type link(link_actor::stateful_pointer<link_state> self, context_ptr node, link_config config) {
  auto& state = self->state;
  state.self = self;
  state.node = std::move(node);
  state.config = std::move(config);
  auto& limits = state.node->config;
  state.out = outbox{
      {limits.link_queue_bytes, limits.link_queue_messages, limits.link_credit_bytes, limits.link_credit_messages}};
  self->set_down_handler([self](const caf::down_msg& down) { self->state.lost(down.source); });
  return behavior_of(self, static_cast<peer_exchanges*>(nullptr));
}

} // namespace gnomon
