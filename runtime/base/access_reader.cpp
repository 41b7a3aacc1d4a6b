#include "runtime/base/access_reader.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/line_reader.hpp"
#include "runtime/base/times.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace gnomon {

namespace {

constexpr size_t longest_record = 64u << 10;
constexpr size_t longest_name = 1024;
constexpr size_t complaints_kept = 5;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Takes the members of one access out of the events of the JSON parser, without a document in between.
class access_members : public nlohmann::json_sax<nlohmann::json> {
public:
  std::string user, item, region, fault;
  std::optional<double> time;

  bool key(string_t& name) override {
    if (depth_ != 1)
      return true;
    if (!keys_.insert(name).second) // as `parse_strict_json` has it; what is deeper is not read
      return stop("the member " + name + " is there twice");
    key_ = name;
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ != 1)
      return depth_ > 0 || stop("it is not a JSON object");
    if (key_ == "timestamp" && !(time = trace_seconds(std::string_view{text})))
      return stop("timestamp is neither seconds since 1970 nor a time such as 2024-05-01T12:00:00Z");
    return name(std::move(text));
  }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value), [&] { return std::to_string(value); });
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value), [&] { return std::to_string(value); });
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return number(value, [&] { return text; });
  }
  bool null() override {
    return depth_ > 0 || stop("it is not a JSON object");
  }
  bool boolean(bool) override {
    return null();
  }
  bool binary(binary_t&) override {
    return true;
  }
  bool start_object(size_t) override {
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(size_t) override {
    return depth_++ > 0 || stop("it is not a JSON object");
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return stop("it is not JSON");
  }

private:
  bool stop(std::string reason) {
    fault = std::move(reason);
    return false;
  }
  bool name(std::string text) {
    auto* member = key_ == "user_id" ? &user : key_ == "data_id" ? &item : key_ == "region" ? &region : nullptr;
    if (member == nullptr)
      return true;
    if (text.size() > longest_name)
      return stop("a name in it is longer than 1,024 bytes");
    *member = std::move(text);
    return true;
  }
  template <class Text>
  bool number(double value, Text text) {
    if (depth_ != 1)
      return null();
    if (key_ != "timestamp")
      return name(text());
    time = trace_seconds(value);
    return time || stop("timestamp is no time after 1970");
  }

  int depth_ = 0;
  std::string key_;
  std::set<std::string> keys_;
};

/// What keeps `item` from being an id; empty when nothing does.
std::string fault_of(const std::string& item) {
  auto checked = checked_id(item);
  return checked ? std::string{} : sentence_of(checked.error());
}

} // namespace

void access_reader::feed(std::string_view piece) {
  std::string begun;
  if (layout_ == layout::unknown) {
    begun = std::exchange(front_, {}) + std::string{piece};
    piece = begun;
    if (!passed_mark_ && piece.size() < byte_order_mark.size() && byte_order_mark.starts_with(piece)) {
      front_ = begun; // cut in the middle of it
      return;
    }
    if (!std::exchange(passed_mark_, true) && piece.starts_with(byte_order_mark))
      piece.remove_prefix(byte_order_mark.size());
    const auto blank = piece.substr(0, piece.find_first_not_of(" \t\r\n"));
    blank_lines_ += static_cast<size_t>(std::count(blank.begin(), blank.end(), '\n'));
    if (blank.size() == piece.size())
      return;
    piece.remove_prefix(blank.size());
    layout_ = piece.front() == '[' ? layout::array : layout::lines;
    lines_ += layout_ == layout::lines ? blank_lines_ : 0;
    piece.remove_prefix(layout_ == layout::array ? 1 : 0);
  }
  layout_ == layout::array ? feed_array(piece) : feed_line(piece);
}

void access_reader::finish() {
  record_ += std::exchange(front_, {});
  if (!record_.empty() || too_long_)
    read_record();
}

void access_reader::append(std::string_view part) {
  if (record_.size() + part.size() > longest_record)
    too_long_ = true;
  else if (!too_long_)
    record_.append(part);
}

void access_reader::feed_line(std::string_view piece) {
  while (!piece.empty()) {
    auto end = piece.find('\n');
    append(piece.substr(0, end));
    if (end == std::string_view::npos)
      return;
    read_record();
    piece.remove_prefix(end + 1);
  }
}

// Elements end at a comma, or at the bracket that closes the array, outside of texts and of inner objects.
void access_reader::feed_array(std::string_view piece) {
  size_t begin = 0;
  for (size_t k = 0; k < piece.size(); ++k) {
    const char c = piece[k];
    if (in_text_) {
      in_text_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_text_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (depth_ > 0 && (c == '}' || c == ']')) {
      --depth_;
    } else if (depth_ == 0 && (c == ',' || c == ']')) {
      append(piece.substr(begin, k - begin));
      read_record();
      begin = k + 1;
    }
  }
  append(piece.substr(begin));
}

void access_reader::read_record() {
  if (is_blank(record_) && !too_long_) {
    record_.clear();
    lines_ += layout_ == layout::lines;
    return;
  }
  ++lines_;
  access_members members;
  if (too_long_)
    members.fault = "it is longer than 64 KiB";
  else if (record_.find('\0') != std::string::npos) // the parser would take it for the end
    members.fault = "it is not JSON";
  else if (nlohmann::json::sax_parse(record_, &members) && members.fault.empty())
    members.fault = members.user.empty()   ? "user_id is missing"
                    : members.item.empty() ? "data_id is missing"
                    : !members.time        ? "timestamp is missing"
                                           : fault_of(members.item);
  record_.clear();
  too_long_ = false;
  if (!members.fault.empty())
    return refuse(members.fault);
  take_({members.user, members.item, members.region, *members.time});
}

void access_reader::refuse(std::string reason) {
  ++bad_lines_;
  if (complaints_.size() < complaints_kept)
    complaints_.push_back({lines_, std::move(reason)});
}

} // namespace gnomon
