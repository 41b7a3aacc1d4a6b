// What a user model has learned online, as a file of sealed pieces, and back.
#include "learning/user/user_model.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::learning {

namespace {

constexpr uint32_t state_version = 2;
constexpr size_t piece_bytes = 256u << 10; // about
enum part : uint8_t { head, items, users, pairs, end, none };

} // namespace

void user_model::begin_saving() {
  saving_ = {};
  saving_.when = counts_.now();
}

/// Each part says how much it has; what does not fit into the piece is left to the next one.
std::string user_model::next_piece() {
  using save_part = size_t (user_model::*)(writer&);
  static constexpr save_part parts[] = {&user_model::save_head, &user_model::save_items, &user_model::save_users,
                                        &user_model::save_pairs, &user_model::save_end};
  if (saving_.part >= part::none)
    return {};
  writer out;
  out.put(saving_.part);
  const auto all = (this->*parts[saving_.part])(out);
  if (saving_.position >= all) {
    ++saving_.part;
    saving_.position = 0;
  }
  return seal(model_kind::user_state, state_version, out.take());
}

std::string user_model::to_file() {
  begin_saving();
  std::string file;
  for (auto piece = next_piece(); !piece.empty(); piece = next_piece())
    file += piece;
  return file;
}

size_t user_model::save_head(writer& out) {
  out.put(saving_.when);
  out.put(static_cast<uint64_t>(counts_.regions()));
  out.put(restored_ ? restored_->version : parts_.version);
  (restored_ ? restored_->next : next_).save(out);
  (restored_ ? restored_->useful : useful_).save(out);
  return saving_.position;
}

size_t user_model::save_items(writer& out) {
  for (; saving_.position < items_.size() && out.size() < piece_bytes; ++saving_.position) {
    const auto item = static_cast<uint32_t>(saving_.position);
    if (!items_.has(item))
      continue;
    out.put(item);
    out.put(items_.name(item));
    counts_.save_item(out, item, saving_.when);
  }
  return items_.size();
}

size_t user_model::save_users(writer& out) {
  for (; saving_.position < users_.slots() && out.size() < piece_bytes; ++saving_.position) {
    const auto& name = users_.name_in(saving_.position);
    if (name.empty())
      continue;
    auto& record = users_.record_in(saving_.position);
    out.put(std::string_view{name});
    record.history.save(out);
    out.put(record.region);
  }
  return users_.slots();
}

size_t user_model::save_pairs(writer& out) {
  for (; saving_.position < counts_.pair_places() && out.size() < piece_bytes; ++saving_.position)
    counts_.save_pair(out, saving_.position);
  return counts_.pair_places();
}

// What was said before of an item whose name went meanwhile is about that name, and not about one that came after it.
size_t user_model::save_end(writer& out) {
  out.put(saving_.erased);
  return saving_.position;
}

// -- and back ---------------------------------------------------------------------------------------------------------

caf::error user_model::restore(std::string_view file) {
  user_model fresh{config_};
  uint8_t last = part::head, found = part::none;
  while (!file.empty()) {
    auto payload = unseal_next(file, model_kind::user_state, state_version, state_version);
    if (!payload)
      return payload.error();
    reader in{*payload};
    in.get(found);
    if (found >= part::none || found < last || (found != part::head && !fresh.restored_))
      in.fail();
    else
      fresh.load_piece(last = found, in);
    if (!in.good() || !in.at_end())
      return make_error(ec::bad_message, "the state of the user model does not have the shape that this program and "
                                         "prediction.items expect");
  }
  if (found != part::end)
    return make_error(ec::bad_message, "the state of the user model is truncated: its last part is missing");
  auto restored = std::move(fresh.restored_);
  if (parts_.version != 0 || parts_.network || parts_.ranker)
    fresh.adopt(parts_);
  if (restored->version == parts_.version)
    fresh.take_up(*restored);
  else
    fresh.restored_ = std::move(restored);
  *this = std::move(fresh);
  return {};
}

void user_model::load_piece(uint8_t part, reader& in) {
  switch (part) {
  case part::head:
    return load_head(in);
  case part::items:
    return load_items(in);
  case part::users:
    return load_users(in);
  case part::pairs:
    while (in.good() && !in.at_end())
      counts_.load_pair(in);
    return;
  default:
    return load_end(in);
  }
}

void user_model::load_head(reader& in) {
  double when = 0;
  uint64_t regions = 0;
  restored_ = std::make_unique<calibration>();
  in.get(when);
  in.get(regions);
  in.get(restored_->version);
  restored_->next.load(in);
  restored_->useful.load(in);
  counts_.begin_loading(when, regions);
  if (!config_.counts.timed)
    observed_ = static_cast<uint64_t>(when);
}

void user_model::load_items(reader& in) {
  uint32_t item = 0;
  std::string name;
  while (in.good() && !in.at_end()) {
    in.get(item);
    in.get(name);
    if (!in.good() || name.empty() || !items_.place(item, name))
      return in.fail();
    counts_.load_item(in, item);
  }
}

void user_model::load_users(reader& in) {
  std::string name;
  while (in.good() && !in.at_end()) {
    in.get(name);
    if (!in.good() || name.empty())
      return in.fail();
    auto& record = users_.touch(name);
    record = {};
    record.history.load(in); // the network's states are worked out again from the histories
    in.get(record.region);
  }
}

/// Nothing may be left that refers to an item without a name.
void user_model::load_end(reader& in) {
  for (size_t user = 0; user < users_.slots(); ++user) {
    const auto& history = users_.record_in(user).history;
    for (size_t k = 0; k < history.size(); ++k)
      if (history.ago(k).item >= items_.size())
        return in.fail();
  }
  std::vector<uint32_t> erased;
  in.get(erased);
  for (auto item : erased)
    if (items_.has(item)) {
      items_.erase(item);
      counts_.erase(item);
    }
  gone_.assign(items_.size(), false);
  for (uint32_t k = 0; k < items_.size(); ++k)
    gone_[k] = !items_.has(k);
  sweep(counts_.rows() + users_.slots());
}

} // namespace gnomon::learning
