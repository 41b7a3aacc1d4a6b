#include "runtime/gateway/request_parser.hpp"

#include "runtime/base/ip_address.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/gateway/routes.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace gnomon::http {

namespace {

using boost::beast::http::field;
using parse_error = boost::beast::http::error;

constexpr size_t max_extension_bytes = 4096; // nobody uses them: these only make a body cost more than it brings
constexpr size_t max_size_digits = 16;

std::string_view to_std(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// A value that Beast has put together of several lines lies in a buffer of its own, or behind a line's end.
bool is_folded(std::string_view bytes, std::string_view name, std::string_view value) {
  const auto* from = name.data() + name.size();
  const auto* to = bytes.data() + bytes.size();
  if (std::less<>{}(value.data(), from) || std::less<>{}(to, value.data()))
    return true;
  return std::string_view{from, static_cast<size_t>(value.data() - from)}.find('\r') != std::string_view::npos;
}

bool is_control(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7F;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Only characters of a host's name or address (RFC 3986, 3.2). No comma: it would join two values.
bool is_host_name(std::string_view text) {
  static constexpr auto allowed = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = 0x21; c < 0x7F; ++c)
      table[c] = std::string_view{"\"#,/:<>?@[\\]^`{|}"}.find(static_cast<char>(c)) == std::string_view::npos;
    return table;
  }();
  return std::all_of(text.begin(), text.end(), [](char c) { return allowed[static_cast<uint8_t>(c)]; })
         && (text.find('%') == std::string_view::npos || percent_decode(text));
}

// A name or an address, and a port or none. Proxies choose a server by it, so no two may take it for different ones.
bool is_host(std::string_view text) {
  const auto in_brackets = text.starts_with('[');
  const auto end = std::min(text.find(in_brackets ? ']' : ':'), text.size());
  const auto port = text.substr(std::min(end + in_brackets, text.size()));
  if (port.size() > 1 && !is_number(port.substr(1)))
    return false;
  if (!in_brackets)
    return is_host_name(text.substr(0, end));
  const auto address = text.substr(1, end - 1);
  return end < text.size() && (port.empty() || port.front() == ':') && address.find(':') != std::string_view::npos
         && ip_address::parse(address);
}

// What stands behind "http://"; nothing for another form.
std::optional<std::string_view> behind_scheme(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"})
    if (same_ignoring_case(target.substr(0, scheme.size()), scheme))
      return target.substr(scheme.size());
  return std::nullopt;
}

bool is_target(const request_head& head) {
  if (head.target.starts_with('/'))
    return true;
  auto rest = behind_scheme(head.target);
  if (!rest)
    return head.target == "*" && head.method == "OPTIONS";
  auto authority = rest->substr(0, rest->find_first_of("/?"));
  return !authority.empty() && is_host(authority);
}

// Fields without which a GET is answered by the value alone.
bool changes_answer(field which, std::string_view name) {
  switch (which) {
  case field::content_length:
  case field::expect:
  case field::if_match:
  case field::if_modified_since:
  case field::if_none_match:
  case field::if_range:
  case field::if_unmodified_since:
  case field::range:
  case field::transfer_encoding:
  case field::upgrade:
    return true;
  case field::unknown:
    return name.size() > 7 && same_ignoring_case(name.substr(0, 7), "gnomon-");
  default:
    return false;
  }
}

} // namespace

bool body_share::take(uint64_t bytes) {
  if (budget_.used.fetch_add(bytes) + bytes > budget_.limit) {
    budget_.used.fetch_sub(bytes);
    return false;
  }
  taken_ += bytes;
  return true;
}

void body_share::release() {
  budget_.used.fetch_sub(taken_);
  taken_ = 0;
}

std::optional<head_fault> find_fault(const request_head& head) {
  constexpr std::string_view bad = "bad-request";
  if (head.folded)
    return head_fault{400, bad, "a header field goes on in the next line, which HTTP no longer allows"};
  if (head.hosts > 1 || (head.version >= 11 && head.hosts == 0))
    return head_fault{400, bad, "an HTTP/1.1 request needs exactly one Host field"};
  if (!is_host(head.host))
    return head_fault{400, bad, "the Host field must hold a name or an address, and a port or none"};
  if (head.lengths > 1 || (head.lengths == 1 && !is_number(head.length)))
    return head_fault{400, bad, "a request has one Content-Length field, with one number, or none"};
  if (head.codings > 0 && head.lengths > 0)
    return head_fault{400, bad, "Transfer-Encoding and Content-Length exclude each other; send one of them"};
  if (head.codings > 0 && head.version < 11)
    return head_fault{400, bad, "HTTP/1.0 knows no Transfer-Encoding; send Content-Length, or HTTP/1.1"};
  if (head.codings > 1 || (head.codings == 1 && !same_ignoring_case(head.coding, "chunked")))
    return head_fault{501, "transfer-coding", "of the transfer codings this server understands chunked only, alone"};
  if (head.types > 1)
    return head_fault{400, bad, "a request has one Content-Type field or none"};
  if (head.authorizations > 1)
    return head_fault{400, bad, "a request has one Authorization field or none"};
  if (head.target.find('#') != std::string_view::npos || head.target.find('\\') != std::string_view::npos)
    return head_fault{400, bad, "the address has a '#' or a backslash; write %23 or %5C"};
  if (!is_target(head))
    return head_fault{400, bad, "the address must be a path, such as /data/news/1, or begin with http:// and a host"};
  return std::nullopt;
}

