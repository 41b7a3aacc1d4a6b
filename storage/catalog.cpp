#include "storage/catalog.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace gnomon {

uint64_t catalog_log::record(const std::string& id, bool holds) {
  auto changed = holds ? held_.insert(id).second : held_.erase(id) > 0;
  if (!changed)
    return head_;
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
    forget(node);
  auto number = number_of(node);
  for (const auto& row : delta.rows)
    set(row.id, number, row.holds);
}

std::vector<std::string> catalog_view::holders(const std::string& id) const {
  std::vector<std::string> result;
  if (auto i = rows_.find(id); i != rows_.end())
    for (auto number : i->second)
      result.push_back(nodes_[number]);
  std::sort(result.begin(), result.end());
  return result;
}

bool catalog_view::holds(const std::string& node, const std::string& id) const {
  auto name = std::find(nodes_.begin(), nodes_.end(), node);
  auto i = rows_.find(id);
  if (name == nodes_.end() || i == rows_.end())
    return false;
  auto number = static_cast<uint16_t>(name - nodes_.begin());
  return std::find(i->second.begin(), i->second.end(), number) != i->second.end();
}

void catalog_view::forget(const std::string& node) {
  auto number = number_of(node);
  for (auto i = rows_.begin(); i != rows_.end();) {
    std::erase(i->second, number);
    i = i->second.empty() ? rows_.erase(i) : std::next(i);
  }
}

uint16_t catalog_view::number_of(const std::string& node) {
  auto i = std::find(nodes_.begin(), nodes_.end(), node);
  if (i == nodes_.end())
    i = nodes_.insert(nodes_.end(), node);
  return static_cast<uint16_t>(i - nodes_.begin());
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
