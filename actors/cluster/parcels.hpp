#pragma once

#include "actors/messages/messages.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ids.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

/// Turns requests and replies into frames, and frames into parcels again. Pure code: no actors, no sockets, no own
/// clock.
///
/// A frame is a row of chunks: kind (1 byte), urgency (1), sequence (8), length of the whole parcel (4), length of this
/// chunk (4), its bytes; integers are little-endian. Small parcels travel whole, many to a frame. Of the large ones,
/// one at a time in each urgency is cut into chunks, so that the receiver never assembles more than three.
namespace gnomon {

inline constexpr size_t max_chunk_bytes = 64u << 10;
inline constexpr size_t max_parcel_bytes = max_value_bytes + (1u << 20);
inline constexpr size_t chunk_header_bytes = 18;

enum class parcel_kind : uint8_t { request, reply };

/// One request or reply, serialized. A reply carries the sequence of its request.
struct parcel {
  using time_point = std::chrono::steady_clock::time_point;
  parcel_kind kind = parcel_kind::request;
  traffic urgency = traffic::client;
  uint64_t sequence = 0;
  std::vector<char> bytes;
  time_point deadline = time_point::max(); // not worth sending after that time
};

struct outbox_limits {
  uint64_t queue_bytes = 64u << 20;
  uint32_t queue_parcels = 65'536;
  uint64_t window_bytes = 1u << 20;
  uint32_t window_frames = 256;
};

/// Parcels that wait for credit, the most urgent first. Repair and prefetch may use only a part of the window, so a
/// client's request never waits for a whole window of theirs. Not thread-safe.
class outbox {
public:
  explicit outbox(outbox_limits limits = {});

  /// Queues the parcel. False when the queue is full. A parcel larger than the whole queue is accepted when nothing
  /// else waits.
  bool push(parcel p);

  /// The next frame that the window allows; empty when there is none.
  std::string next_frame();

  /// The receiver has taken in that much.
  void credit(uint64_t bytes, uint32_t frames);

  /// Forgets parcels whose deadline has passed, except one that is half sent.
  void drop_expired(parcel::time_point now);

  /// Forgets everything that is queued and under way.
  void clear();

  uint64_t bytes() const {
    return bytes_;
  }
  size_t size() const {
    return parcels_;
  }
  uint64_t under_way() const {
    return sent_bytes_;
  }
  /// A large parcel of that urgency is being sent, or waits.
  bool has_large(size_t urgency) const {
    return !lanes_[urgency].large.empty();
  }

private:
  struct lane {
    std::deque<parcel> small;
    std::deque<parcel> large;
    size_t offset = 0; // of the first large one: sent so far
    bool empty() const {
      return small.empty() && large.empty();
    }
  };
  bool has_room(size_t urgency) const;
  void fill(lane& from, std::string& frame);
  void append_chunk(std::string& frame, const parcel& p, size_t offset, size_t length) const;
  void forget(const parcel& p);
  void drop_expired(std::deque<parcel>& queue, size_t first, parcel::time_point now);

  outbox_limits limits_;
  size_t frame_bytes_;
  std::array<lane, 3> lanes_;
  uint64_t bytes_ = 0;
  size_t parcels_ = 0;
  uint64_t sent_bytes_ = 0; // not yet credited
  uint32_t sent_frames_ = 0;
};

/// Puts parcels together again. Not thread-safe.
class inbox {
public:
  /// Returns the parcels that `frame` completes. Errors: bad_message for impossible lengths or chunks out of order. The
  /// session is then unusable.
  expected<std::vector<parcel>> take(std::string_view frame);
  void clear();
  /// Bytes of parcels that are not complete.
  uint64_t bytes() const;
  /// A large parcel of that urgency is arriving.
  bool has_large(size_t urgency) const {
    return partials_[urgency].total > 0;
  }

private:
  struct partial {
    parcel so_far;
    size_t total = 0; // zero: none under way
  };
  caf::error take_chunk(std::string_view& rest, std::vector<parcel>& complete);
  std::array<partial, 3> partials_;
};

} // namespace gnomon