bool is_broken(std::string_view bytes, char before) {
  for (auto c : bytes) {
    if ((before == '\r') != (c == '\n') || (is_control(c) && c != '\r' && c != '\n'))
      return true;
    before = c;
  }
  return false;
}

bool names_other_version(std::string_view head) {
  auto line = head.substr(0, head.find("\r\n"));
  auto version = line.substr(line.rfind(' ') + 1);
  return std::count(line.begin(), line.end(), ' ') == 2 && version.size() == 8 && version.starts_with("HTTP/")
         && is_number(version.substr(5, 1)) && version[6] == '.' && is_number(version.substr(7));
}

request_parser::request_parser(request_head& head, std::string& body, body_share& share, uint64_t max_body_bytes)
    : head_(head), body_(body), share_(share) {
  auto fields = std::move(head_.fields); // kept for their room
  fields.clear();
  head_ = {};
  head_.fields = std::move(fields);
  body_limit(max_body_bytes);
  header_limit(UINT32_MAX); // the caller hands over complete heads and bounds them itself
}

size_t request_parser::read(std::string_view bytes, error_code& ec) {
  bytes_ = bytes;
  if (in_trailer_ && chunked() && bytes.size() < 5
      && bytes.starts_with('0')) { // Beast asserts that "0" has all its ends
    ec = parse_error::need_more;
    return 0;
  }
  return put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
}

void request_parser::on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version,
                                     error_code&) {
  head_.method = to_std(method);
  head_.target = to_std(target);
  if (head_.method == "POST" && split_target(head_.target).first == train_path)
    body_limit(max_streamed_bytes);
  head_.version = static_cast<unsigned>(version);
}

void request_parser::on_response_impl(int, string_view, int, error_code&) {}

void request_parser::on_field_impl(field which, string_view name, string_view value, error_code& ec) {
  auto key = to_std(name), text = to_std(value);
  auto folded = is_folded(bytes_, key, text);
  if (in_trailer_) {
    if (folded)
      ec = parse_error::bad_value;
    return;
  }
  head_.folded |= folded;
  head_.fields.emplace_back(key, text);
  head_.conditional |= changes_answer(which, key);
  if (which == field::host) {
    ++head_.hosts;
    head_.host = text;
  } else if (which == field::content_length) {
    ++head_.lengths;
    head_.length = text;
  } else if (which == field::transfer_encoding) {
    ++head_.codings;
    head_.coding = text;
  } else if (which == field::content_type) {
    ++head_.types;
  } else if (which == field::authorization) {
    ++head_.authorizations;
    head_.authorization = text;
  } else if (which == field::origin) {
    head_.has_origin = true;
  }
}

void request_parser::on_header_impl(error_code&) {
  in_trailer_ = true;
}

void request_parser::on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) {}

size_t request_parser::on_body_impl(string_view bytes, error_code& ec) {
  if (!share_.take(bytes.size())) {
    ec = boost::beast::http::error::buffer_overflow;
    return 0;
  }
  body_.append(bytes.data(), bytes.size());
  return bytes.size();
}

void request_parser::on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& ec) {
  auto text = to_std(extensions);
  auto before = bytes_.substr(0, static_cast<size_t>(text.data() - bytes_.data()));
  extension_bytes_ += text.size();
  if (before.size() - (before.find_last_of('\n') + 1) > max_size_digits)
    ec = parse_error::bad_chunk;
  else if (extension_bytes_ > max_extension_bytes || std::any_of(text.begin(), text.end(), is_control))
    ec = parse_error::bad_chunk_extension;
}

size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) {
  return on_body_impl(bytes, ec);
}

void request_parser::on_finish_impl(error_code&) {}

std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
  if (auto rest = behind_scheme(target))
    target = rest->substr(std::min(rest->size(), rest->find_first_of("/?")));
  auto mark = target.find('?');
  if (mark == std::string_view::npos)
    return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

request to_request(const request_head& head, bool has_body) {
  request asked;
  asked.method = head.method;
  std::tie(asked.path, asked.query) = split_target(head.target);
  for (const auto& [name, value] : head.fields)
    asked.add_field(name, value);
  asked.has_body = has_body;
  return asked;
}

} // namespace gnomon::http
