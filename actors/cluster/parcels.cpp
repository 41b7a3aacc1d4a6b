#include "actors/cluster/parcels.hpp"

#include <algorithm>
#include <cstring>

namespace gnomon {
namespace {

// Quarters of the window that client, repair and prefetch traffic may fill.
constexpr std::array<uint64_t, 3> quarters{4, 3, 2};

template <class T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
}

template <class T>
T get(std::string_view& in) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<uint64_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  in.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

caf::error broken(const char* what) {
  return make_error(ec::bad_message, what);
}

struct chunk_header {
  parcel_kind kind{};
  traffic urgency{};
  uint64_t sequence = 0;
  size_t total = 0;  // bytes of the whole parcel
  size_t length = 0; // of this chunk
};

/// Takes a header off `rest`; what it promises then lies in `rest`.
caf::error read_header(std::string_view& rest, chunk_header& header) {
  if (rest.size() < chunk_header_bytes)
    return broken("a frame ends inside a chunk's header");
  auto kind = get<uint8_t>(rest);
  auto urgency = get<uint8_t>(rest);
  if (kind > static_cast<uint8_t>(parcel_kind::reply) || urgency >= quarters.size())
    return broken("a chunk of a kind or urgency that does not exist");
  header.kind = static_cast<parcel_kind>(kind);
  header.urgency = static_cast<traffic>(urgency);
  header.sequence = get<uint64_t>(rest);
  header.total = get<uint32_t>(rest);
  header.length = get<uint32_t>(rest);
  if (header.total == 0 || header.total > max_parcel_bytes)
    return broken("a parcel that is empty or longer than any may be");
  if (header.length == 0 || header.length > rest.size() || header.length > header.total)
    return broken("a chunk longer than its frame or its parcel");
  return {};
}

} // namespace

// -- outbox ----------------------------------------------------------------------------------------------------------

// A frame is at most a quarter of the window: the receiver may hold back credit for less than a quarter, so a sender
// that waits always has room for one more.
outbox::outbox(outbox_limits limits)
    : limits_(limits),
      frame_bytes_(std::clamp<size_t>(limits.window_bytes / 4, chunk_header_bytes + 64, 2 * max_chunk_bytes)) {}

bool outbox::push(parcel p) {
  auto full = bytes_ + p.bytes.size() > limits_.queue_bytes || parcels_ >= limits_.queue_parcels;
  if (full && parcels_ > 0)
    return false;
  bytes_ += p.bytes.size();
  ++parcels_;
  auto& lane = lanes_[static_cast<size_t>(p.urgency)];
  auto fits = p.bytes.size() + chunk_header_bytes <= std::min(frame_bytes_ / 2, max_chunk_bytes);
  (fits ? lane.small : lane.large).push_back(std::move(p));
  return true;
}

bool outbox::has_room(size_t urgency) const {
  if (sent_frames_ == 0)
    return true;
  auto frames = std::max<uint64_t>(1, limits_.window_frames * quarters[urgency] / 4);
  return sent_frames_ < frames && sent_bytes_ + frame_bytes_ <= limits_.window_bytes * quarters[urgency] / 4;
}

std::string outbox::next_frame() {
  std::string frame;
  for (size_t urgency = 0; urgency < lanes_.size() && frame.empty(); ++urgency)
    if (!lanes_[urgency].empty() && has_room(urgency))
      fill(lanes_[urgency], frame);
  if (!frame.empty()) {
    sent_bytes_ += frame.size();
    ++sent_frames_;
  }
  return frame;
}

void outbox::fill(lane& from, std::string& frame) {
  // Small parcels leave half of the frame to a large one that waits, and the other way round.
  auto small_limit = from.large.empty() ? frame_bytes_ : frame_bytes_ / 2;
  while (!from.small.empty() && frame.size() + chunk_header_bytes + from.small.front().bytes.size() <= small_limit) {
    auto& p = from.small.front();
    append_chunk(frame, p, 0, p.bytes.size());
    forget(p);
    from.small.pop_front();
  }
  if (from.large.empty())
    return;
  auto& p = from.large.front();
  auto length =
      std::min({p.bytes.size() - from.offset, frame_bytes_ - frame.size() - chunk_header_bytes, max_chunk_bytes});
  append_chunk(frame, p, from.offset, length);
  from.offset += length;
  if (from.offset == p.bytes.size()) {
    forget(p);
    from.large.pop_front();
    from.offset = 0;
  }
}

void outbox::append_chunk(std::string& frame, const parcel& p, size_t offset, size_t length) const {
  put(frame, static_cast<uint8_t>(p.kind));
  put(frame, static_cast<uint8_t>(p.urgency));
  put(frame, p.sequence);
  put(frame, static_cast<uint32_t>(p.bytes.size()));
  put(frame, static_cast<uint32_t>(length));
  frame.append(p.bytes.data() + offset, length);
}

void outbox::forget(const parcel& p) {
  bytes_ -= p.bytes.size();
  --parcels_;
}

void outbox::credit(uint64_t bytes, uint32_t frames) {
  sent_bytes_ -= std::min(bytes, sent_bytes_);
  sent_frames_ -= std::min(frames, sent_frames_);
}

void outbox::drop_expired(parcel::time_point now) {
  for (auto& lane : lanes_) {
    drop_expired(lane.small, 0, now);
    drop_expired(lane.large, lane.offset > 0 ? 1 : 0, now);
  }
}

void outbox::drop_expired(std::deque<parcel>& queue, size_t first, parcel::time_point now) {
  for (auto i = queue.begin() + static_cast<ptrdiff_t>(first); i != queue.end();) {
    if (i->deadline <= now) {
      forget(*i);
      i = queue.erase(i);
    } else {
      ++i;
    }
  }
}

void outbox::clear() {
  *this = outbox{limits_};
}

// -- inbox -----------------------------------------------------------------------------------------------------------

expected<std::vector<parcel>> inbox::take(std::string_view frame) {
  std::vector<parcel> complete;
  while (!frame.empty())
    if (auto err = take_chunk(frame, complete))
      return err;
  return complete;
}

caf::error inbox::take_chunk(std::string_view& rest, std::vector<parcel>& complete) {
  chunk_header header;
  if (auto err = read_header(rest, header))
    return err;
  auto& partial = partials_[static_cast<size_t>(header.urgency)];
  parcel fresh{header.kind, header.urgency, header.sequence, {}};
  auto bytes = rest.substr(0, header.length);
  rest.remove_prefix(header.length);
  if (header.length == header.total) { // small ones may overtake a large one that is under way
    fresh.bytes.assign(bytes.begin(), bytes.end());
    complete.push_back(std::move(fresh));
    return {};
  }
  auto& p = partial.so_far;
  if (partial.total == 0) {
    p = std::move(fresh);
    partial.total = header.total;
  }
  if (p.sequence != header.sequence || p.kind != header.kind || partial.total != header.total)
    return broken("a second large parcel before the first is complete");
  if (header.length > header.total - p.bytes.size())
    return broken("a chunk that runs over the end of its parcel");
  p.bytes.insert(p.bytes.end(), bytes.begin(), bytes.end());
  if (p.bytes.size() == partial.total) {
    complete.push_back(std::move(p));
    partial = {};
  }
  return {};
}

void inbox::clear() {
  *this = inbox{};
}

uint64_t inbox::bytes() const {
  uint64_t sum = 0;
  for (auto& partial : partials_)
    sum += partial.so_far.bytes.size();
  return sum;
}

} // namespace gnomon
