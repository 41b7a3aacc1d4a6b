#include "runtime/tls/transport.hpp"

#include <algorithm>
#include <cstring>

namespace gnomon {

namespace asio = boost::asio;

namespace {

constexpr size_t record_bytes = 16u << 10; // the most that one record of TLS holds (RFC 8446, 5.1)

/// The parts one behind the other, as far as one record goes: each record costs a call of the system and 22 bytes or
/// more. A long part at the front is encrypted from where it lies.
std::string_view gathered(std::span<const transport::part> parts, std::array<char, record_bytes>& room) {
  while (!parts.empty() && parts.front().size() == 0)
    parts = parts.subspan(1);
  if (parts.empty())
    return {};
  if (parts.size() == 1 || parts.front().size() >= record_bytes)
    return {static_cast<const char*>(parts.front().data()), parts.front().size()};
  size_t filled = 0;
  for (const auto& part : parts) {
    const auto count = std::min(part.size(), record_bytes - filled);
    if (count > 0)
      std::memcpy(room.data() + filled, part.data(), count);
    filled += count;
  }
  return {room.data(), filled};
}

} // namespace

transport::transport(socket connected) : socket_(std::move(connected)) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.non_blocking(true, ignored);
}

std::optional<asio::ip::address> transport::far() const {
  error_code gone;
  const auto other = socket_.remote_endpoint(gone);
  return gone ? std::nullopt : std::optional{other.address()};
}

size_t transport::write(std::span<const part> parts, error_code& fault) {
  return tls_ ? write_encrypted(parts, fault) : socket_.write_some(parts, fault);
}

size_t transport::write_encrypted(std::span<const part> parts, error_code& fault) {
  thread_local std::array<char, record_bytes> room;
  size_t sent = 0;
  const auto bytes = gathered(parts, room);
  if (bytes.empty())
    return 0;
  const auto step = tls_->write(bytes.data(), bytes.size(), sent);
  fault = must_wait(step) ? error_code{asio::error::would_block} : fault_of(step);
  return sent;
}

transport::error_code transport::fault_of(tls_step step) {
  sound_ &= step != tls_step::failed;
  if (step == tls_step::done)
    return {};
  return step == tls_step::closed ? error_code{asio::error::eof} : error_code{asio::error::connection_aborted};
}

void transport::end_writing() {
  if (sound_)
    tls_->end();
  error_code ignored;
  socket_.shutdown(socket::shutdown_send, ignored);
}

/// A client of TLS that does not hear of the end takes the answer for one that was cut short.
void transport::close() {
  if (std::exchange(sound_, false) && socket_.is_open())
    tls_->end();
  error_code ignored;
  socket_.close(ignored);
}

} // namespace gnomon
