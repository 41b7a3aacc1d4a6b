#include "actors/shadow/catalog.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace gnomon {

namespace {

constexpr uint16_t tombstone = 0x8000;

uint16_t number_of(uint16_t entry) {
  return entry & static_cast<uint16_t>(~tombstone);
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

void catalog_log::found(const std::string& id, bool deleted, uint32_t until) {
  if (held_.emplace(id, copy{deleted, until}).second)
    digest_ = digest_with(digest_, id, deleted);
}

uint64_t catalog_log::record(const catalog_row& row) {
  auto before = held_.find(row.id);
  auto known = before != held_.end();
  copy after{row.deleted, row.until};
  if (known == row.holds && (!known || before->second == after))
    return head_;
  if (known)
    digest_ = digest_with(digest_, row.id, before->second.deleted);
  if (row.holds) {
    held_[row.id] = after;
    digest_ = digest_with(digest_, row.id, row.deleted);
  } else {
    held_.erase(before);
  }
  changes_.push_back(row);
  if (changes_.size() > kept_)
    changes_.pop_front();
  return ++head_;
}

bool catalog_log::is_news(const catalog_row& row, uint32_t now) const {
  auto known = held_.find(row.id);
  if (known == held_.end() || !row.holds || known->second.deleted != row.deleted)
    return true;
  auto before = known->second.until;
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
    auto first = changes_.begin() + static_cast<std::ptrdiff_t>(since - oldest);
    auto count = std::min<size_t>(limit, static_cast<size_t>(changes_.end() - first));
    result.rows.assign(first, first + static_cast<std::ptrdiff_t>(count));
    result.head = since + count;
    return result;
  }
  auto i = after.empty() ? held_.begin() : held_.upper_bound(after);
  for (; i != held_.end() && result.rows.size() < limit; ++i)
    result.rows.push_back({i->first, true, i->second.deleted, i->second.until});
  result.more = i != held_.end();
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

std::vector<std::string> catalog_view::holders(const std::string& id, bool values_only) const {
  std::vector<std::string> result;
  if (auto i = rows_.find(id); i != rows_.end())
    for (const auto& each : i->second)
      if (!values_only || (each.node & tombstone) == 0)
        result.push_back(nodes_[number_of(each.node)]);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool catalog_view::holds(const std::string& node, const std::string& id, bool values_only) const {
  auto row = rows_.find(id);
  if (row == rows_.end())
    return false;
  for (const auto* all : {&current_, &incoming_})
    if (auto found = find(*all, node, row->second); found && (!values_only || (found->node & tombstone) == 0))
      return true;
  return false;
}

const catalog_view::entry* catalog_view::find(const numbers& all, const std::string& node,
                                              const std::vector<entry>& row) {
  auto number = all.find(node);
  if (number == all.end())
    return nullptr;
  auto found =
      std::find_if(row.begin(), row.end(), [&](const entry& each) { return number_of(each.node) == number->second; });
  return found == row.end() ? nullptr : &*found;
}

void catalog_view::each_value(const listener& take) const {
  for (const auto& [id, row] : rows_)
    if (std::any_of(row.begin(), row.end(), [](const entry& each) { return (each.node & tombstone) == 0; }))
      take(id);
}

uint32_t catalog_view::first_end(const std::string& id) const {
  uint32_t first = 0;
  if (auto i = rows_.find(id); i != rows_.end())
    for (const auto& each : i->second)
      if ((each.node & tombstone) == 0)
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
  for (auto i = rows_.begin(); i != rows_.end();) {
    auto removed = std::erase_if(i->second, [&](const entry& each) { return number_of(each.node) == number->second; });
    if (removed > 0 && changed_)
      changed.push_back(i->first);
    i = i->second.empty() ? rows_.erase(i) : std::next(i);
  }
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
  auto i = row.holds ? rows_.try_emplace(row.id).first : rows_.find(row.id);
  if (i == rows_.end())
    return;
  std::erase_if(i->second, [&](const entry& each) { return number_of(each.node) == node; });
  if (row.holds)
    i->second.push_back({row.deleted ? static_cast<uint16_t>(node | tombstone) : node, row.until});
  if (i->second.empty())
    rows_.erase(i);
  if (changed_)
    changed_(row.id);
}

} // namespace gnomon
