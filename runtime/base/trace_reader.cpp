#include "runtime/base/trace_reader.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/times.hpp"
#include "runtime/base/trimmed.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>

namespace gnomon {

namespace {

constexpr size_t longest_line = 64u << 10;
constexpr size_t piece_bytes = 64u << 10;
constexpr size_t longest_name = 1024;
constexpr size_t complaints_kept = 5;
constexpr auto formats =
    "\nA trace is CSV whose first line names the columns t, user, item and perhaps region, or that has the fields "
    "t,user,region,item; or JSON, one object a line or a list of them, with user_id, data_id, timestamp and "
    "perhaps region; or an access log in Common or Combined Log Format. Each plain or gzip.";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == text.npos;
}

std::string lowercase_word(std::string_view text) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  std::string word{trimmed(text)};
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

bool begins_json(std::string_view text) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  auto next = [&](size_t from) { return std::min(text.find_first_not_of(" \t\r\n", from), text.size()); };
  const auto first = next(0);
  if (first == text.size() || text[first] == '{')
    return first < text.size();
  const auto second = next(first + 1);
  return text[first] == '[' && (second == text.size() || text[second] == '{' || text[second] == ']');
}

/// Empty when it can name somebody or something; else what is wrong with it.
std::string check_name(const std::string& name, std::string_view what) {
  if (name.size() > longest_name)
    return fmt::format("the {} is longer than 1,024 bytes", what);
  if (!is_utf8(name) || name.find('\0') != std::string::npos)
    return fmt::format("the {} is not UTF-8 text", what);
  return {};
}

parsed_line checked(raw_read read) {
  if (read.user.empty())
    return malformed{"the user is empty"};
  for (auto wrong : {check_name(read.user, "user"), check_name(read.region, "region")})
    if (!wrong.empty())
      return malformed{std::move(wrong)};
  auto item = checked_id(std::move(read.item));
  if (!item)
    return malformed{"the item cannot be an id: " + sentence_of(item.error())};
  read.item = std::move(*item);
  return read;
}

} // namespace

// -- counts -----------------------------------------------------------------------------------------------------------

void trace_counts::complain(uint64_t line, std::string reason) {
  if (complaints.size() < complaints_kept)
    complaints.push_back({line, std::move(reason)});
  ++malformed;
}

