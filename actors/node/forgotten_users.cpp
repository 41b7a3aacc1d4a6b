#include "actors/node/forgotten_users.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <vector>

namespace gnomon {

namespace {

constexpr size_t most_forgotten = 100'000;

struct forgotten_user {
  uint64_t user;
  uint64_t time;
};

uint64_t hash_of(std::string_view user) {
  return stable_hash(user, 0x666f72676f74);
}

} // namespace

void forgotten_users::add(std::string_view user, uint32_t time) {
  auto& known = times_[hash_of(user)];
  known = std::max(known, time);
  if (times_.size() <= most_forgotten)
    return;
  auto oldest =
      std::min_element(times_.begin(), times_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  times_.erase(oldest);
}

bool forgotten_users::covers(std::string_view user, uint32_t time) const {
  if (times_.empty())
    return false;
  auto known = times_.find(hash_of(user));
  return known != times_.end() && time <= known->second;
}

void forgotten_users::save(learning::writer& out) const {
  std::vector<forgotten_user> entries;
  for (const auto& [user, time] : times_)
    entries.push_back({user, time});
  out.put(entries);
}

void forgotten_users::load(learning::reader& in) {
  std::vector<forgotten_user> entries;
  in.get(entries);
  times_.clear();
  for (const auto& e : entries)
    times_[e.user] = static_cast<uint32_t>(e.time);
}

} // namespace gnomon
