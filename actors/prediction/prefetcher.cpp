#include "actors/prediction/prefetcher.hpp"

#include "actors/node/copy_economy.hpp"
#include "learning/training/model_training.hpp"
#include "runtime/base/log.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t most_ahead = 50'000; // copies whose outcome is awaited
constexpr size_t most_declined = 20'000;
constexpr size_t most_asking = 256; // questions to shards under way
constexpr auto believed = std::chrono::minutes{10};
constexpr auto without_end = std::chrono::hours{24}; // leases that never end: unread for that long is wasted

bool usable(const context_ptr& node, const std::string& name) {
  return node->cluster.get()->reachable(name) != nullptr;
}

} // namespace

prefetcher_actor::behavior_type prefetcher(prefetcher_actor::stateful_pointer<prefetcher_state> self,
                                           context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const prefetch_wishes& batch) { state.consider(batch); },
      [&](const access_batch& batch) { state.note_reads(batch); },
      [&](tick_a) { state.look(); },
  };
}

void prefetcher_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  const auto& c = node_->config;
  budget_ = prefetch_budget{{c.prefetch_confidence, c.prefetch_waste, c.prefetch_bytes_per_second}};
  publish();
  self_->delayed_send(self_, c.collect_every, tick_a_v);
}

duration prefetcher_state::lifetime(const std::string& id) const {
  auto ttl = node_->effective_policy(id, {}).ttl;
  return ttl.count() == 0 || ttl == adaptive_lifetime ? duration{without_end} : ttl;
}

// -- from a wish to a copy

void prefetcher_state::consider(const prefetch_wishes& batch) {
  const auto time = now();
  if (node_->is_full())
    return;
  for (const auto& wish : batch.wishes) {
    if (!budget_.worth(wish.confidence) || ahead_.count(wish.id) > 0 || asking_ >= most_asking)
      continue;
    auto [known, is_new] = declined_.try_emplace(wish.id, time + believed);
    if (!is_new && known->second > time)
      continue;
    known->second = time + believed;
    if (node_->effective_policy(wish.id, {}).allows(node_->self.region))
      ask(wish);
  }
  if (declined_.size() > most_declined)
    std::erase_if(declined_, [&](const auto& entry) { return entry.second <= time; });
  if (declined_.size() > most_declined)
    declined_.clear(); // asking once more costs a question each
}

/// Asks who holds the item. A copy is made only when other nodes hold it and this one does not.
void prefetcher_state::ask(const prefetch_wish& wish) {
  ++asking_;
  self_->request(node_->shard(wish.id), node_->config.peer_timeout, locate_a_v, wish.id)
      .then(
          [this, wish](const std::vector<std::string>& holders, bool) {
            --asking_;
            auto here = std::find(holders.begin(), holders.end(), node_->self.node) != holders.end();
            if (!here && !holders.empty() && usable(node_, holders.front()) && pays(wish, holders.front()))
              invite(wish, holders.front());
          },
          [this](const caf::error&) { --asking_; });
}

/// The comparison that decides about every copy, for a read within the copy's first lease.
bool prefetcher_state::pays(const prefetch_wish& wish, const std::string& giver) const {
  auto costs = costs_of_making(*node_, {.id = wish.id, .bytes = static_cast<uint64_t>(mean_bytes_), .others = {giver}});
  auto lease_s = std::chrono::duration<double>(lifetime(wish.id)).count();
  auto held_s = lease_s * (1 - wish.confidence / 2); // a read is as likely at any time
  return learning::worth_of({lease_s, wish.confidence, held_s}, costs).net_usd() > 0;
}

void prefetcher_state::invite(const prefetch_wish& wish, const std::string& giver) {
  const auto time = now();
  const auto expected = static_cast<uint64_t>(mean_bytes_);
  if (ahead_.size() >= most_ahead || !budget_.take(expected, time)) {
    node_->predicting.refused.fetch_add(1, std::memory_order_relaxed);
    declined_.erase(wish.id); // wished for again it may fit
    return;
  }
  const auto life = lifetime(wish.id);
  invite_copy invitation{
      wish.id, giver, holder_state::shadow, {lease_reason::prediction, wish.confidence, time, time, life}};
  ++asking_;
  self_->request(node_->shard(wish.id), node_->config.peer_timeout, invitation)
      .then(
          [this, wish, time, life, expected](const invite_answer& said) {
            --asking_;
            if (said.accepted) {
              budget_.issue(wish.confidence);
              ahead_[wish.id] = {time,
                                 time + life,
                                 static_cast<float>(wish.confidence),
                                 expected,
                                 0,
                                 false,
                                 false,
                                 self_->clock().now() + 2 * node_->config.peer_timeout};
            } else {
              budget_.correct(expected, 0);
            }
          },
          [this, expected](const caf::error&) {
            --asking_;
            budget_.correct(expected, 0);
          });
}

