#include "actors/shadow/catalog.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace gnomon {

namespace {

/// What is kept of a copy: two bytes with a number and two marks, and four with its end when it has one.
struct packed_copy {
  uint16_t number = 0; // of its node; in the catalog of this node it says only whether there is a copy
  bool deleted = false;
  uint32_t until = 0; // as in `catalog_row`
};

constexpr uint16_t deleted_mark = 0x8000, ends_mark = 0x4000, number_mask = 0x3fff;
constexpr uint16_t gone_number = 0, held_number = 1;

void put_copy(std::string& bytes, const packed_copy& copy) {
  auto head = static_cast<uint16_t>(copy.number | (copy.deleted ? deleted_mark : 0) | (copy.until > 0 ? ends_mark : 0));
  bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
  if (copy.until > 0)
    bytes.append(reinterpret_cast<const char*>(&copy.until), sizeof copy.until);
}

template <class Number>
Number take_number(std::string_view& kept) {
  Number number;
  std::memcpy(&number, kept.data(), sizeof number);
  kept.remove_prefix(sizeof number);
  return number;
}

packed_copy take_copy(std::string_view& bytes) {
  auto head = take_number<uint16_t>(bytes);
  return {static_cast<uint16_t>(head & number_mask), (head & deleted_mark) != 0,
          (head & ends_mark) != 0 ? take_number<uint32_t>(bytes) : 0};
}

catalog_log::copy own_copy(std::string_view kept) {
  auto copy = take_copy(kept);
  return {copy.deleted, copy.until};
}

} // namespace

uint64_t digest_with(uint64_t digest, const std::string& id, bool deleted) {
  return digest ^ stable_hash(deleted ? "deleted " + id : id);
}

uint32_t end_of_copy(const item_record& record, const std::string& node) {
  auto end = record.holders.state_of(node) == holder_state::shadow ? record.lease.expiry() : timestamp::max();
  for (const auto& s : record.versions.siblings)
    if (s.expires != timestamp{} && !s.deleted)
      end = std::min(end, s.expires);
  return end == timestamp::max() ? 0 : epoch_seconds(end);
}

void recent_rows::add(const catalog_row& row) {
  if (pages_.empty() || in_last_ == page_rows_) {
    pages_.emplace_back();
    in_last_ = 0;
  }
  auto& page = pages_.back();
  bytes_ -= page.size();
  const auto size = static_cast<uint16_t>(row.id.size());
  page.append(reinterpret_cast<const char*>(&size), sizeof size);
  page += row.id;
  put_copy(page, {row.holds ? held_number : gone_number, row.deleted, row.until});
  bytes_ += page.size();
  ++in_last_;
  if (page_rows_ * (pages_.size() - 1) >= kept_ + page_rows_) {
    bytes_ -= pages_.front().size();
    pages_.pop_front();
  }
}

std::vector<catalog_row> recent_rows::behind(size_t skipped, size_t limit) const {
  std::vector<catalog_row> rows;
  const auto skipped_pages = skipped / page_rows_;
  auto left_out = skipped % page_rows_;
  for (auto page = skipped_pages; page < pages_.size() && rows.size() < limit; ++page)
    for (std::string_view rest = pages_[page]; !rest.empty() && rows.size() < limit;) {
      catalog_row row;
      const auto size = take_number<uint16_t>(rest);
      row.id = rest.substr(0, size);
      rest.remove_prefix(size);
      const auto copy = take_copy(rest);
      row.holds = copy.number == held_number;
      row.deleted = copy.deleted;
      row.until = copy.until;
      if (left_out > 0)
        --left_out;
      else
        rows.push_back(std::move(row));
    }
  return rows;
}

std::optional<catalog_log::copy> catalog_log::find(const std::string& id) const {
  auto kept = held_.find(id);
  return kept ? std::optional{own_copy(*kept)} : std::nullopt;
}

bool catalog_log::has_value(const std::string& id) const {
  auto held = find(id);
  return held && !held->deleted;
}

void catalog_log::each(const std::string& from,
                       const std::function<bool(const std::string& id, const copy&)>& take) const {
  held_.each(from, [&](const std::string& id, std::string_view kept) { return take(id, own_copy(kept)); });
}

size_t catalog_log::bytes() const {
  return held_.bytes() + changes_.bytes();
}

void catalog_log::set(const std::string& id, const copy& held) {
  std::string kept;
  put_copy(kept, {held_number, held.deleted, held.until});
  held_.set(id, kept);
  digest_ = digest_with(digest_, id, held.deleted);
}

void catalog_log::found(const std::string& id, bool deleted, uint32_t until) {
  if (!held_.has(id))
    set(id, {deleted, until});
}

uint64_t catalog_log::record(const catalog_row& row) {
  auto before = find(row.id);
  auto after = row.holds ? std::optional{copy{row.deleted, row.until}} : std::nullopt;
  if (before == after)
    return head_;
  if (before)
    digest_ = digest_with(digest_, row.id, before->deleted);
  if (after)
    set(row.id, *after);
  else
    held_.erase(row.id);
  changes_.add(row);
  return ++head_;
}

