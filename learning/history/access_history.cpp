#include "learning/history/access_history.hpp"

#include <algorithm>
#include <numeric>

namespace gnomon::learning {

void access_history::make_room() {
  if (accesses_.size() < limit_)
    return;
  size_t left = accesses_.size() / 4;
  rebuild([&](const access&) { return left == 0 || left-- == 0; });
}

void access_history::add_write(std::string_view item, std::string_view region, uint32_t time) {
  add({}, item, region, time);
  accesses_.back().write = true;
}

void access_history::add(std::string_view user, std::string_view item, std::string_view region, uint32_t time) {
  make_room();
  ++added_;
  const auto place = std::min<uint32_t>(regions_.index_of(region), 255);
  accesses_.push_back({users_.index_of(user), items_.index_of(item), time, static_cast<uint8_t>(place)});
}

bool access_history::forget(std::string_view user) {
  const auto known = users_.find(user);
  if (known == no_index)
    return false;
  rebuild([&](const access& a) { return a.user != known; });
  return true;
}

template <class Keep>
void access_history::rebuild(Keep keep) {
  id_table users{users_.limit()}, items{items_.limit()};
  std::vector<access> kept;
  kept.reserve(accesses_.size());
  for (const auto& a : accesses_)
    if (keep(a))
      kept.push_back(
          {users.index_of(users_.name(a.user)), items.index_of(items_.name(a.item)), a.time, a.region, a.write});
  users_ = std::move(users);
  items_ = std::move(items);
  accesses_ = std::move(kept);
}

std::vector<uint32_t> access_history::in_order() const {
  std::vector<uint32_t> order(accesses_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return accesses_[a].time < accesses_[b].time; });
  return order;
}

access_history::named access_history::at(uint32_t position) const {
  const auto& a = accesses_[position];
  const auto region = a.region < regions_.size() ? std::string_view{regions_.name(a.region)} : std::string_view{};
  return {users_.name(a.user), items_.name(a.item), region, a.time};
}

access_log access_history::of_users() const {
  return log_of(false);
}

access_log access_history::all() const {
  return log_of(true);
}

access_log access_history::log_of(bool with_anonymous) const {
  access_log log;
  const auto nobody = users_.find("");
  std::copy_if(accesses_.begin(), accesses_.end(), std::back_inserter(log.accesses),
               [&](const access& a) { return with_anonymous || a.user != nobody; });
  log.users = static_cast<uint32_t>(users_.size());
  log.items = static_cast<uint32_t>(items_.size());
  for (uint32_t k = 0; k < items_.size(); ++k)
    log.item_names.emplace_back(items_.name(k));
  log.sort();
  return log;
}

} // namespace gnomon::learning
