#include "actors/node/known_shells.hpp"

namespace gnomon {

namespace {

constexpr size_t most_ended = 1000;

} // namespace

void known_shells::add(const caf::node_id& program, asker whose) {
  std::lock_guard lock{mutex_};
  known_.insert_or_assign(program, std::move(whose));
}

void known_shells::forget(const caf::node_id& program) {
  std::lock_guard lock{mutex_};
  ended_.push_back(program);
  if (ended_.size() <= most_ended)
    return;
  known_.erase(ended_.front());
  ended_.pop_front();
}

std::optional<asker> known_shells::find(const caf::node_id& program) const {
  std::lock_guard lock{mutex_};
  const auto found = known_.find(program);
  return found == known_.end() ? std::nullopt : std::optional{found->second};
}

} // namespace gnomon
