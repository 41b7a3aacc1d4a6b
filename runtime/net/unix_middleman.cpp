#include "runtime/net/unix_middleman.hpp"

#include <caf/all.hpp>
#include <caf/detail/get_process_id.hpp>
#include <caf/io/all.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/scribe_impl.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace gnomon {
namespace {

using caf::io::network::default_multiplexer;

default_multiplexer& multiplexer_of(caf::actor_system& system) {
  return static_cast<default_multiplexer&>(system.middleman().backend());
}

// CAF asks connections for an address to show in its log; a Unix socket has none that it could find.
class unix_scribe final : public caf::io::network::scribe_impl {
public:
  using scribe_impl::scribe_impl;
  std::string addr() const override {
    return "unix";
  }
  uint16_t port() const override {
    return 0;
  }
};

/// Accepts connections; `port` is only CAF's key for the published actor.
class unix_doorman final : public caf::io::network::doorman_impl {
public:
  unix_doorman(default_multiplexer& multiplexer, int fd, uint16_t port) : doorman_impl(multiplexer, fd), port_(port) {}
  bool new_connection() override {
    if (detached())
      return false;
    auto& multiplexer = acceptor_.backend();
    auto connection = caf::make_counted<unix_scribe>(multiplexer, acceptor_.accepted_socket());
    auto handle = connection->hdl();
    parent()->add_scribe(std::move(connection));
    return doorman::new_connection(&multiplexer, handle);
  }
  std::string addr() const override {
    return "unix";
  }
  uint16_t port() const override {
    return port_;
  }

private:
  uint16_t port_;
};

/// A descriptor that is closed unless it was released.
class owned_fd {
public:
  explicit owned_fd(int fd) : fd_(fd) {}
  owned_fd(const owned_fd&) = delete;
  owned_fd& operator=(const owned_fd&) = delete;
  ~owned_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const {
    return fd_;
  }
  int release() {
    return std::exchange(fd_, -1);
  }

private:
  int fd_;
};

std::string because(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

expected<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return make_error(ec::bad_config, "the socket path '" + path + "' must have 1 to "
                                          + std::to_string(sizeof address.sun_path - 1)
                                          + " bytes; choose a shorter directory");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Removes the socket that a dead process left at `path`.
caf::error clear_path(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return {};
  if (!S_ISSOCK(info.st_mode))
    return make_error(ec::bad_config, path + " exists and is no socket; remove it or choose another path");
  if (auto other = connect_to_socket(path)) {
    ::close(*other);
    return make_error(ec::bad_config, "another process listens on " + path + "; stop it or choose another path");
  }
  ::unlink(path.c_str());
  return {};
}

expected<int> listen_on(const std::string& path) {
  auto address = address_of(path);
  if (!address)
    return std::move(address.error());
  if (auto err = clear_path(path))
    return err;
  owned_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  // A socket's own mode at creation is what its file gets, so there is no moment in which others could connect.
  if (fd.get() < 0 || ::fchmod(fd.get(), 0600) != 0
      || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address) != 0
      || ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 64) != 0)
    return make_error(ec::bad_config, because("cannot listen on the socket " + path));
  return fd.release();
}

// Which port number stands for which path; CAF closes doormen by port.
class port_table {
public:
  uint16_t add(const std::string& path) {
    std::lock_guard guard{mutex_};
    ports_[path] = ++last_;
    return last_;
  }
  uint16_t remove(const std::string& path) {
    std::lock_guard guard{mutex_};
    auto node = ports_.extract(path);
    return node ? node.mapped() : uint16_t{0};
  }

private:
  std::mutex mutex_;
  std::map<std::string, uint16_t> ports_;
  uint16_t last_ = 0;
};

port_table& ports() {
  static port_table table;
  return table;
}

} // namespace

void load_middleman(caf::actor_system_config& config) {
  // Asking here is what links our own random id in, see random_node_id.cpp.
  static_cast<void>(caf::detail::get_process_id());
  config.load<caf::io::middleman>();
  // Frames are plain strings, so helpers that deserialize cost more than they give; see docs for the figures.
  config.set("middleman.workers", size_t{0});
  config.set("middleman.attach-utility-actors", true);
}

caf::actor basp_broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::error publish_on_socket(caf::actor_system& system, const caf::strong_actor_ptr& whom, const std::string& path) {
  auto fd = listen_on(path);
  if (!fd)
    return std::move(fd.error());
  auto port = ports().add(path);
  caf::io::doorman_ptr doorman = caf::make_counted<unix_doorman>(multiplexer_of(system), *fd, port);
  caf::anon_send(basp_broker_of(system), caf::publish_atom_v, std::move(doorman), port, whom, std::set<std::string>{});
  return {};
}

void unpublish_socket(caf::actor_system& system, const std::string& path) {
  auto port = ports().remove(path);
  if (port == 0)
    return;
  ::unlink(path.c_str());
  caf::anon_send(basp_broker_of(system), caf::close_atom_v, port);
}

expected<int> connect_to_socket(const std::string& path) {
  auto address = address_of(path);
  if (!address)
    return std::move(address.error());
  owned_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (fd.get() < 0 || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address) != 0)
    return make_error(ec::unavailable, because("no node answers on " + path));
  return fd.release();
}

caf::message begin_session(caf::actor_system& system, int fd) {
  caf::io::scribe_ptr scribe = caf::make_counted<unix_scribe>(multiplexer_of(system), fd);
  return caf::make_message(caf::connect_atom_v, std::move(scribe), uint16_t{0});
}

} // namespace gnomon
