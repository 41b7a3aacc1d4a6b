#include "storage/versions.hpp"

#include "runtime/base/ids.hpp"
#include "storage/bytes.hpp"

#include <algorithm>
#include <iterator>

namespace gnomon {

namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char vector_format = 1; // a vector alone
constexpr char dotted_format = 2; // the number of its entries, the vector, the dots

/// RFC 4648, section 5, without padding.
std::string to_base64(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (auto c : bytes) {
    bits = (bits << 8) | static_cast<uint8_t>(c);
    for (count += 8; count >= 6; count -= 6)
      text.push_back(base64_digits[(bits >> (count - 6)) & 0x3F]);
  }
  if (count > 0)
    text.push_back(base64_digits[(bits << (6 - count)) & 0x3F]);
  return text;
}

bool from_base64(std::string_view text, std::string& bytes) {
  uint32_t bits = 0;
  int count = 0;
  for (auto c : text) {
    auto digit = base64_digits.find(c);
    if (digit == std::string_view::npos)
      return false;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>((bits >> count) & 0xFF));
    }
  }
  return true;
}

caf::error bad_context() {
  return make_error(ec::invalid_argument,
                    "the context is not one that this service gave out; send back Gnomon-Context exactly as received");
}

/// Keeps of `mine` what `other` also has or has not seen.
std::vector<sibling> survivors(const std::vector<sibling>& mine, const version_set& other) {
  std::vector<sibling> result;
  for (const auto& s : mine)
    if (other.find(s.id) || !other.context.covers(s.id))
      result.push_back(s);
  return result;
}

} // namespace

uint64_t version_vector::at(const holding_id& id) const {
  auto i = counters_.find(id);
  return i != counters_.end() ? i->second : 0;
}

uint64_t version_vector::latest(const holding_id& id) const {
  auto behind = dots_.upper_bound({id, UINT64_MAX});
  return behind != dots_.begin() && (--behind)->holding == id ? behind->counter : at(id);
}

bool version_vector::covers(const version_vector& other) const {
  // The write behind a vector's entry is never a dot, so an entry is covered by an entry or not at all.
  return std::all_of(other.counters_.begin(), other.counters_.end(),
                     [this](const auto& entry) { return entry.second <= at(entry.first); })
         && std::all_of(other.dots_.begin(), other.dots_.end(), [this](const dot& d) { return covers(d); });
}

uint64_t version_vector::beyond(const version_vector& other) const {
  uint64_t count = 0;
  for (const auto& [holding, counter] : counters_)
    if (auto known = other.at(holding); known < counter) {
      auto first = other.dots_.upper_bound({holding, known}), last = other.dots_.upper_bound({holding, counter});
      count += counter - known - static_cast<uint64_t>(std::distance(first, last));
    }
  return count + static_cast<uint64_t>(std::count_if(dots_.begin(), dots_.end(), [&](const dot& d) {
           return !other.covers(d);
         }));
}

void version_vector::add(const dot& d) {
  if (d.counter <= at(d.holding))
    return;
  if (d.counter == at(d.holding) + 1)
    raise(d.holding, d.counter);
  else
    dots_.insert(d);
}

void version_vector::merge(const version_vector& other) {
  if (&other == this) // what it goes through must not change
    return;
  for (const auto& [id, counter] : other.counters_)
    raise(id, counter);
  for (const auto& d : other.dots_)
    add(d);
}

/// Sees every write of `id` up to `counter`.
void version_vector::raise(const holding_id& id, uint64_t counter) {
  if (counter <= at(id))
    return;
  counters_[id] = counter;
  absorb(id);
}

/// Takes the dots of `id` that its entry now covers or reaches into the entry.
void version_vector::absorb(const holding_id& id) {
  auto& counter = counters_.at(id);
  auto next = dots_.lower_bound({id, 0});
  while (next != dots_.end() && next->holding == id && (next->counter <= counter || next->counter - counter == 1)) {
    counter = std::max(counter, next->counter);
    next = dots_.erase(next);
  }
}

namespace {

void append_entry(std::string& bytes, const holding_id& id, uint64_t counter) {
  append_u64(bytes, id.incarnation);
  append_varint(bytes, id.sequence);
  append_varint(bytes, counter);
}

} // namespace

std::string version_vector::to_text() const {
  if (empty())
    return {};
  std::string bytes{dots_.empty() ? vector_format : dotted_format};
  if (!dots_.empty())
    append_varint(bytes, counters_.size());
  for (const auto& [id, counter] : counters_)
    append_entry(bytes, id, counter);
  for (const auto& d : dots_)
    append_entry(bytes, d.holding, d.counter);
  append_u32(bytes, checksum(bytes));
  return to_base64(bytes);
}