bool catalog_log::is_news(const catalog_row& row, uint32_t now) const {
  auto known = find(row.id);
  if (!known || !row.holds || known->deleted != row.deleted)
    return true;
  auto before = known->until;
  if (before == 0 || row.until == 0 || row.until < before)
    return row.until != before;
  return int64_t{row.until} - now > 2 * (int64_t{before} - now);
}

catalog_delta catalog_log::delta(uint64_t since, bool whole, const std::string& after, size_t limit) const {
  catalog_delta result;
  result.head = head_;
  auto oldest = head_ - changes_.size(); // the number before the first change that is kept
  result.whole = whole || since > head_ || since < oldest;
  if (!result.whole) {
    result.rows = changes_.behind(since - oldest, limit);
    result.head = since + result.rows.size();
    return result;
  }
  each(after, [&](const std::string& id, const copy& held) {
    result.more = result.rows.size() == limit;
    if (!result.more && (after.empty() || id != after))
      result.rows.push_back({id, true, held.deleted, held.until});
    return !result.more;
  });
  return result;
}

void catalog_view::apply(const std::string& node, const catalog_delta& delta, bool first_page) {
  if (delta.whole && first_page)
    forget(incoming_, node); // of a pull that broke off
  auto number = number_in(delta.whole ? incoming_ : current_, node);
  for (const auto& row : delta.rows)
    set(row, number);
  if (!delta.whole || delta.more)
    return;
  forget(current_, node);
  current_[node] = number;
  incoming_.erase(node);
}

catalog_view::row catalog_view::find(const std::string& id) const {
  auto kept = rows_.find(id);
  return kept ? unpack(*kept) : row{};
}

catalog_view::row catalog_view::unpack(std::string_view kept) {
  row result;
  while (!kept.empty()) {
    auto copy = take_copy(kept);
    result.push_back({copy.number, copy.deleted, copy.until});
  }
  return result;
}

std::string catalog_view::pack(const row& entries) {
  std::string kept;
  for (const auto& each : entries)
    put_copy(kept, {each.node, each.deleted, each.until});
  return kept;
}

std::vector<std::string> catalog_view::holders(const std::string& id, bool values_only) const {
  std::vector<std::string> result;
  for (const auto& each : find(id))
    if (!values_only || !each.deleted)
      result.push_back(nodes_[each.node]);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool catalog_view::holds(const std::string& node, const std::string& id, bool values_only) const {
  auto entries = find(id);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const entry& each) { return nodes_[each.node] == node && !(values_only && each.deleted); });
}

void catalog_view::each(const listener& take) const {
  rows_.each({}, [&](const std::string& id, std::string_view) {
    take(id);
    return true;
  });
}

void catalog_view::each_value(const std::string& prefix, const listener& take) const {
  rows_.each(prefix, [&](const std::string& id, std::string_view kept) {
    if (!id.starts_with(prefix))
      return false;
    auto entries = unpack(kept);
    if (!std::all_of(entries.begin(), entries.end(), [](const entry& each) { return each.deleted; }))
      take(id);
    return true;
  });
}

uint32_t catalog_view::first_end(const std::string& id) const {
  uint32_t first = 0;
  for (const auto& each : find(id))
    if (!each.deleted)
      first = earlier_end(first, each.until);
  return first;
}

void catalog_view::forget(const std::string& node) {
  forget(current_, node);
  forget(incoming_, node);
}

void catalog_view::forget(numbers& all, const std::string& node) {
  auto number = all.find(node);
  if (number == all.end())
    return;
  std::vector<std::string> changed;
  rows_.rewrite([&](const std::string& id, std::string& kept) {
    auto entries = unpack(kept);
    if (std::erase_if(entries, [&](const entry& each) { return each.node == number->second; }) == 0)
      return true;
    kept = pack(entries);
    if (changed_)
      changed.push_back(id);
    return !entries.empty();
  });
  for (const auto& id : changed)
    changed_(id);
  nodes_[number->second].clear();
  all.erase(number);
}

uint16_t catalog_view::number_in(numbers& all, const std::string& node) {
  if (auto known = all.find(node); known != all.end())
    return known->second;
  auto place = std::find(nodes_.begin(), nodes_.end(), std::string{});
  if (place == nodes_.end())
    place = nodes_.insert(nodes_.end(), node);
  *place = node;
  auto number = static_cast<uint16_t>(place - nodes_.begin());
  all.emplace(node, number);
  return number;
}

void catalog_view::set(const catalog_row& row, uint16_t node) {
  auto entries = find(row.id);
  if (entries.empty() && !row.holds)
    return;
  std::erase_if(entries, [&](const entry& each) { return each.node == node; });
  if (row.holds)
    entries.push_back({node, row.deleted, row.until});
  if (entries.empty())
    rows_.erase(row.id);
  else
    rows_.set(row.id, pack(entries));
  if (changed_)
    changed_(row.id);
}

} // namespace gnomon
