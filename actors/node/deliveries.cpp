#include "actors/node/deliveries.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

namespace gnomon {

struct deliveries::book {
  struct account {
    uint64_t begun = 0;
    std::set<uint64_t> open;
    uint64_t hints_made = 1; // what earlier runs of the process left on disk counts as one
    uint64_t hints_gone = 0; // of those
  };
  std::mutex mutex;
  std::map<std::string, account> by_peer;
};

deliveries::update::update(std::shared_ptr<book> accounts, std::string peer, uint64_t number)
    : accounts_(std::move(accounts)), peer_(std::move(peer)), number_(number) {}

deliveries::update::~update() {
  std::lock_guard guard{accounts_->mutex};
  auto& account = accounts_->by_peer[peer_];
  account.hints_made += hint_ ? 1 : 0;
  account.open.erase(number_);
}

deliveries::deliveries() : accounts_(std::make_shared<book>()) {}

std::shared_ptr<deliveries::update> deliveries::begin(const std::string& peer) {
  std::lock_guard guard{accounts_->mutex};
  auto& account = accounts_->by_peer[peer];
  auto number = account.begun++;
  account.open.insert(number);
  return std::make_shared<update>(accounts_, peer, number);
}

deliveries::position deliveries::of(const std::string& peer) const {
  std::lock_guard guard{accounts_->mutex};
  const auto& account = accounts_->by_peer[peer];
  auto settled = account.open.empty() ? account.begun : *account.open.begin();
  return {account.begun, settled, account.hints_gone < account.hints_made};
}

size_t deliveries::under_way(const std::string& peer) const {
  std::lock_guard guard{accounts_->mutex};
  return accounts_->by_peer[peer].open.size();
}

uint64_t deliveries::hints_made(const std::string& peer) const {
  std::lock_guard guard{accounts_->mutex};
  return accounts_->by_peer[peer].hints_made;
}

void deliveries::found_no_hints(const std::string& peer, uint64_t made_before) {
  std::lock_guard guard{accounts_->mutex};
  auto& account = accounts_->by_peer[peer];
  account.hints_gone = std::max(account.hints_gone, made_before);
}

} // namespace gnomon
