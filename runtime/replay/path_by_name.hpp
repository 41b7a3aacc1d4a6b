#pragma once

#include "runtime/replay/dns_client.hpp"
#include "runtime/replay/load.hpp"
#include "runtime/replay/round_trips.hpp"

#include <chrono>
#include <unordered_map>

namespace gnomon::replay {

/// What the readers did to find their items.
struct naming_figures {
  uint64_t lookups = 0;             // questions to the resolver
  uint64_t remembered = 0;          // names that a reader's region knew from an answer that was still good
  uint64_t unknown = 0;             // names that did not exist: these readers went to the nearest region
  uint64_t next_record = 0;         // requests that went on to the next record because a node did not answer
  std::vector<uint64_t> by_nearest; // answers by how near the region is to the reader: 0 is the own one
  std::chrono::seconds longest_ttl{0};
};

/// Each reader asks the resolver for the SVCB records of the item's name, and the nodes that these name, in their
/// order. What an answer says is kept for its TTL, for each region of readers by itself. A name that does not exist
/// leads to the nearest region, which the zone's own name gives.
class path_by_name : public request_path {
public:
  /// What one lookup came to: the reader's region, and the targets named, best first.
  using listener = std::function<void(size_t home, const std::vector<size_t>& named)>;

  /// Distances delay requests and answers by half of the round trip between reader and node.
  path_by_name(event_loop& loop, const load_plan& plan, const host_port& resolver, std::string zone,
               const round_trips& distances);
  ~path_by_name() override;

  void send(size_t home, const std::string& item, http_request request, callback answer) override;

  /// Hears of each lookup, also of those that were answered from what was remembered.
  void listen(listener hears) {
    listener_ = std::move(hears);
  }
  const naming_figures& figures() const {
    return figures_;
  }

private:
  using steady = std::chrono::steady_clock;
  struct errand;
  struct remembered {
    steady::time_point until;
    dns_answer answer;
  };
  using found = std::function<void(const expected<dns_answer>&)>;

  void find(size_t home, const std::string& name, bool services, found then);
  void keep(const std::string& key, const dns_answer& answer);
  void look_up_item(const std::shared_ptr<errand>& work);
  void look_up_zone(const std::shared_ptr<errand>& work);
  void take(const std::shared_ptr<errand>& work, const dns_answer& answer);
  void find_address(const std::shared_ptr<errand>& work);
  void named(const std::shared_ptr<errand>& work);
  void attempt(const std::shared_ptr<errand>& work);
  void answered(const std::shared_ptr<errand>& work, const expected<http_response>& answer);
  void after(std::chrono::duration<double, std::milli> time, std::function<void()> then);

  event_loop& loop_;
  std::vector<target> targets_;
  std::string zone_;
  std::vector<std::vector<double>> distances_ms_; // from home to target
  dns_client resolver_;
  std::vector<std::unique_ptr<http_client>> clients_;
  std::unordered_map<std::string, remembered> memory_; // by region, name and type
  naming_figures figures_;
  listener listener_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace gnomon::replay
