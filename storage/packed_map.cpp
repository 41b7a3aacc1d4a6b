#include "storage/packed_map.hpp"

#include <algorithm>
#include <utility>

namespace gnomon {

namespace {

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
void put_number(std::string& out, size_t number) {
  for (; number >= 0x80; number >>= 7)
    out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

size_t take_number(std::string_view& text) {
  size_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    number |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      return number;
  }
}

struct row {
  size_t shared = 0; // how many bytes of its id are those of the row before it, as many as can be
  std::string_view own, kept;
};

void put_row(std::string& out, const row& r) {
  put_number(out, r.shared);
  put_number(out, r.own.size());
  put_number(out, r.kept.size());
  out.append(r.own);
  out.append(r.kept);
}

row take_row(std::string_view& rows) {
  row r;
  r.shared = take_number(rows);
  auto own = take_number(rows);
  auto kept = take_number(rows);
  r.own = rows.substr(0, own);
  r.kept = rows.substr(own, kept);
  rows.remove_prefix(own + kept);
  return r;
}

size_t shared_by(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// Where an id stands in a block, or would stand.
struct place {
  size_t at = 0;
  size_t shared = 0; // with the row before
  bool found = false;
};

/// Without making one id: a row that shares more with the one before it than `id` does stands before `id` as well, and
/// one that shares less stands behind it.
place seek(std::string_view rows, std::string_view id) {
  place result;
  for (auto rest = rows; !rest.empty(); result.at = rows.size() - rest.size()) {
    auto next = take_row(rest);
    if (next.shared < result.shared)
      return result;
    if (next.shared > result.shared)
      continue;
    auto wanted = id.substr(next.shared);
    auto same = shared_by(next.own, wanted);
    result.found = same == next.own.size() && same == wanted.size();
    if (result.found || wanted.substr(same) < next.own.substr(same))
      return result;
    result.shared += same;
  }
  return result;
}

} // namespace

/// Reads the rows of a block in order.
class packed_map::reader {
public:
  explicit reader(std::string_view rows) : rest_(rows) {}
  /// False behind the last row.
  bool next() {
    if (rest_.empty())
      return false;
    auto next = take_row(rest_);
    id.resize(next.shared);
    id.append(next.own);
    kept = next.kept;
    return true;
  }
  std::string id;
  std::string_view kept;

private:
  std::string_view rest_;
};

/// Writes the rows of a block in order.
class packed_map::writer {
public:
  void add(std::string_view id, std::string_view kept) {
    auto shared = shared_by(before_, id);
    put_row(rows, {shared, id.substr(shared), kept});
    before_ = id;
    ++count;
  }
  void add_all(std::string_view rows_of_block) {
    for (reader each{rows_of_block}; each.next();)
      add(each.id, each.kept);
  }
  std::string rows;
  uint32_t count = 0;

private:
  std::string before_;
};

/// The last block that begins with `id` or before it; the first one when none does.
size_t packed_map::block_of(std::string_view id) const {
  auto begins_behind = [this](std::string_view wanted, const block& each) {
    auto rows = text_of(each);
    return wanted < take_row(rows).own;
  };
  auto behind = std::upper_bound(blocks_.begin(), blocks_.end(), id, begins_behind);
  return behind == blocks_.begin() ? 0 : static_cast<size_t>(behind - blocks_.begin()) - 1;
}

std::optional<std::string_view> packed_map::find(std::string_view id) const {
  if (blocks_.empty())
    return std::nullopt;
  auto rows = text_of(blocks_[block_of(id)]);
  auto here = seek(rows, id);
  if (!here.found)
    return std::nullopt;
  rows.remove_prefix(here.at);
  return take_row(rows).kept;
}

void packed_map::set(std::string_view id, std::string_view kept) {
  auto at = block_of(id);
  auto rows = blocks_.empty() ? std::string_view{} : text_of(blocks_[at]);
  auto here = seek(rows, id);
  auto full = !blocks_.empty() && blocks_[at].count >= most_rows;
  if (blocks_.empty() || (full && here.at == rows.size() && at + 1 == blocks_.size())) {
    writer alone; // ids that come in order fill the blocks
    alone.add(id, kept);
    insert(blocks_.size(), alone.rows, alone.count);
    return;
  }
  std::string changed{rows.substr(0, here.at)};
  rows.remove_prefix(here.at);
  put_row(changed, {here.shared, id.substr(here.shared), kept});
  if (here.found) {
    take_row(rows);
  } else if (!rows.empty()) {
    auto next = take_row(rows);
    auto more = next.shared < here.shared ? 0 : shared_by(next.own, id.substr(here.shared));
    put_row(changed, {next.shared + more, next.own.substr(more), next.kept});
  }
  changed += rows;
  replace(at, changed, blocks_[at].count + (here.found ? 0 : 1));
  if (blocks_[at].count > most_rows)
    split(at);
}

bool packed_map::erase(std::string_view id) {
  if (blocks_.empty())
    return false;
  auto at = block_of(id);
  auto rows = text_of(blocks_[at]);
  auto here = seek(rows, id);
  if (!here.found)
    return false;
  std::string changed{rows.substr(0, here.at)};
  rows.remove_prefix(here.at);
  auto gone = take_row(rows);
  if (!rows.empty()) {
    auto next = take_row(rows);
    auto lost = next.shared > gone.shared ? next.shared - gone.shared : 0; // what it shared with the row that goes
    put_row(changed, {next.shared - lost, std::string{gone.own.substr(0, lost)} + std::string{next.own}, next.kept});
  }
  changed += rows;
  replace(at, changed, blocks_[at].count - 1);
  join(at);
  return true;
}

void packed_map::each(std::string_view from,
                      const std::function<bool(const std::string& id, std::string_view kept)>& take) const {
  for (auto at = block_of(from); at < blocks_.size(); ++at)
    for (reader each{text_of(blocks_[at])}; each.next();)
      if (each.id >= from && !take(each.id, each.kept))
        return;
}

void packed_map::rewrite(const std::function<bool(const std::string& id, std::string& kept)>& change) {
  std::string kept;
  for (auto at = blocks_.size(); at-- > 0;) {
    writer changed;
    for (reader each{text_of(blocks_[at])}; each.next();) {
      kept = each.kept;
      if (change(each.id, kept))
        changed.add(each.id, kept);
    }
    replace(at, changed.rows, changed.count);
    join(at);
  }
}

void packed_map::insert(size_t at, std::string_view rows, uint32_t count) {
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(at), block{});
  replace(at, rows, count);
}

/// The block then has these rows. Without rows it goes.
void packed_map::replace(size_t at, std::string_view rows, uint32_t count) {
  auto& changed = blocks_[at];
  size_ = size_ - changed.count + count;
  if (count == 0) {
    unused_ += changed.length;
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at));
    return;
  }
  if (rows.size() > changed.length) {
    unused_ += std::exchange(changed.length, 0);
    make_room(rows.size());
    changed.at = text_.size();
    text_ += rows;
  } else {
    unused_ += changed.length - rows.size();
    rows.copy(text_.data() + changed.at, rows.size());
  }
  changed.length = static_cast<uint32_t>(rows.size());
  changed.count = count;
}

