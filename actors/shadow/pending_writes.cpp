#include "actors/shadow/pending_writes.hpp"

#include <algorithm>
#include <utility>

namespace gnomon {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

} // namespace

pending_writes::pending_writes(std::string id, std::string node, std::string region)
    : id_(std::move(id)), node_(std::move(node)), region_(std::move(region)) {}

uint64_t pending_writes::add(write w) {
  std::erase(w.named, node_); // its own word is not waited for
  writes_.emplace(next_, std::move(w));
  return next_++;
}

bool pending_writes::synced(uint64_t number) {
  auto i = writes_.find(number);
  if (i == writes_.end())
    return false;
  i->second.synced = true;
  auto created = i->second.created;
  answer_complete();
  return created;
}

std::optional<pending_writes::time_point> pending_writes::first_deadline() const {
  std::optional<time_point> first;
  for (const auto& [number, w] : writes_)
    first = first ? std::min(*first, w.deadline) : w.deadline;
  return first;
}

void pending_writes::confirm(const std::string& node, const version_vector& context) {
  confirmed_[node].merge(context);
  answer_complete();
}

void pending_writes::forget(const std::string& node) {
  confirmed_.erase(node);
}

bool pending_writes::has_confirmed(const std::string& node, const version_vector& context) const {
  auto i = confirmed_.find(node);
  return i != confirmed_.end() && i->second.covers(context);
}

/// The durable or pinned holders that have the write on disk, this one first.
std::vector<std::string> pending_writes::reached(const dot& made) const {
  std::vector<std::string> nodes{node_};
  for (const auto& [node, context] : confirmed_)
    if (context.covers(made))
      nodes.push_back(node);
  return nodes;
}

/// Those of the named holders that have not confirmed the write.
std::vector<std::string> pending_writes::missing(const write& w) const {
  auto nodes = w.named;
  std::erase_if(nodes, [&](const std::string& node) {
    auto i = confirmed_.find(node);
    return i != confirmed_.end() && i->second.covers(w.made);
  });
  return nodes;
}

bool pending_writes::has_acks(const write& w) const {
  return w.synced && missing(w).empty() && reached(w.made).size() >= w.need;
}

void pending_writes::answer_complete() {
  std::erase_if(writes_, [this](auto& entry) {
    auto& w = entry.second;
    if (!has_acks(w))
      return false;
    auto acks = static_cast<uint32_t>(reached(w.made).size());
    w.reply.give({id_, w.context, w.etag, w.created, acks, node_, w.siblings});
    return true;
  });
}

void pending_writes::fail_late(time_point now) {
  std::erase_if(writes_, [&](auto& entry) {
    auto& w = entry.second;
    if (w.deadline > now)
      return false;
    w.reply.fail(too_few_acks(w));
    return true;
  });
}

void pending_writes::fail_all(const caf::error& reason) {
  for (auto& [number, w] : std::exchange(writes_, {}))
    w.reply.fail(reason);
}

caf::error pending_writes::too_few_acks(const write& w) const {
  if (!w.synced)
    return make_error(ec::timeout, "the store of region " + region_ + " is slow; the write may still be stored later");
  auto nodes = reached(w.made);
  auto wanted = w.named.empty()
                    ? std::to_string(w.need) + " durable copies were asked for"
                    : "all durable copies were asked for, and there is no answer from " + listed(missing(w));
  return make_error(ec::not_enough_acks, "the write is on disk in " + std::to_string(nodes.size())
                                             + (nodes.size() == 1 ? " region (" : " regions (") + listed(nodes) + "); "
                                             + wanted + ". It is kept, and may still arrive at the others later");
}

} // namespace gnomon
