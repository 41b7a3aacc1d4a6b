#pragma once

#include <string>
#include <string_view>
#include <variant>

/// Access logs of web servers, one line at a time. Pure functions.
namespace gnomon {

/// One read, as a line has it. `region` is empty where the line names none, as in access logs.
struct raw_read {
  double t = 0; // seconds, in traces with dates since 1970 UTC
  std::string user;
  std::string region;
  std::string item;
};

/// Why a request of a log is no read.
enum class no_read { other_method, redirected, failed };

/// A line that cannot be understood. The reason is a sentence for a person and starts in lower case.
struct malformed {
  std::string reason;
};

using parsed_line = std::variant<raw_read, no_read, malformed>;

/// Common or Combined Log Format, also with the virtual host in front. A read is a GET answered with 2xx or 304. Its
/// item is "web" and the path without the query, its user is the client address, its time is the date with its zone.
parsed_line parse_access_log_line(std::string_view line);

/// True when the line looks like that of an access log, malformed or not. This decides the format of a file.
bool looks_like_access_log(std::string_view line);

} // namespace gnomon
