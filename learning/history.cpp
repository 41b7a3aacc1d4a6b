#include "learning/history.hpp"

#include <algorithm>

namespace gnomon::learning {

uint32_t id_table::index_of(std::string_view name) {
  if (auto known = indices_.find(name); known != indices_.end())
    return known->second;
  if (names_.size() >= limit_)
    return no_index;
  auto index = static_cast<uint32_t>(names_.size());
  auto added = indices_.emplace(name, index).first;
  names_.push_back(&added->first);
  return index;
}

uint32_t id_table::find(std::string_view name) const {
  auto known = indices_.find(name);
  return known == indices_.end() ? no_index : known->second;
}

void id_table::save(writer& out) const {
  out.put(static_cast<uint64_t>(names_.size()));
  for (auto name : names_)
    out.put(std::string_view{*name});
}

void id_table::load(reader& in) {
  indices_.clear();
  names_.clear();
  uint64_t count = 0;
  in.get(count);
  std::string name;
  for (uint64_t k = 0; k < count && in.good(); ++k) {
    in.get(name);
    if (index_of(name) != k) // a duplicate, or more names than the limit allows
      in.fail();
  }
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

void history_store::save(writer& out) const {
  out.put(static_cast<uint64_t>(index_.size()));
  for (auto& slot : slots_)
    if (!slot.name.empty()) {
      out.put(std::string_view{slot.name});
      slot.record.history.save(out);
      out.put(slot.record.region);
    }
}

void history_store::load(reader& in) {
  slots_.clear();
  free_.clear();
  index_.clear();
  hand_ = 0;
  uint64_t count = 0;
  in.get(count);
  std::string name;
  for (uint64_t k = 0; k < count && in.good(); ++k) {
    in.get(name);
    auto& record = touch(name);
    record = {};
    record.history.load(in); // the network's states are worked out again from the histories
    in.get(record.region);
  }
}

} // namespace gnomon::learning
