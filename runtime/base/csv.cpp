#include "runtime/base/csv.hpp"

namespace gnomon {

namespace {

constexpr size_t longest_record = 64u << 10;

/// Takes one field off the front of `rest`.
csv_state take_field(std::string_view& rest, std::string& field) {
  if (!rest.starts_with('"')) {
    field = rest.substr(0, rest.find(','));
    rest.remove_prefix(field.size());
    return field.find('"') == field.npos ? csv_state::whole : csv_state::broken;
  }
  rest.remove_prefix(1);
  for (;;) {
    const auto quote = rest.find('"');
    if (quote == rest.npos)
      return csv_state::open;
    field += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"'))
      return rest.empty() || rest.front() == ',' ? csv_state::whole : csv_state::broken;
    field += '"';
    rest.remove_prefix(1);
  }
}

} // namespace

csv_state split_csv(std::string_view text, std::vector<std::string>& fields) {
  fields.clear();
  for (;;) {
    if (const auto state = take_field(text, fields.emplace_back()); state != csv_state::whole)
      return state;
    if (text.empty())
      return csv_state::whole;
    text.remove_prefix(1);
  }
}

bool csv_reader::read(line& to) {
  if (!again_.empty()) {
    to = std::move(again_.front());
    again_.pop_front();
    return true;
  }
  if (!lines_.next(to.text))
    return false;
  to.number = lines_.number();
  to.too_long = lines_.too_long();
  to.returned = lines_.returned();
  return true;
}

bool csv_reader::next(std::string& text) {
  if (!read(last_))
    return false;
  text = last_.text;
  return true;
}

csv_state csv_reader::split(const std::string& first, std::vector<std::string>& fields) {
  auto state = split_csv(first, fields);
  auto record = first;
  std::deque<line> further;
  for (auto returned = last_.returned; state == csv_state::open;) {
    line more;
    if (record.size() > longest_record || !read(more))
      break;
    record += (returned ? "\r\n" : "\n") + more.text;
    returned = more.returned;
    state = more.too_long ? csv_state::broken : split_csv(record, fields);
    further.push_back(std::move(more));
  }
  if (state == csv_state::whole && !further.empty())
    last_.number = further.back().number;
  if (state != csv_state::whole)
    again_.insert(again_.begin(), std::make_move_iterator(further.begin()), std::make_move_iterator(further.end()));
  return state;
}

} // namespace gnomon