// -- what became of it

void prefetcher_state::note_reads(const access_batch& batch) {
  if (ahead_.empty())
    return;
  for (const auto& sample : batch.samples)
    if (auto copy = ahead_.find(sample.id); !sample.write && copy != ahead_.end() && !copy->second.used)
      note_use(copy->second, sample.at);
}

void prefetcher_state::look() {
  const auto time = now();
  size_t questions = 0;
  for (auto copy = ahead_.begin(); copy != ahead_.end();) {
    if (copy->second.due <= time) {
      copy = settle(copy);
      continue;
    }
    if (!copy->second.there && questions++ < most_asking)
      inspect(copy->first);
    ++copy;
  }
  publish();
  self_->delayed_send(self_, node_->config.collect_every, tick_a_v);
}

/// Asks the copy for its size, until it has arrived or takes too long.
void prefetcher_state::inspect(const std::string& id) {
  self_->request(node_->shard(id), node_->config.peer_timeout, get_copy_report{id})
      .then(
          [this, id](const copy_report& report) {
            auto copy = ahead_.find(id);
            if (copy == ahead_.end() || copy->second.there)
              return;
            auto& c = copy->second;
            c.there = true;
            c.bytes = report.bytes;
            budget_.correct(c.expected, c.bytes);
            mean_bytes_ += 0.05 * (static_cast<double>(c.bytes) - mean_bytes_);
            node_->predicting.issued.fetch_add(1, std::memory_order_relaxed);
            node_->predicting.bytes.fetch_add(c.bytes, std::memory_order_relaxed);
          },
          [this, id](const caf::error&) {
            auto copy = ahead_.find(id);
            if (copy == ahead_.end() || copy->second.there || self_->clock().now() < copy->second.given_up)
              return;
            withdraw(copy);
          });
}

void prefetcher_state::note_use(ahead& copy, timestamp when) {
  auto& counters = node_->predicting;
  copy.used = true;
  counters.used.fetch_add(1, std::memory_order_relaxed);
  counters.lead_ms.fetch_add(static_cast<uint64_t>(std::max<int64_t>(0, (when - copy.made).count())),
                             std::memory_order_relaxed);
}

/// Its time is over. Reads are not settled before: those that come first would make the others look likely as well.
prefetcher_state::copies::iterator prefetcher_state::settle(copies::iterator copy) {
  const auto& c = copy->second;
  auto& counters = node_->predicting;
  if (!c.there && !c.used)
    return withdraw(copy);
  if (!c.there) {
    counters.issued.fetch_add(1, std::memory_order_relaxed);
    counters.bytes.fetch_add(c.expected, std::memory_order_relaxed);
  }
  budget_.settle(c.confidence, c.used);
  said_.add(c.confidence, c.used);
  if (!c.used) {
    counters.wasted.fetch_add(1, std::memory_order_relaxed);
    counters.wasted_bytes.fetch_add(c.bytes, std::memory_order_relaxed);
  }
  return ahead_.erase(copy);
}

/// It never came.
prefetcher_state::copies::iterator prefetcher_state::withdraw(copies::iterator copy) {
  budget_.withdraw(copy->second.confidence);
  budget_.correct(copy->second.expected, 0);
  return ahead_.erase(copy);
}

void prefetcher_state::publish() {
  if (auto served = node_->models.get(); served->models && served->models->demand)
    if (const auto honesty = served->models->demand->measured.honesty; honesty > 0)
      budget_.believe(honesty);
  node_->predicting.threshold.store(budget_.threshold(), std::memory_order_relaxed);
  node_->predicting.calibration_error.store(said_.error(), std::memory_order_relaxed);
}

} // namespace gnomon