expected<version_vector> version_vector::from_text(std::string_view text) {
  version_vector result;
  if (text.empty())
    return result;
  constexpr size_t max_bytes = 1 + 10 + max_context_entries * (8 + 10 + 10) + 4;
  if (text.size() > (max_bytes * 4 + 2) / 3)
    return make_error(ec::too_large,
                      "the context is longer than any with 64 entries; read the item again for a new one");
  std::string bytes;
  if (!from_base64(text, bytes) || bytes.size() < 5 || (bytes[0] != vector_format && bytes[0] != dotted_format))
    return bad_context();
  auto rest = std::string_view{bytes}.substr(1, bytes.size() - 5);
  uint64_t vector_entries = UINT64_MAX;
  if (bytes[0] == dotted_format && !take_varint(rest, vector_entries))
    return bad_context();
  for (uint64_t i = 0; !rest.empty(); ++i) {
    dot d;
    if (!take_u64(rest, d.holding.incarnation) || !take_varint(rest, d.holding.sequence)
        || !take_varint(rest, d.counter))
      return bad_context();
    i < vector_entries ? result.raise(d.holding, d.counter) : result.add(d);
  }
  // One comparison refuses what is out of order, repeated, empty, altered or has stray bits at its end.
  if (result.to_text() != text)
    return bad_context();
  if (result.size() > max_context_entries)
    return make_error(ec::too_large, "the context has " + std::to_string(result.size())
                                         + " entries; at most 64 are allowed: read the item again for a new one");
  return result;
}

dot version_set::write(const version_vector& seen, const holding_id& writer, sibling next) {
  std::erase_if(siblings, [&](const sibling& s) { return seen.covers(s.id); });
  context.merge(seen);
  if (auto same = find_request(next.request_id))
    return same->id;
  next.id = {writer, context.latest(writer) + 1};
  context.add(next.id);
  auto place = std::upper_bound(siblings.begin(), siblings.end(), next.id,
                                [](const dot& d, const sibling& s) { return d < s.id; });
  return siblings.insert(place, std::move(next))->id;
}

bool version_set::vouches_for(const version_vector& seen, const holding_id& own) const {
  return seen.latest(own) <= context.at(own);
}

bool version_set::sync(const version_set& other) {
  auto mine = survivors(siblings, other);
  auto theirs = survivors(other.siblings, *this);
  auto earlier = [](const sibling& a, const sibling& b) { return a.id < b.id; };
  std::vector<sibling> merged;
  std::set_union(mine.begin(), mine.end(), theirs.begin(), theirs.end(), std::back_inserter(merged), earlier);
  for (const auto& s : theirs)
    if (s.deleted)
      *std::lower_bound(merged.begin(), merged.end(), s, earlier) = s;
  auto changed = !context.covers(other.context) || merged != siblings;
  context.merge(other.context);
  siblings = std::move(merged);
  return changed;
}

bool version_set::end_expired(timestamp now) {
  auto over = [&](const sibling& s) { return s.ended(now) && !s.deleted; };
  auto ended = std::count_if(siblings.begin(), siblings.end(), over);
  if (ended == 0)
    return false;
  if (ended < static_cast<ptrdiff_t>(siblings.size())) {
    std::erase_if(siblings, over);
    return true;
  }
  for (auto& s : siblings) {
    s.deleted = true;
    s.bytes = s.digest = 0;
  }
  return true;
}

const sibling* version_set::find(const dot& d) const {
  auto i = std::lower_bound(siblings.begin(), siblings.end(), d,
                            [](const sibling& s, const dot& wanted) { return s.id < wanted; });
  return i != siblings.end() && i->id == d ? &*i : nullptr;
}

const sibling* version_set::find_request(std::string_view request_id) const {
  if (request_id.empty())
    return nullptr;
  auto i = std::find_if(siblings.begin(), siblings.end(), [&](const sibling& s) { return s.request_id == request_id; });
  return i != siblings.end() ? &*i : nullptr;
}

version_set version_set::distinct() const {
  version_set result{context, {}};
  // The first of each request is the one with the smallest dot, because siblings are sorted.
  for (const auto& s : siblings)
    if (!result.find_request(s.request_id))
      result.siblings.push_back(s);
  return result;
}

void version_set::resolve_last_writer() {
  if (siblings.size() < 2)
    return;
  auto newest = std::max_element(siblings.begin(), siblings.end(), [](const sibling& a, const sibling& b) {
    return std::tie(a.stamp, a.id) < std::tie(b.stamp, b.id);
  });
  siblings = std::vector<sibling>{std::move(*newest)};
}

std::string version_set::etag() const {
  std::string dots;
  for (const auto& s : distinct().siblings) {
    append_u64(dots, s.id.holding.incarnation);
    append_u64(dots, s.id.holding.sequence);
    append_u64(dots, s.id.counter);
  }
  constexpr std::string_view hex = "0123456789abcdef";
  auto hash = stable_hash(dots);
  std::string tag = "\"";
  for (int shift = 60; shift >= 0; shift -= 4)
    tag.push_back(hex[(hash >> shift) & 0xF]);
  return tag + '"';
}

uint64_t version_set::bytes() const {
  uint64_t sum = 0;
  for (const auto& s : siblings)
    sum += s.bytes;
  return sum;
}

std::string version_set::creator() const {
  return siblings.empty() ? std::string{} : siblings.front().user;
}

bool version_set::deleted() const {
  return !siblings.empty() && std::all_of(siblings.begin(), siblings.end(), [](const sibling& s) { return s.deleted; });
}

} // namespace gnomon
