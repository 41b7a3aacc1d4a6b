#include "actors/shadow/reaping.hpp"

#include <algorithm>

namespace gnomon {

bool has_surplus(const item_record& record, const std::string& node, uint32_t min_copies) {
  auto ranked = record.holders.durable_by_rank(record.id);
  return ranked.size() > min_copies && ranked.front() == node && !is_tombstone(record.versions);
}

bool exceeds_factor(const item_record& record, const node_context& node) {
  auto factor = node.effective_policy(record.id, record.versions.creator()).factor;
  auto view = node.cluster.get();
  auto state = [&](const std::string& name) { return record.holders.state_of(name); };
  auto copies = record.holders.current();
  std::erase_if(copies, [&](const std::string& name) { // what is not there for certain may be lost: the others stay
    return (name != node.self.node && !view->reachable(name)) || state(name) == holder_state::joining;
  });
  auto shadow = [&](const std::string& name) { return state(name) == holder_state::shadow; };
  if (copies.size() <= factor || std::none_of(copies.begin(), copies.end(), shadow))
    return false;
  auto ranked = record.holders.durable_by_rank(record.id);
  return !ranked.empty() && ranked.front() == node.self.node && !is_tombstone(record.versions);
}

copy_note note_of(const item_record& record, const node_context& node) {
  auto note = note_of(record, node.self.node);
  auto min_copies = node.policy_of(record.id, record.versions).min_copies;
  note.steward |= has_surplus(record, node.self.node, min_copies);
  return note;
}

duration age_of(const item_record& record, timestamp now) {
  int64_t written = 0;
  for (const auto& s : record.versions.siblings)
    written = std::max(written, s.stamp.millis);
  return std::chrono::duration_cast<duration>(now.time_since_epoch()) - duration{written};
}

reaping::reaping(version_vector context, const std::vector<std::string>& strangers)
    : context_(std::move(context)), strangers_(strangers.begin(), strangers.end()) {}

reaping::move reaping::next(const std::vector<std::string>& holders) {
  if (open_ > 0)
    return {step::wait, {}, {}};
  if (broken_)
    return {step::give_up, {}, {}};
  auto all = strangers_;
  all.insert(holders.begin(), holders.end());
  move result{step::ask, steward_word::confirm, {}};
  for (const auto& node : all)
    if (confirmed_.count(node) == 0)
      result.nodes.push_back(node);
  if (result.nodes.empty()) { // nobody is left who could bring back what was deleted
    result.word = steward_word::reap;
    auto holding = holding_;
    holding.insert(holders.begin(), holders.end());
    for (const auto& node : holding)
      if (told_.insert(node).second)
        result.nodes.push_back(node);
  }
  if (!result.nodes.empty())
    open_ = result.nodes.size();
  else // a holder that was told and still is one will not forget it
    result.what = holders.empty() && holding_.empty() ? step::forget : step::give_up;
  return result;
}

void reaping::heard(const std::string& node, steward_word word, const steward_answer& answer) {
  --open_;
  auto absent = answer.role == holder_state::left;
  if (!answer.done && !absent)
    broken_ = true;
  else if (word == steward_word::confirm)
    confirmed_.insert(node);
  if (absent)
    holding_.erase(node);
  else
    holding_.insert(node);
}

void reaping::failed() {
  --open_;
  broken_ = true;
}

void reaping::give_up() {
  broken_ = true;
}

} // namespace gnomon
