#pragma once

#include "runtime/base/ip_address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gnomon {

/// Reads the header in which a proxy says who has connected to it, before the first byte of the connection itself:
/// HAProxy's PROXY protocol, version 1 (text) and 2 (binary). It asks for no byte beyond the header, so that what
/// follows stays where it is, and takes 65,551 bytes at most. Pure.
class proxy_header {
public:
  /// How many bytes to read next; 0: it is complete, or broken.
  size_t wanted() const;
  /// Takes those bytes, or the first of them.
  void take(std::string_view bytes);

  /// This is no such header.
  bool broken() const {
    return broken_;
  }
  /// Who has connected to the proxy. Nothing: the proxy speaks for itself, for instance to see whether one is there.
  const std::optional<ip_address>& source() const {
    return source_;
  }

private:
  void take_text();
  void take_binary();
  void fail() {
    broken_ = true;
    source_.reset();
  }

  std::string bytes_;
  bool complete_ = false;
  bool broken_ = false;
  std::optional<ip_address> source_;
};

} // namespace gnomon
