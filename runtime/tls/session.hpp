#pragma once

#include "runtime/tls/credentials.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_st; // OpenSSL's SSL

namespace gnomon {

enum class tls_end { caller, called };

/// How an operation went. After `wants_read` and `wants_write` it is to be repeated once the socket is readable or
/// writable. `closed`: the other side is gone; `failed`: `problem` says why.
enum class tls_step { done, wants_read, wants_write, closed, failed };

/// One end of a TLS connection over a connected socket that does not block. It reads and writes the socket without ever
/// raising SIGPIPE, and does not own it. Not thread-safe; a read and a write may be under way in turns.
class tls_session {
public:
  /// `host`: the name or IP address that the other side's certificate must name; empty: any.
  tls_session(credentials_ptr with, int fd, tls_end which, const std::string& host = {});
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  /// Both certificates have been checked once it is done.
  tls_step handshake();
  /// Reads at least one byte and at most `size`; `count` says how many.
  tls_step read(char* to, size_t size, size_t& count);
  /// Takes at least one byte of `size`; `count` says how many.
  /// When the other side has said in TLS why it closes, that is the problem.
  tls_step write(const char* from, size_t size, size_t& count);

  /// Something has been received and not been read yet, so a `read` may go on without the socket.
  bool has_more() const;

  /// Tells the other side that nothing more will be written; reading goes on.
  tls_step end();
  /// The other side has told that, so nothing of what it wrote is missing.
  bool ended() const;

  /// Why the last operation failed, for people.
  const std::string& problem() const {
    return problem_;
  }
  /// Nothing has come from the other side yet.
  bool silent() const;
  /// What the other side's certificate says. Empty before the handshake, and where it has shown none.
  const certificate_facts& peer() const {
    return peer_;
  }
  /// The nodes that it names.
  const std::vector<std::string>& peers() const {
    return peer_.nodes;
  }
  /// The other side would be let in again: its certificate has not ended, and an authority of `now` vouches for it.
  bool trusted_by(const credentials& now) const;

private:
  void demand(const std::string& host);
  tls_step outcome(int result);
  bool hears_why();
  void explain();

  credentials_ptr with_; // outlives the session's SSL
  struct handle;
  std::unique_ptr<handle> ssl_;
  std::string problem_;
  certificate_facts peer_;
};

} // namespace gnomon
