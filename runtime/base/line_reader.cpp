#include "runtime/base/line_reader.hpp"

namespace gnomon {

namespace {

constexpr size_t chunk_bytes = 256u << 10;

} // namespace

expected<std::unique_ptr<line_reader>> line_reader::open(const std::string& file, size_t max_line, coding how) {
  auto source = byte_source::open(file, how);
  if (!source)
    return source.error();
  return std::unique_ptr<line_reader>{new line_reader{std::move(*source), max_line}};
}

bool line_reader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const auto before = buffer_.size();
  buffer_.resize(before + chunk_bytes);
  const auto got = source_->read(buffer_.data() + before, chunk_bytes);
  buffer_.resize(before + got);
  return got > 0;
}

/// False when this is no text that can be read.
bool line_reader::pass_mark() {
  while (buffer_.size() - at_ < byte_order_mark.size() && buffer_.find('\n', at_) == buffer_.npos && fill())
    continue;
  const auto front = std::string_view{buffer_}.substr(at_);
  if (front.starts_with("\xFF\xFE") || front.starts_with("\xFE\xFF"))
    fault_ = name() + ": this is UTF-16 text; save it as UTF-8";
  else if (front.starts_with(byte_order_mark))
    at_ += byte_order_mark.size();
  return fault_.empty();
}

bool line_reader::next(std::string& line) {
  line.clear();
  too_long_ = returned_ = false;
  if (!fault_.empty() || (number_ == 0 && !pass_mark()))
    return false;
  size_t end = 0;
  for (size_t searched = 0; (end = buffer_.find('\n', at_ + searched)) == buffer_.npos;) {
    if (buffer_.size() - at_ > max_line_) { // keeps the front for the message, forgets the rest of the line as it comes
      too_long_ = true;
      buffer_.resize(at_ + max_line_);
    }
    searched = buffer_.size() - at_;
    if (!fill())
      break;
  }
  const auto whole = end != buffer_.npos;
  if (!whole && (buffer_.size() == at_ || !source_->fault().empty()))
    return false;
  line.assign(buffer_, at_, whole ? end - at_ : buffer_.npos);
  at_ = whole ? end + 1 : buffer_.size();
  ++number_;
  if (line.size() > max_line_) {
    too_long_ = true;
    line.resize(max_line_);
  }
  returned_ = line.ends_with('\r') && whole;
  if (line.ends_with('\r'))
    line.pop_back();
  return true;
}

void line_reader::next_bytes(std::string& bytes, size_t count) {
  while (buffer_.size() - at_ < count && fill())
    continue;
  bytes.assign(buffer_, at_, count);
  at_ += bytes.size();
}

std::string_view line_reader::ahead() {
  if (at_ == buffer_.size())
    fill();
  return std::string_view{buffer_}.substr(at_);
}

} // namespace gnomon
