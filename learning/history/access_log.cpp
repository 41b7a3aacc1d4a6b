#include "learning/history/access_log.hpp"

#include <algorithm>

namespace gnomon::learning {

void access_log::sort() {
  std::stable_sort(accesses.begin(), accesses.end(), [](auto& a, auto& b) { return a.time < b.time; });
}

access_log access_log::slice(size_t begin, size_t end) const {
  access_log part = *this;
  part.accesses.assign(accesses.begin() + static_cast<ptrdiff_t>(begin),
                       accesses.begin() + static_cast<ptrdiff_t>(end));
  part.items = 0;
  for (auto& a : part.accesses)
    part.items = std::max(part.items, a.item + 1);
  part.item_names.resize(std::min<size_t>(part.item_names.size(), part.items));
  return part;
}

log_builder::log_builder(size_t max_items) : users_(no_index - 1), items_(max_items), regions_(256) {}

bool log_builder::add(std::string_view user, std::string_view item, std::string_view region, uint32_t time) {
  const auto i = items_.index_of(item), r = regions_.index_of(region);
  const auto u = i == no_index ? no_index : users_.index_of(user);
  if (u == no_index)
    return false;
  log_.accesses.push_back({u, i, time, static_cast<uint8_t>(std::min<uint32_t>(r, 255))});
  return true;
}

access_log log_builder::take(bool timed) {
  log_.users = static_cast<uint32_t>(users_.size());
  log_.items = static_cast<uint32_t>(items_.size());
  log_.timed = timed;
  for (uint32_t k = 0; k < items_.size(); ++k)
    log_.item_names.emplace_back(items_.name(k));
  if (timed)
    log_.sort();
  return std::move(log_);
}

outcomes::outcomes(const access_log& log, const useful_window& window)
    : log_(log), window_(window), following_(log.accesses.size(), no_index) {
  std::vector<uint32_t> last(log.users, no_index);
  for (uint32_t k = 0; k < log.accesses.size(); ++k) {
    auto& previous = last[log.accesses[k].user];
    if (previous != no_index)
      following_[previous] = k;
    previous = k;
  }
}

bool outcomes::returns(size_t k) const {
  return following_[k] != no_index
         && (!log_.timed || log_.accesses[following_[k]].time <= log_.accesses[k].time + window_.seconds);
}

bool outcomes::useful(size_t k, uint32_t item) const {
  const auto limit = log_.accesses[k].time + window_.seconds;
  for (size_t step = 0; step < window_.accesses; ++step) {
    k = following_[k];
    if (k == no_index || (log_.timed && log_.accesses[k].time > limit))
      return false;
    if (log_.accesses[k].item == item)
      return true;
  }
  return false;
}

} // namespace gnomon::learning