/// Moves the blocks together, with a quarter more room than they need.
void packed_map::make_room(size_t bytes) {
  const auto needed = text_.size() + bytes;
  if (needed <= text_.capacity())
    return;
  const auto used = needed - unused_;
  std::string grown;
  grown.reserve(used + std::max<size_t>(used / 4, 256));
  for (auto& each : blocks_) {
    const auto rows = text_of(each);
    each.at = grown.size();
    grown += rows;
  }
  text_.swap(grown);
  unused_ = 0;
}

/// Makes two blocks of one.
void packed_map::split(size_t at) {
  writer first, second;
  for (reader each{text_of(blocks_[at])}; each.next();)
    (first.count < most_rows / 2 ? first : second).add(each.id, each.kept);
  replace(at, first.rows, first.count);
  insert(at + 1, second.rows, second.count);
}

/// Puts a block and the one behind it together when both are small.
void packed_map::join(size_t at) {
  if (at + 1 >= blocks_.size() || blocks_[at].count + blocks_[at + 1].count > most_rows / 2)
    return;
  writer both;
  both.add_all(text_of(blocks_[at]));
  both.add_all(text_of(blocks_[at + 1]));
  replace(at + 1, {}, 0);
  replace(at, both.rows, both.count);
}

} // namespace gnomon
