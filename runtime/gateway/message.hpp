#pragma once

#include "runtime/base/error.hpp"
#include "runtime/base/inspect.hpp"
#include "runtime/base/trimmed.hpp"
#include "runtime/gateway/item_head.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP messages as plain values, without sockets: what the handlers see and make.
namespace gnomon::http {

/// The state of a streamed upload: its job (0 before the first piece was answered), and the pieces before this one.
struct upload_position {
  uint64_t job = 0;
  uint32_t pieces = 0;
};

/// One request, complete with its body. Only the transfer coding is decoded.
struct request {
  std::string method;
  std::string path;                                        // before the '?', still percent-encoded
  std::string query;                                       // behind it
  std::vector<std::pair<std::string, std::string>> fields; // names in lower case; repeated ones are joined by ", "
  bool has_body = false;                                   // the head announced one, of whatever length
  std::string body;                                        // or the next piece of one that is streamed
  upload_position upload;                                  // of such a body
  bool tls = false;                                        // it came encrypted

  /// The value of a header field, asked for in lower case; null when it is absent.
  const std::string* field(std::string_view name) const;
  /// Adds a field under its lower-case name, joining it to one that is there.
  void add_field(std::string_view name, std::string_view value);
};

/// One answer. Sending adds `Content-Length`, `Date` and `Connection`, and `Cache-Control: no-store` when the answer
/// says nothing else about caches.
struct response {
  int status = 200;
  header_list headers;
  blob body;
  size_t offset = 0;              // of the part of `body` that is sent
  std::optional<uint64_t> length; // of that part; all of `body` when not given. May exceed `body` for HEAD
  bool without_length = false;    // HEAD of something whose size is not known

  /// The value of the first field with that exact name; null when it is absent.
  const std::string* field(std::string_view name) const;
  std::string_view content() const;
};

/// An error as in RFC 9457: type `urn:gnomon:error:<error>`, the status with its title, and a sentence.
response problem(int status, std::string_view error, std::string_view detail);

/// The same for one of our errors, with the status that belongs to its code.
response problem(const caf::error& err);

/// "Not Found" for 404, and so on.
std::string_view reason_phrase(int status);

/// `{...}` as `application/json`. Caches may keep it, but must ask before they use it again.
response json_response(int status, std::string text);

/// A page about the present moment, which no cache may keep.
response momentary(std::string_view type, std::string text);

/// Status line and fields of `answer`, with those that sending adds: `date` as in the Date field, and `connection` as
/// in the Connection field, which is left out when empty.
std::string head_of(const response& answer, std::string_view date, std::string_view connection);

/// True for "news" and "News": header field names and many of their values ignore case.
bool same_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);

} // namespace gnomon::http
