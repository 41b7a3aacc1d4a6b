#include "runtime/gateway/request_parser.hpp"

#include "runtime/gateway/routes.hpp"

namespace gnomon::http {

namespace {

using boost::beast::http::field;

std::string_view to_std(boost::beast::string_view text) {
  return {text.data(), text.size()};
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

request_parser::request_parser(std::string_view bytes, request_head& head, std::string& body, body_share& share,
                               uint64_t max_body_bytes)
    : bytes_(bytes), head_(head), body_(body), share_(share) {
  head_.fields.clear();
  head_ = request_head{{}, {}, std::move(head_.fields)};
  body_limit(max_body_bytes);
  header_limit(UINT32_MAX); // the caller hands over complete heads and bounds them itself
}

void request_parser::on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version,
                                     error_code&) {
  head_.method = to_std(method);
  head_.target = to_std(target);
  if (split_target(head_.target).first == train_path)
    body_limit(max_streamed_bytes);
  head_.version = static_cast<unsigned>(version);
}

void request_parser::on_response_impl(int, string_view, int, error_code&) {}

void request_parser::on_field_impl(field which, string_view name, string_view value, error_code&) {
  if (in_trailer_)
    return;
  auto key = to_std(name), text = to_std(value);
  // Beast joins folded lines in a buffer of its own that is gone after this call.
  auto in_place = text.empty() || (text.data() >= bytes_.data() && text.data() < bytes_.data() + bytes_.size());
  head_.folded |= !in_place;
  head_.fields.emplace_back(key, text);
  head_.conditional |= changes_answer(which, key);
  head_.hosts += which == field::host;
  head_.transfer_coding |= which == field::transfer_encoding;
  head_.expects |= which == field::expect && same_ignoring_case(text, "100-continue");
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

void request_parser::on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}

size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) {
  return on_body_impl(bytes, ec);
}

void request_parser::on_finish_impl(error_code&) {}

std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
  if (!target.starts_with('/')) {
    auto scheme = target.find("://");
    auto slash = scheme == std::string_view::npos ? scheme : target.find('/', scheme + 3);
    if (scheme != std::string_view::npos)
      target = slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
  }
  target = target.substr(0, target.find('#'));
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
