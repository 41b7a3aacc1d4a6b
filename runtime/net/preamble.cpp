#include "runtime/net/preamble.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <bit>

namespace gnomon {
namespace {

constexpr std::string_view magic = "GNOMON";
constexpr uint8_t format = 2;
constexpr size_t max_name_bytes = 255;

class writer {
public:
  template <class T>
  void number(T value) {
    for (size_t i = 0; i < sizeof value; ++i)
      bytes_.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
  void text(std::string_view s) {
    number(static_cast<uint16_t>(s.size()));
    bytes_.append(s);
  }
  void identity(const node_identity& who) {
    for (auto part : {&who.cluster, &who.node, &who.region, &who.address})
      text(std::string_view{*part}.substr(0, max_name_bytes));
    number(who.incarnation);
    number(who.start);
    number(std::bit_cast<uint64_t>(who.latitude.value));
    number(std::bit_cast<uint64_t>(who.longitude.value));
  }
  std::string envelope() const {
    writer head;
    head.bytes_ = magic;
    head.number(format);
    head.number(static_cast<uint16_t>(bytes_.size()));
    return head.bytes_ + bytes_;
  }

private:
  std::string bytes_;
};

/// Remembers a failure, so that its users check once at the end.
class reader {
public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    if (rest_.size() < sizeof(T))
      return fail(T{});
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  std::string text(size_t limit) {
    auto length = number<uint16_t>();
    if (failed_ || length > limit || length > rest_.size())
      return fail(std::string{});
    std::string s{rest_.substr(0, length)};
    rest_.remove_prefix(length);
    auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (!is_utf8(s) || std::any_of(s.begin(), s.end(), control))
      return fail(std::string{});
    return s;
  }
  node_identity identity() {
    node_identity who;
    for (auto part : {&who.cluster, &who.node, &who.region, &who.address})
      *part = text(max_name_bytes);
    who.incarnation = number<uint64_t>();
    who.start = number<uint64_t>();
    who.latitude = std::bit_cast<double>(number<uint64_t>());
    who.longitude = std::bit_cast<double>(number<uint64_t>());
    if (who.cluster.empty() || who.node.empty() || who.region.empty() || who.address.empty())
      failed_ = true;
    return who;
  }
  bool good() const {
    return !failed_ && rest_.empty();
  }

private:
  template <class T>
  T fail(T nothing) {
    failed_ = true;
    return nothing;
  }
  std::string_view rest_;
  bool failed_ = false;
};

caf::error broken(const char* what) {
  return make_error(ec::bad_message, what);
}

} // namespace

std::string encode_caller(const caller& by) {
  writer body;
  body.identity(by.who);
  body.number(by.connection);
  body.number(by.move);
  return body.envelope();
}

std::string encode_greeting(const greeting& answer) {
  writer body;
  body.number(static_cast<uint8_t>(answer.verdict));
  body.text(std::string_view{answer.sentence}.substr(0, 1024));
  body.identity(answer.from);
  return body.envelope();
}

expected<size_t> body_length(std::string_view head) {
  if (head.size() != preamble_head_bytes || !head.starts_with(magic))
    return broken("what answers there is no Gnomon node");
  reader fields{head.substr(magic.size())};
  if (fields.number<uint8_t>() != format)
    return broken("the node there speaks another version of the tunnel's preamble; update the older one");
  size_t length = fields.number<uint16_t>();
  if (length == 0 || length > max_preamble_bytes)
    return broken("a preamble of an impossible length");
  return length;
}

expected<caller> decode_caller(std::string_view body) {
  reader fields{body};
  caller by;
  by.who = fields.identity();
  by.connection = fields.number<uint64_t>();
  by.move = fields.number<uint32_t>();
  if (!fields.good())
    return broken("a preamble that cannot be read");
  return by;
}

expected<greeting> decode_greeting(std::string_view body) {
  reader fields{body};
  greeting answer;
  auto verdict = fields.number<uint8_t>();
  answer.sentence = fields.text(1024);
  answer.from = fields.identity();
  if (!fields.good() || verdict > static_cast<uint8_t>(reception::removed))
    return broken("a greeting that cannot be read");
  answer.verdict = static_cast<reception>(verdict);
  return answer;
}

} // namespace gnomon
