#include "runtime/base/byte_source.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gnomon {

namespace {

constexpr size_t chunk_bytes = 256u << 10;
constexpr std::string_view gzip_mark = "\x1f\x8b";
constexpr int gzip_only = 15 + 16; // zlib's window bits, and its sign for gzip's header

} // namespace

struct byte_source::decoder {
  z_stream stream{};
  bool between = false; // a member has ended
  ~decoder() {
    inflateEnd(&stream);
  }
};

byte_source::byte_source(std::string name, int descriptor, uint64_t size)
    : name_(std::move(name)), descriptor_(descriptor), size_(size) {}

byte_source::~byte_source() {
  if (descriptor_ != STDIN_FILENO)
    ::close(descriptor_);
}

expected<std::unique_ptr<byte_source>> byte_source::open(const std::string& file, coding how) {
  const auto standard = file == "-";
  const auto fd = standard ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const std::string name = standard ? "standard input" : file;
  struct stat facts {};
  if (fd < 0 || ::fstat(fd, &facts) != 0)
    return make_error(ec::not_found, fmt::format("cannot open {}: {}", name, std::strerror(errno)));
  std::unique_ptr<byte_source> result{
      new byte_source{name, fd, S_ISREG(facts.st_mode) ? static_cast<uint64_t>(facts.st_size) : 0}};
  result->how_ = how;
  if (S_ISDIR(facts.st_mode))
    return make_error(ec::not_found, name + " is a directory; name a file");
  return result;
}

size_t byte_source::read(char* to, size_t most) {
  if (!fault_.empty())
    return 0;
  if (!begun_)
    begin();
  return decoder_ ? inflate(to, most) : copy(to, most);
}

double byte_source::progress() const {
  return size_ == 0 ? -1 : std::min(1.0, static_cast<double>(taken_) / static_cast<double>(size_));
}

size_t byte_source::fail(const std::string& why) {
  fault_ = fmt::format("{}: {}", name_, why);
  return 0;
}

/// False at the end of the file, and when it cannot be read.
bool byte_source::refill() {
  input_.resize(chunk_bytes);
  used_ = 0;
  const auto got = ::read(descriptor_, input_.data(), input_.size());
  input_.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  taken_ += input_.size();
  if (got < 0)
    fail(std::strerror(errno));
  return got > 0;
}

void byte_source::begin() {
  begun_ = true;
  if (how_ == coding::as_it_is || !refill() || input_[0] != gzip_mark[0])
    return;
  if (input_.size() == 1) { // from a pipe that gives one byte at first
    const auto first = input_;
    refill();
    input_.insert(0, first);
  }
  if (!input_.starts_with(gzip_mark))
    return;
  decoder_ = std::make_unique<decoder>();
  if (inflateInit2(&decoder_->stream, gzip_only) != Z_OK)
    fail("not enough memory to read it");
}

size_t byte_source::copy(char* to, size_t most) {
  if (used_ == input_.size() && (!fault_.empty() || !refill()))
    return 0;
  const auto count = std::min(most, input_.size() - used_);
  std::memcpy(to, input_.data() + used_, count);
  used_ += count;
  return count;
}

/// Behind a member there is another one, or zeros that fill a block. False at the end, or with a fault.
bool byte_source::begin_member() {
  while (used_ < input_.size() || refill()) {
    used_ = std::min(input_.find_first_not_of('\0', used_), input_.size());
    if (used_ == input_.size())
      continue;
    if (input_[used_] != gzip_mark[0])
      return fail("damaged gzip data (what follows a part of it is not gzip)") > 0;
    inflateReset(&decoder_->stream);
    decoder_->between = false;
    return true;
  }
  return false;
}

size_t byte_source::inflate(char* to, size_t most) {
  auto& stream = decoder_->stream;
  for (;;) {
    if (decoder_->between && !begin_member())
      return 0;
    if (used_ == input_.size() && !refill())
      return fault_.empty() ? fail("the gzip data ends too early: the file was cut short") : 0;
    stream.next_in = reinterpret_cast<Bytef*>(input_.data() + used_);
    stream.avail_in = static_cast<uInt>(input_.size() - used_);
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = static_cast<uInt>(std::min<size_t>(most, UINT32_MAX));
    const auto room = stream.avail_out;
    const auto code = ::inflate(&stream, Z_NO_FLUSH);
    used_ = input_.size() - stream.avail_in;
    decoder_->between = code == Z_STREAM_END;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      fail(fmt::format("damaged gzip data ({})", stream.msg ? stream.msg : "it cannot be decoded"));
    if (stream.avail_out < room || !fault_.empty())
      return room - stream.avail_out;
  }
}

expected<std::string> read_all(byte_source& from, size_t most) {
  std::string bytes;
  for (std::string chunk(chunk_bytes, '\0');;) {
    const auto got = from.read(chunk.data(), chunk.size());
    if (got == 0)
      break;
    bytes.append(chunk, 0, got);
    if (bytes.size() > most)
      return make_error(ec::too_large, fmt::format("{} holds more than {} bytes", from.name(), most));
  }
  if (!from.fault().empty())
    return make_error(ec::bad_message, from.fault());
  return bytes;
}

expected<std::string> read_all(const std::string& file, size_t most) {
  auto source = byte_source::open(file, coding::as_it_is);
  if (!source)
    return source.error();
  return read_all(**source, most);
}

} // namespace gnomon
