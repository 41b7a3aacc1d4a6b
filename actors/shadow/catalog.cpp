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

void catalog_log::found(const std::string& id, bool deleted) {
  if (held_.emplace(id, deleted).second)
    digest_ = digest_with(digest_, id, deleted);
}

uint64_t catalog_log::record(const catalog_row& row) {
  auto before = held_.find(row.id);
  auto known = before != held_.end();
  if (known == row.holds && (!known || before->second == row.deleted))
    return head_;
  if (known)
    digest_ = digest_with(digest_, row.id, before->second);
  if (row.holds) {
    held_[row.id] = row.deleted;
    digest_ = digest_with(digest_, row.id, row.deleted);
  } else {
    held_.erase(before);
  }
  changes_.push_back(row);
  if (changes_.size() > kept_)
    changes_.pop_front();
  return ++head_;
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
    result.rows.push_back({i->first, true, i->second});
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
    for (auto entry : i->second)
      if (!values_only || (entry & tombstone) == 0)
        result.push_back(nodes_[number_of(entry)]);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool catalog_view::holds(const std::string& node, const std::string& id) const {
  auto row = rows_.find(id);
  return row != rows_.end() && (holds(current_, node, row->second) || holds(incoming_, node, row->second));
}

bool catalog_view::holds(const numbers& all, const std::string& node, const std::vector<uint16_t>& row) const {
  auto number = all.find(node);
  return number != all.end()
         && std::any_of(row.begin(), row.end(), [&](uint16_t entry) { return number_of(entry) == number->second; });
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
    auto removed = std::erase_if(i->second, [&](uint16_t entry) { return number_of(entry) == number->second; });
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
  std::erase_if(i->second, [&](uint16_t entry) { return number_of(entry) == node; });
  if (row.holds)
    i->second.push_back(row.deleted ? node | tombstone : node);
  if (i->second.empty())
    rows_.erase(i);
  if (changed_)
    changed_(row.id);
}

} // namespace gnomon
