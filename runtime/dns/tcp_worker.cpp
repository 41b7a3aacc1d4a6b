#include "runtime/dns/tcp_worker.hpp"

#include "gnomon/error.hpp"
#include "runtime/base/log.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace gnomon::dns {

namespace {

constexpr size_t most_message = 65535;
constexpr size_t most_query = 4096;      // whoever announces a longer one is no resolver
constexpr size_t most_waiting = 1 << 18; // bytes of answers that a client has not read yet
constexpr int tick_ms = 250;

void watch(const descriptor& epoll, int operation, int socket, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  epoll_ctl(epoll.get(), operation, socket, &event);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

tcp_worker::tcp_worker(responder& answers, std::vector<descriptor> listeners, tcp_config config,
                       std::chrono::seconds cookie_rotation)
    : answers_(answers), listeners_(std::move(listeners)), config_(config), cookie_rotation_(cookie_rotation),
      epoll_(epoll_create1(EPOLL_CLOEXEC)), scratch_(most_message) {
  if (epoll_.get() < 0)
    throw failure(ec::unavailable, "DNS over TCP: no file descriptor is left for epoll");
  for (const auto& each : listeners_)
    watch(epoll_, EPOLL_CTL_ADD, each.get(), EPOLLIN);
  thread_ = std::thread{log::bound([this] { serve(); })};
}

tcp_worker::~tcp_worker() {
  stopping_ = true;
  thread_.join();
}

void tcp_worker::serve() {
  std::array<epoll_event, 64> events;
  auto last_rotation = clock::now();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const auto count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), tick_ms);
    for (int i = 0; i < count; ++i)
      handle(events[static_cast<size_t>(i)].data.fd, events[static_cast<size_t>(i)].events);
    close_idle();
    if (clock::now() - last_rotation >= cookie_rotation_) {
      answers_.cookies().rotate();
      last_rotation = clock::now();
    }
  }
}

void tcp_worker::handle(int socket, uint32_t events) {
  const auto found = connections_.find(socket);
  if (found == connections_.end()) {
    const auto is_listener = [=](const descriptor& each) { return each.get() == socket; };
    if (std::any_of(listeners_.begin(), listeners_.end(), is_listener))
      accept_all(socket);
    return;
  }
  auto& client = found->second;
  auto stays = (events & (EPOLLERR | EPOLLHUP)) == 0;
  if (stays && (events & EPOLLOUT) != 0)
    stays = flush(client) && answer_all(client);
  if (stays && (events & EPOLLIN) != 0)
    stays = receive(client) && answer_all(client);
  if (!stays)
    connections_.erase(found);
}

void tcp_worker::accept_all(int listener) {
  for (;;) {
    sockaddr_in6 peer{}; // has room for IPv4 as well
    socklen_t size = sizeof peer;
    descriptor socket(accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (errno == EMFILE || errno == ENFILE) // it stays ready; do not spin
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return;
    }
    const auto address = address_of(reinterpret_cast<const sockaddr&>(peer));
    if (address && may_stay(*address))
      admit(std::move(socket), *address);
  }
}

// Makes room for a client that has not too many connections already.
bool tcp_worker::may_stay(const ip_address& address) {
  size_t same = 0;
  auto idlest = connections_.begin();
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    same += each->second.from.address == address ? 1 : 0;
    if (each->second.active < idlest->second.active)
      idlest = each;
  }
  if (same >= config_.connections_per_client)
    return false;
  if (connections_.size() >= config_.connections && idlest != connections_.end())
    connections_.erase(idlest);
  return connections_.size() < config_.connections;
}

void tcp_worker::admit(descriptor socket, const ip_address& address) {
  const auto number = socket.get();
  auto& client = connections_[number];
  client.socket = std::move(socket);
  client.from = {.address = address, .tcp = true};
  client.active = clock::now();
  client.waits_for = EPOLLIN;
  watch(epoll_, EPOLL_CTL_ADD, number, EPOLLIN);
}

// False when the client has gone.
bool tcp_worker::receive(connection& from) {
  std::array<uint8_t, 2 + most_query> piece;
  const auto count = recv(from.socket.get(), piece.data(), piece.size(), 0);
  if (count <= 0)
    return count < 0 && would_block();
  from.in.insert(from.in.end(), piece.begin(), piece.begin() + count);
  return true;
}

// Answers the whole queries that have come, as long as the client reads. What is no query ends the connection.
bool tcp_worker::answer_all(connection& from) {
  for (;;) {
    const auto all = answer_some(from);
    if (!all || !flush(from))
      return false;
    if (*all || !from.out.empty())
      return true;
  }
}

// True when no whole query is left, false when too much waits to be sent, nothing when there was no query.
std::optional<bool> tcp_worker::answer_some(connection& from) {
  const auto now = answers_.look();
  size_t at = 0;
  auto all = false;
  while (!all && from.out.size() - from.sent < most_waiting) {
    const auto left = bytes_view(from.in).subspan(at);
    const size_t size = left.size() < 2 ? header_size : static_cast<size_t>(left[0]) << 8 | left[1];
    if (size < header_size || size > most_query)
      return std::nullopt;
    all = left.size() < 2 + size;
    if (all)
      break;
    const auto answer = answers_.answer(left.subspan(2, size), from.from, now, scratch_, counters_);
    if (answer == 0)
      return std::nullopt;
    at += 2 + size;
    from.active = clock::now();
    from.out.push_back(static_cast<uint8_t>(answer >> 8));
    from.out.push_back(static_cast<uint8_t>(answer));
    from.out.insert(from.out.end(), scratch_.begin(), scratch_.begin() + static_cast<std::ptrdiff_t>(answer));
  }
  from.in.erase(from.in.begin(), from.in.begin() + static_cast<std::ptrdiff_t>(at));
  return all;
}

bool tcp_worker::flush(connection& to) {
  while (to.sent < to.out.size()) {
    const auto count = send(to.socket.get(), &to.out[to.sent], to.out.size() - to.sent, MSG_NOSIGNAL);
    if (count <= 0) {
      if (!would_block())
        return false;
      break;
    }
    to.sent += static_cast<size_t>(count);
    to.active = clock::now();
  }
  if (to.sent == to.out.size()) {
    to.out.clear();
    to.sent = 0;
  }
  // A client that does not read its answers is not read from either.
  wait_for(to, to.out.empty() ? EPOLLIN : EPOLLOUT);
  return true;
}

void tcp_worker::wait_for(connection& client, uint32_t events) {
  if (client.waits_for == events)
    return;
  client.waits_for = events;
  watch(epoll_, EPOLL_CTL_MOD, client.socket.get(), events);
}

void tcp_worker::close_idle() {
  const auto oldest = clock::now() - config_.idle;
  std::erase_if(connections_, [=](const auto& each) { return each.second.active < oldest; });
}

} // namespace gnomon::dns
