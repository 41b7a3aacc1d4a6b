#pragma once

#include "actors/shadow/shadow_part.hpp"

#include <map>
#include <set>

namespace gnomon {

/// How versions come from one holder to the others: updates that are sent, updates and newer copies that are merged.
class shadow_updates : public shadow_part {
public:
  explicit shadow_updates(shadow_core& core) : shadow_part(core) {}

  // -- to other holders
  /// Sends the update to all holders.
  void replicate(traffic urgency);
  /// One update is under way to each holder; the next carries the newest state. It names all holders known here: those
  /// that need it get it from here, or from the holder that named them.
  void send_update(const std::string& node, traffic urgency);

  // -- from other holders
  /// A joining copy merges as well; only a node without any record refuses.
  void merge(const replicate_item& request, answer<replicate_ack> reply);
  /// Merges a copy from another holder into the one that is here. A holder that turns out to be behind is brought up to
  /// date, and the others are asked whether they have heard. A copy that a rule has come to forbid takes nothing more.
  void take_newer(const item_copy& copy, const std::string& giver, std::function<void()> then);
  /// Fetches what `node` has and this copy lacks. A store that has just refused the versions would end this shadow, and
  /// with it the knowledge that they are lacking.
  void pull_from(const std::string& node);
  /// The store has failed: updates that were being synced are not here.
  void fail_merging(const caf::error& reason) {
    for (auto& update : merging_)
      update.fail(reason);
  }

private:
  void update_acknowledged(const std::string& node, const replicate_ack& ack, traffic urgency);
  void update_failed(const std::string& node, uint32_t epoch, ec reason, std::shared_ptr<deliveries::update> update);
  void complete_update(const replicate_item& request, answer<replicate_ack> reply);

  std::vector<answer<replicate_ack>> merging_; // updates that are being synced
  std::map<std::string, bool> updates_;        // one under way to each of these; true: another has to follow
  std::set<std::string> pulling_;              // nodes whose newer versions are being fetched
};

} // namespace gnomon
