#include "runtime/replay/line_reader.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>

namespace gnomon::replay {

namespace {

constexpr size_t chunk_bytes = 256u << 10;

} // namespace

expected<std::unique_ptr<line_reader>> line_reader::open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return make_error(ec::not_found, path.string() + " is a directory; name a trace file");
  errno = 0;
  auto file = gzopen(path.c_str(), "rb");
  if (file == nullptr)
    return make_error(ec::not_found, "cannot open the trace " + path.string() + ": " + std::strerror(errno));
  gzbuffer(file, chunk_bytes);
  return std::unique_ptr<line_reader>{new line_reader{file}};
}

line_reader::~line_reader() {
  gzclose(static_cast<gzFile>(file_));
}

bool line_reader::refill() {
  if (ended_)
    return false;
  buffer_.resize(chunk_bytes);
  used_ = 0;
  auto file = static_cast<gzFile>(file_);
  auto got = gzread(file, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  buffer_.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (got <= 0) {
    ended_ = true;
    int code = Z_OK;
    std::string_view reason = gzerror(file, &code);
    if (code == Z_ERRNO)
      damage_ = std::strerror(errno);
    else if (code != Z_OK && code != Z_STREAM_END)
      damage_ = "damaged gzip data (" + std::string{reason} + ")";
  }
  return got > 0;
}

std::optional<std::string_view> line_reader::next() {
  line_.clear();
  cut_ = false;
  bool any = false;
  while (used_ < buffer_.size() || refill()) {
    any = true;
    auto rest = std::string_view{buffer_}.substr(used_);
    auto end = rest.find('\n');
    auto part = rest.substr(0, end);
    auto room = max_line_bytes - line_.size();
    cut_ = cut_ || part.size() > room;
    line_.append(part.substr(0, room));
    used_ += part.size() + (end != std::string_view::npos);
    if (end != std::string_view::npos)
      break;
  }
  if (!any)
    return std::nullopt;
  ++number_;
  if (line_.ends_with('\r'))
    line_.pop_back();
  return line_;
}

} // namespace gnomon::replay
