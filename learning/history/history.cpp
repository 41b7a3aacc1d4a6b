#include "learning/history/history.hpp"

#include <algorithm>

namespace gnomon::learning {

uint32_t id_table::index_of(std::string_view name) {
  if (auto known = indices_->find(name); known != indices_->end())
    return known->second;
  if (names_.size() >= limit_ && free_.empty())
    return no_index;
  auto index = static_cast<uint32_t>(names_.size());
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    names_.push_back(nullptr);
  }
  names_[index] = &indices_->emplace(name, index).first->first;
  return index;
}

uint32_t id_table::find(std::string_view name) const {
  auto known = indices_->find(name);
  return known == indices_->end() ? no_index : known->second;
}

void id_table::erase(uint32_t index) {
  indices_->erase(indices_->find(*names_[index]));
  names_[index] = nullptr;
}

bool id_table::place(uint32_t index, std::string_view name) {
  if (index >= limit_ || has(index))
    return false;
  auto [added, is_new] = indices_->emplace(name, index);
  if (!is_new)
    return false;
  if (names_.size() <= index)
    names_.resize(index + 1, nullptr);
  names_[index] = &added->first;
  return true;
}

void user_history::push(visit v) {
  ++total_;
  if (ring_.size() < kept) {
    ring_.push_back(v);
    next_ = static_cast<uint32_t>(ring_.size() % kept);
    return;
  }
  ring_[next_] = v;
  next_ = (next_ + 1) % kept;
}

bool user_history::read_lately(uint32_t item, size_t steps) const {
  for (size_t k = 0; k < std::min(steps, size()); ++k)
    if (ago(k).item == item)
      return true;
  return false;
}

void user_history::clear() {
  *this = {};
}

void user_history::remove(const std::vector<bool>& gone) {
  auto is_gone = [&](const visit& v) { return v.item < gone.size() && gone[v.item]; };
  if (std::none_of(ring_.begin(), ring_.end(), is_gone))
    return;
  user_history left;
  for (size_t k = size(); k-- > 0;)
    if (!is_gone(ago(k)))
      left.push(ago(k));
  left.total_ = total_;
  *this = std::move(left);
}

user_history user_history::merged(const user_history& one, const user_history& other) {
  user_history both;
  size_t repeated = 0;
  for (size_t a = one.size(), b = other.size(); a > 0 || b > 0;) {
    const bool first = b == 0 || (a > 0 && one.ago(a - 1).time <= other.ago(b - 1).time);
    const auto& next = first ? one.ago(--a) : other.ago(--b);
    bool known = false;
    for (size_t k = 0; k < both.size() && both.ago(k).time == next.time; ++k)
      known = known || both.ago(k).item == next.item;
    repeated += known;
    if (!known)
      both.push(next);
  }
  both.total_ = one.total_ + other.total_ - static_cast<uint32_t>(repeated);
  return both;
}

void user_history::save(writer& out) const {
  out.put(ring_);
  out.put(next_);
  out.put(total_);
}

void user_history::load(reader& in) {
  in.get(ring_);
  in.get(next_);
  in.get(total_);
  if (ring_.size() > kept || next_ >= kept || next_ > ring_.size())
    in.fail();
}

user_record& history_store::touch(std::string_view user) {
  auto known = index_.find(user);
  if (known == index_.end()) {
    auto k = free_slot();
    slots_[k].name = user;
    known = index_.emplace(user, k).first;
  }
  auto& slot = slots_[known->second];
  slot.seen = true;
  return slot.record;
}

size_t history_store::free_slot() {
  if (!free_.empty()) {
    auto k = free_.back();
    free_.pop_back();
    return k;
  }
  if (slots_.size() < std::max<size_t>(limit_, 1)) {
    slots_.emplace_back();
    return slots_.size() - 1;
  }
  while (slots_[hand_].seen) {
    slots_[hand_].seen = false;
    hand_ = (hand_ + 1) % slots_.size();
  }
  auto k = hand_;
  hand_ = (hand_ + 1) % slots_.size();
  index_.erase(slots_[k].name);
  slots_[k] = {};
  return k;
}

const user_record* history_store::find(std::string_view user) const {
  auto known = index_.find(user);
  return known == index_.end() ? nullptr : &slots_[known->second].record;
}

bool history_store::forget(std::string_view user) {
  auto known = index_.find(user);
  if (known == index_.end())
    return false;
  slots_[known->second] = {};
  free_.push_back(known->second);
  index_.erase(known);
  return true;
}

std::vector<std::string> history_store::names() const {
  std::vector<std::string> result;
  for (auto& [name, slot] : index_)
    result.push_back(name);
  return result;
}

} // namespace gnomon::learning
