#include "actors/shadow/kept_reads.hpp"

#include <algorithm>

namespace gnomon {

std::optional<access_sample> kept_reads::add(const access_sample& read, duration ttl) {
  auto [i, is_new] = kept_.try_emplace(read.id);
  auto& entry = i->second;
  if (!is_new) {
    entry.sum.count += read.count;
    entry.sum.elsewhere += read.elsewhere;
    entry.sum.at = std::max(entry.sum.at, read.at);
    order_.splice(order_.end(), order_, entry.place);
    return {};
  }
  entry.sum = read;
  entry.place = order_.insert(order_.end(), read.id);
  if (ttl.count() != 0) {
    entry.due = read.at + ttl / 2;
    due_.emplace(entry.due, read.id);
  }
  return kept_.size() > most_ ? take(std::string{order_.front()}) : std::nullopt;
}

std::optional<access_sample> kept_reads::take(const std::string& id) {
  auto i = kept_.find(id);
  if (i == kept_.end())
    return {};
  auto sum = std::move(i->second.sum);
  due_.erase({i->second.due, id});
  order_.erase(i->second.place);
  kept_.erase(i);
  return sum;
}

std::vector<access_sample> kept_reads::take_due(timestamp now) {
  std::vector<access_sample> due;
  while (!due_.empty() && due_.begin()->first <= now)
    due.push_back(*take(std::string{due_.begin()->second}));
  return due;
}

} // namespace gnomon
