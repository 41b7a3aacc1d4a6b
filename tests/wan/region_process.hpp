#pragma once

#include "tests/wan/network.hpp"

#include <signal.h>

#include <string>
#include <vector>

namespace gnomon::wan {

inline constexpr uint16_t http_port = 8101;
inline constexpr uint16_t tunnel_port = 7101;

/// A gnomond process in a place of the network. Killed with the object.
class region_process {
public:
  region_process(const network& net, size_t place, std::string name, std::string directory)
      : net_(net), place_(place), name_(std::move(name)), directory_(std::move(directory)) {}
  ~region_process();
  region_process(const region_process&) = delete;
  region_process& operator=(const region_process&) = delete;

  /// Starts `program` with `settings` ("SECTION.KEY=VALUE"); standard error goes to DIRECTORY/NAME.log.
  void start(const std::string& program, const std::vector<std::string>& settings);
  void signal(int number) const {
    if (pid_ > 0)
      ::kill(pid_, number);
  }
  /// SIGKILL, and waits until it is gone.
  void kill();
  bool ended();
  /// Bytes of memory that it has now; 0 when it is gone.
  uint64_t resident_bytes() const;
  std::string log() const;
  const std::string& name() const {
    return name_;
  }
  size_t place() const {
    return place_;
  }

private:
  const network& net_;
  size_t place_;
  std::string name_;
  std::string directory_;
  pid_t pid_ = 0;
};

} // namespace gnomon::wan
