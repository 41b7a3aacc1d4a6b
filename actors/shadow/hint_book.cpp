#include "actors/shadow/hint_book.hpp"

#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace gnomon {

constexpr duration shortest_pause{4'000};

std::optional<hint_book::entry> hint_book::failed(const std::string& node, ec reason, timestamp now) {
  auto& hint = hints_[node];
  auto answered = reason != ec::peer_gone && reason != ec::unavailable;
  auto longer = std::clamp(hint.pause * 2, shortest_pause, keys::longest_pause);
  auto refused = answered && reason != ec::timeout && reason != ec::overloaded;
  auto same = std::exchange(hint.refused, refused) == refused;
  hint.pause = answered ? longer : duration{};
  hint.next = now + longer;
  if (std::exchange(hint.written, true) && !answered && same)
    return std::nullopt;
  return entry{answered ? keys::hint_value(hint.next, longer, refused) : keys::hint_value({}), refused};
}

void hint_book::found_on_disk(const std::string& node, std::string_view value) {
  hints_[node] = {true, keys::hint_pause(value), keys::hint_refused(value), keys::hint_time(value)};
}

void hint_book::handed_off(const std::string& node) {
  auto& hint = hints_[node];
  if (!std::exchange(hint.written, true))
    hint.refused = true; // the disk may say so: the next failure writes what holds then
}

void hint_book::not_written(const std::string& node) {
  if (auto i = hints_.find(node); i != hints_.end())
    i->second.written = false;
}

bool hint_book::erase(const std::string& node) {
  return hints_.erase(node) > 0;
}

bool hint_book::contains(const std::string& node) const {
  return hints_.count(node) > 0;
}

bool hint_book::is_written(const std::string& node) const {
  auto i = hints_.find(node);
  return i != hints_.end() && i->second.written;
}

bool hint_book::is_resting(const std::string& node, timestamp now) const {
  auto i = hints_.find(node);
  return i != hints_.end() && i->second.refused && i->second.next > now && i->second.next <= now + keys::longest_pause;
}

} // namespace gnomon
