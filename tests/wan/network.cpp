#include "tests/wan/network.hpp"

#include "runtime/replay/round_trips.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <exception>

namespace gnomon::wan {

namespace {

constexpr size_t max_packet = 65'536;
constexpr size_t max_lane_bytes = 64u << 20; // what a real router would call its buffer
constexpr int packets_a_turn = 64;           // from one place, before the others have theirs

std::string reason() {
  return std::strerror(errno);
}

[[noreturn]] void refuse(const std::string& what) {
  throw not_possible{what + ": " + reason() + "; the wide-area network needs root and /dev/net/tun"};
}

void set_address(int socket, ifreq& device, unsigned long request, const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  std::memcpy(&device.ifr_addr, &address, sizeof address);
  if (::ioctl(socket, request, &device) != 0)
    refuse("the address of a TUN device");
}

void bring_up(int socket, ifreq device) {
  if (::ioctl(socket, SIOCGIFFLAGS, &device) != 0)
    refuse("a network device");
  device.ifr_flags |= IFF_UP;
  if (::ioctl(socket, SIOCSIFFLAGS, &device) != 0)
    refuse("a network device");
}

ifreq named(const char* name) {
  ifreq device{};
  std::strncpy(device.ifr_name, name, IFNAMSIZ - 1);
  return device;
}

/// In the namespace of the calling thread.
int make_device(const std::string& address) {
  auto fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    refuse("/dev/net/tun");
  auto device = named("wan0");
  device.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(fd, TUNSETIFF, &device) != 0)
    refuse("a TUN device");
  auto control = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bring_up(control, named("lo"));
  set_address(control, device, SIOCSIFADDR, address);
  set_address(control, device, SIOCSIFNETMASK, "255.255.255.0");
  bring_up(control, named("wan0"));
  ::close(control);
  return fd;
}

/// Runs `step` on a thread of its own, whose namespace may change; passes on what it throws.
template <class F>
void apart(F step) {
  std::exception_ptr thrown;
  std::thread{[&] {
    try {
      step();
    } catch (...) {
      thrown = std::current_exception();
    }
  }}.join();
  if (thrown)
    std::rethrow_exception(thrown);
}

} // namespace

round_trips read_round_trips(const std::string& file, const std::vector<std::string>& names) {
  const auto known = replay::round_trips::load(file);
  if (!known)
    throw std::runtime_error{sentence_of(known.error())};
  round_trips result(names.size(), std::vector<std::chrono::microseconds>(names.size()));
  for (size_t a = 0; a < names.size(); ++a)
    for (size_t b = 0; b < names.size(); ++b) {
      const auto ms = known->between(names[a], names[b]);
      if (a != b && ms == 0)
        throw std::runtime_error{file + " has no round trip between " + names[a] + " and " + names[b]};
      result[a][b] = std::chrono::microseconds{a == b ? 0 : std::lround(ms * 1000)};
    }
  return result;
}

std::string network::address(size_t place) {
  return "10.77.0." + std::to_string(place + 1);
}

network::network(const round_trips& between) : places_(between.size()) {
  if (::geteuid() != 0)
    throw not_possible{"the wide-area network needs root, for network namespaces and TUN devices"};
  for (const auto& row : between)
    for (auto rtt : row) {
      lanes_.push_back(std::make_unique<lane>());
      lanes_.back()->delay = rtt / 2;
    }
  try {
    for (size_t i = 0; i < places_.size(); ++i)
      apart([&] {
        if (::unshare(CLONE_NEWNET) != 0)
          refuse("a network namespace");
        places_[i].name_space = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        places_[i].device = make_device(address(i));
      });
  } catch (...) {
    close();
    throw;
  }
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  router_ = std::thread{[this] { run(); }};
}

network::~network() {
  stop_ = true;
  uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) == sizeof one)
    router_.join();
  close();
}

void network::close() {
  for (auto& p : places_) {
    ::close(p.device);
    ::close(p.name_space);
  }
  ::close(wake_);
}

bool network::enter(size_t place) const noexcept {
  return ::setns(places_[place].name_space, CLONE_NEWNET) == 0;
}

void network::cut_one_way(size_t from, size_t to) {
  between(from, to).cut = true;
}

void network::cut(size_t a, size_t b) {
  cut_one_way(a, b);
  cut_one_way(b, a);
}

void network::split(const std::vector<size_t>& some, const std::vector<size_t>& others) {
  for (auto a : some)
    for (auto b : others)
      cut(a, b);
}

void network::heal() {
  for (auto& l : lanes_)
    l->cut = false;
}

// -- the router's thread ----------------------------------------------------------------------------------------------

void network::run() {
  std::vector<pollfd> waiting;
  for (const auto& p : places_)
    waiting.push_back({p.device, POLLIN, 0});
  waiting.push_back({wake_, POLLIN, 0});
  while (!stop_) {
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(next_due() - clock::now());
    auto wait = std::clamp<int64_t>(left.count(), 0, 1'000'000'000);
    timespec bound{wait / 1'000'000'000, wait % 1'000'000'000};
    if (::ppoll(waiting.data(), waiting.size(), &bound, nullptr) > 0)
      for (size_t i = 0; i < places_.size(); ++i)
        if (waiting[i].revents != 0)
          take_in(i);
    deliver(clock::now());
  }
}

network::clock::time_point network::next_due() const {
  auto next = clock::now() + std::chrono::seconds{1};
  for (const auto& l : lanes_)
    if (!l->packets.empty())
      next = std::min(next, l->packets.front().due);
  return next;
}

/// Takes packets that a place sends to another; anything but IPv4 between the places goes nowhere.
void network::take_in(size_t from) {
  char buffer[max_packet];
  for (int n = 0; n < packets_a_turn; ++n) {
    auto size = ::read(places_[from].device, buffer, sizeof buffer);
    if (size <= 0)
      return;
    constexpr ssize_t header = 20;
    auto to = size >= header ? static_cast<size_t>(static_cast<uint8_t>(buffer[19])) - 1 : places_.size();
    if ((buffer[0] & 0xF0) != 0x40 || to >= places_.size() || to == from)
      continue;
    auto& way = between(from, to);
    ++packets_;
    if (way.cut || way.bytes + static_cast<size_t>(size) > max_lane_bytes) {
      ++dropped_;
      continue;
    }
    way.bytes += static_cast<size_t>(size);
    way.packets.push_back({clock::now() + way.delay, {buffer, static_cast<size_t>(size)}});
  }
}

void network::deliver(clock::time_point now) {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    auto& way = *lanes_[i];
    for (; !way.packets.empty() && way.packets.front().due <= now; way.packets.pop_front()) {
      const auto& bytes = way.packets.front().bytes;
      way.bytes -= bytes.size();
      auto sent = !way.cut && ::write(places_[i % places_.size()].device, bytes.data(), bytes.size()) > 0;
      dropped_ += sent ? 0 : 1;
    }
  }
}

} // namespace gnomon::wan
