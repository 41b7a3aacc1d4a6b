#include "runtime/dns/udp_worker.hpp"

#include "runtime/base/log.hpp"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace gnomon::dns {

namespace {

constexpr size_t batch_size = 64;
constexpr size_t query_bytes = 4096; // longer datagrams are no questions
constexpr size_t control_bytes = CMSG_SPACE(sizeof(in6_pktinfo));

// The address at which a query arrived becomes the one from which its answer goes; the way out is the routing table's.
void reverse(msghdr& header) {
  for (auto* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO)
      reinterpret_cast<in_pktinfo*>(CMSG_DATA(each))->ipi_ifindex = 0;
  }
}

} // namespace

// What the kernel fills and reads. An answer uses the address and control data of its query.
struct udp_worker::batch {
  explicit batch(size_t answer_bytes, bool with_control)
      : queries(batch_size * query_bytes), answers(batch_size * answer_bytes), sizes(answer_bytes),
        control(with_control) {}

  // Makes the first `count` places ready to receive.
  void prepare(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      parts[i] = {.iov_base = &queries[i * query_bytes], .iov_len = query_bytes};
      messages[i] = {};
      auto& header = messages[i].msg_hdr;
      header.msg_name = &senders[i];
      header.msg_namelen = sizeof senders[i];
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      if (control) {
        header.msg_control = controls[i].data();
        header.msg_controllen = controls[i].size();
      }
    }
  }
  std::span<uint8_t> answer(size_t i) {
    return std::span(answers).subspan(i * sizes, sizes);
  }

  std::array<mmsghdr, batch_size> messages{};
  std::array<iovec, batch_size> parts{};
  std::array<sockaddr_in6, batch_size> senders{}; // has room for IPv4 as well
  struct alignas(cmsghdr) control_space : std::array<uint8_t, control_bytes> {};
  std::array<control_space, batch_size> controls{};
  std::vector<uint8_t> queries;
  std::vector<uint8_t> answers;
  size_t sizes;
  bool control;
};

udp_worker::udp_worker(responder& answers, descriptor socket)
    : answers_(answers), socket_(std::move(socket)), wildcard_(is_wildcard(socket_)),
      thread_(log::bound([this] { serve(); })) {}

udp_worker::~udp_worker() {
  stop();
  thread_.join();
}

void udp_worker::serve() {
  const auto work = std::make_unique<batch>(answers_.udp_bytes(), wildcard_);
  work->prepare(batch_size);
  while (!stopping_.load(std::memory_order_relaxed)) {
    const auto received = recvmmsg(socket_.get(), work->messages.data(), batch_size, MSG_WAITFORONE, nullptr);
    if (received > 0) {
      send_all(*work, answer_all(*work, static_cast<size_t>(received)));
      work->prepare(static_cast<size_t>(received));
    } else if (received < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) {
      log::error("dns", "receive-failed", {{"cause", std::strerror(errno)}});
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

// Moves what is to be sent to the front. How many.
size_t udp_worker::answer_all(batch& in, size_t received) {
  const auto now = answers_.look();
  size_t ready = 0;
  for (size_t i = 0; i < received; ++i) {
    auto& message = in.messages[i];
    const auto from = address_of(*static_cast<const sockaddr*>(message.msg_hdr.msg_name));
    if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0 || !from) {
      counters_.ignored.add();
      continue;
    }
    const bytes_view query(static_cast<const uint8_t*>(in.parts[i].iov_base), message.msg_len);
    const auto size = answers_.answer(query, {.address = *from}, now, in.answer(i), counters_);
    if (size == 0)
      continue;
    in.parts[i] = {.iov_base = in.answer(i).data(), .iov_len = size};
    reverse(message.msg_hdr);
    in.messages[ready++] = message;
  }
  return ready;
}

// The kernel stops at the first datagram that it refuses; that one is skipped.
void udp_worker::send_all(batch& out, size_t count) {
  for (size_t sent = 0; sent < count;) {
    const auto taken = sendmmsg(socket_.get(), &out.messages[sent], static_cast<unsigned>(count - sent), 0);
    if (taken > 0) {
      sent += static_cast<size_t>(taken);
    } else if (errno != EINTR) {
      counters_.send_failed.add();
      ++sent;
    }
  }
}

} // namespace gnomon::dns
