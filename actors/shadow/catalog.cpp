#include "actors/shadow/catalog.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace gnomon {

uint64_t digest_with(uint64_t digest, const std::string& id) {
  return digest ^ stable_hash(id);
}

void catalog_log::found(const std::string& id) {
  if (held_.insert(id).second)
    digest_ = digest_with(digest_, id);
}

uint64_t catalog_log::record(const std::string& id, bool holds) {
  auto changed = holds ? held_.insert(id).second : held_.erase(id) > 0;
  if (!changed)
    return head_;
  digest_ = digest_with(digest_, id);
  changes_.push_back({id, holds});
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
    result.rows.push_back({*i, true});
  result.more = i != held_.end();
  return result;
}

void catalog_view::apply(const std::string& node, const catalog_delta& delta, bool first_page) {
  if (delta.whole && first_page)
    forget(incoming_, node); // of a pull that broke off
  auto number = number_in(delta.whole ? incoming_ : current_, node);
  for (const auto& row : delta.rows)
    set(row.id, number, row.holds);
  if (!delta.whole || delta.more)
    return;
  forget(current_, node);
  current_[node] = number;
  incoming_.erase(node);
}

std::vector<std::string> catalog_view::holders(const std::string& id) const {
  std::vector<std::string> result;
  if (auto i = rows_.find(id); i != rows_.end())
    for (auto number : i->second)
      result.push_back(nodes_[number]);
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
  return number != all.end() && std::find(row.begin(), row.end(), number->second) != row.end();
}

void catalog_view::forget(const std::string& node) {
  forget(current_, node);
  forget(incoming_, node);
}

void catalog_view::forget(numbers& all, const std::string& node) {
  auto number = all.find(node);
  if (number == all.end())
    return;
  for (auto i = rows_.begin(); i != rows_.end();) {
    std::erase(i->second, number->second);
    i = i->second.empty() ? rows_.erase(i) : std::next(i);
  }
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

void catalog_view::set(const std::string& id, uint16_t node, bool holds) {
  if (holds) {
    auto& nodes = rows_[id];
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end())
      nodes.push_back(node);
  } else if (auto i = rows_.find(id); i != rows_.end()) {
    std::erase(i->second, node);
    if (i->second.empty())
      rows_.erase(i);
  }
}

} // namespace gnomon