std::string trace_counts::no_reads_in_words() const {
  std::string text;
  auto tell = [&](uint64_t count, std::string_view what) {
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  tell(other_methods, "with another method than GET");
  tell(redirected, "answered with a redirect");
  tell(failed, "answered with an error");
  return text;
}

// -- the file ---------------------------------------------------------------------------------------------------------

expected<std::unique_ptr<trace_reader>> trace_reader::open(const std::string& file, uint64_t limit) {
  auto lines = line_reader::open(file, longest_line);
  if (!lines)
    return lines.error();
  std::unique_ptr<trace_reader> result{new trace_reader{std::move(*lines)}};
  result->limit_ = limit;
  if (begins_json(result->lines_->ahead()))
    result->read_json();
  return result;
}

std::optional<raw_read> trace_reader::next() {
  auto read = kind_ == format::json ? next_of_json() : next_of_lines();
  reads_ += read ? 1 : 0;
  return read;
}

caf::error trace_reader::problem() const {
  if (!lines_->fault().empty())
    return make_error(ec::bad_message, fmt::format("{}; before that place there are {} reads in {} lines",
                                                   lines_->fault(), reads_, counts_.lines));
  if (!refusal_.empty())
    return make_error(ec::invalid_argument, fmt::format("{}: {}{}", lines_->name(), refusal_, formats));
  if (reads_ > 0)
    return {};
  auto sentence = fmt::format("{} has no usable read in {} lines", lines_->name(), counts_.lines);
  if (counts_.no_reads() > 0)
    sentence += fmt::format("; it holds requests that are no reads: {}", counts_.no_reads_in_words());
  for (const auto& [line, reason] : counts_.complaints)
    sentence += fmt::format("\n  line {}: {}", line, reason);
  return make_error(ec::invalid_argument, sentence + (counts_.no_reads() > counts_.malformed ? "" : formats));
}

// -- JSON -------------------------------------------------------------------------------------------------------------

void trace_reader::read_json() {
  kind_ = format::json;
  json_ = std::make_unique<access_reader>([this](const named_access& a) {
    auto read = checked({a.time, std::string{a.user}, std::string{a.region}, std::string{a.item}});
    if (auto* wrong = std::get_if<malformed>(&read))
      json_->refuse(std::move(wrong->reason));
    else if (limit_ == 0 || json_->lines() <= limit_)
      waiting_.emplace_back(std::move(std::get<raw_read>(read)), json_->lines());
  });
}

std::optional<raw_read> trace_reader::next_of_json() {
  for (std::string piece; waiting_.empty() && (limit_ == 0 || json_->lines() < limit_);) {
    lines_->next_bytes(piece, piece_bytes);
    if (piece.empty()) {
      if (lines_->fault().empty())
        json_->finish();
      break;
    }
    json_->feed(piece);
  }
  counts_.lines = limit_ == 0 ? json_->lines() : std::min(json_->lines(), limit_);
  counts_.malformed = json_->bad_lines();
  counts_.complaints.clear();
  for (const auto& [line, reason] : json_->complaints())
    counts_.complaints.push_back({line, reason});
  if (waiting_.empty())
    return std::nullopt;
  auto [read, line] = std::move(waiting_.front());
  waiting_.pop_front();
  line_ = line;
  return std::move(read);
}

// -- lines ------------------------------------------------------------------------------------------------------------

std::optional<raw_read> trace_reader::next_of_lines() {
  for (std::string line; refusal_.empty() && (limit_ == 0 || counts_.lines < limit_) && records_.next(line);) {
    line_ = counts_.lines = records_.number();
    if (line.starts_with(byte_order_mark)) // also in the middle, where files were joined
      line.erase(0, byte_order_mark.size());
    if (records_.too_long())
      counts_.complain(line_, "is longer than 64 KiB");
    else if (!is_blank(line))
      if (auto parsed = parse(line)) {
        counts_.lines = records_.number();
        if (auto read = count(std::move(*parsed)))
          return read;
      }
  }
  return std::nullopt;
}

std::optional<raw_read> trace_reader::count(parsed_line parsed) {
  if (auto* read = std::get_if<raw_read>(&parsed))
    return std::move(*read);
  if (auto* wrong = std::get_if<malformed>(&parsed)) {
    counts_.complain(line_, std::move(wrong->reason));
    return std::nullopt;
  }
  const auto why = std::get<no_read>(parsed);
  ++(why == no_read::other_method ? counts_.other_methods
     : why == no_read::redirected ? counts_.redirected
                                  : counts_.failed);
  return std::nullopt;
}

/// What the first line that can be understood says about the file.
trace_reader::format trace_reader::format_of(const std::string& line) {
  if (looks_like_access_log(line))
    return format::access_log;
  if (records_.split(line, fields_) != csv_state::whole)
    return format::unknown;
  if (header_of(fields_) || std::holds_alternative<raw_read>(read_of(fields_)))
    return format::csv;
  // Columns that are named in part must not be taken for others by their place.
  const auto names =
      std::any_of(fields_.begin(), fields_.end(), [](auto& f) { return column_named(f) != column_count; });
  const auto times = std::any_of(fields_.begin(), fields_.end(),
                                 [](auto& f) { return trace_seconds(std::string_view{f}).has_value(); });
  if (names && !times && fields_.size() > 2 && counts_.malformed == 0)
    refusal_ = "its first line names columns, but not each of t, user and item once";
  return format::unknown;
}

/// Nothing for a line that names columns.
std::optional<parsed_line> trace_reader::parse(const std::string& line) {
  if (kind_ == format::unknown)
    kind_ = format_of(line);
  if (kind_ == format::access_log)
    return parse_access_log_line(line);
  if (kind_ == format::unknown)
    return malformed{"is neither CSV with t, user, region and item, nor JSON, nor a line of an access log"};
  const auto state = records_.split(line, fields_);
  if (state == csv_state::open)
    return malformed{"a quoted field does not end"};
  if (state == csv_state::broken)
    return malformed{"a quote stands in the middle of a field"};
  const auto header = header_of(fields_);
  if (!header)
    return read_of(fields_);
  columns_ = *header;
  return std::nullopt;
}

trace_reader::column trace_reader::column_named(const std::string& field) {
  static const std::map<std::string, column> names{{"t", time},       {"time", time},    {"timestamp", time},
                                                   {"user", user},    {"user_id", user}, {"item", item},
                                                   {"data_id", item}, {"region", region}};
  const auto known = names.find(lowercase_word(field));
  return known == names.end() ? column_count : known->second;
}

/// Where the columns are, when `fields` name them, each once.
std::optional<trace_reader::layout> trace_reader::header_of(const std::vector<std::string>& fields) {
  layout found{{absent, absent, absent, absent}, fields.size()};
  for (size_t k = 0; k < fields.size(); ++k)
    if (const auto which = column_named(fields[k]); which != column_count) {
      if (found.at[which] != absent)
        return std::nullopt;
      found.at[which] = k;
    }
  const auto complete = found.at[time] != absent && found.at[user] != absent && found.at[item] != absent;
  return complete ? std::optional{found} : std::nullopt;
}

parsed_line trace_reader::read_of(std::vector<std::string>& fields) const {
  if (fields.size() != columns_.count)
    return malformed{fmt::format("has {} fields instead of {}", fields.size(), columns_.count)};
  auto field = [&](column which) { return columns_.at[which] == absent ? std::string{} : fields[columns_.at[which]]; };
  const auto text = field(time);
  const auto t = trace_seconds(std::string_view{text});
  if (!t)
    return malformed{
        fmt::format("the time \"{}\" is neither seconds since 1970 nor like 2024-05-01T12:00:00Z", text.substr(0, 40))};
  return checked({*t, field(user), field(region), field(item)});
}

} // namespace gnomon
