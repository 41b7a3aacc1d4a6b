#pragma once

#include "tests/wan/regions.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <set>

namespace gnomon::wan {

struct trial_size {
  size_t items;                     // written before
  double writes;                    // a second, over all regions
  double reads;                     // a second and region
  std::chrono::milliseconds lead;   // of the load before the outage
  std::chrono::milliseconds outage; // how long it lasts
  std::chrono::milliseconds repair_after;
  std::chrono::milliseconds patience; // until everything must be as before
  bool large;                         // times are judged as well, and each item is read in one region only
};

/// One cluster with its ledger, and what was found out.
class trial {
public:
  trial(plan how, trial_size size) : size_(size), how_(how), all_(how) {}

  nlohmann::ordered_json partition();
  nlohmann::ordered_json freeze();
  nlohmann::ordered_json kill();
  /// Takes the killed region out for good.
  nlohmann::ordered_json remove();
  void fill();
  const std::vector<std::string>& problems() const {
    return problems_;
  }

private:
  using load = std::map<size_t, std::unique_ptr<workload>>;

  /// `cut_off(region, id)`: see `workload_rates`.
  load begin_load(const std::string& name, std::function<bool(size_t, const std::string&)> cut_off = {});
  nlohmann::ordered_json end_load(load& running, steady::time_point broken);
  void judge(const load& ended, const std::set<size_t>& away, const std::string& scenario);
  nlohmann::ordered_json settle(nlohmann::ordered_json facts, const std::string& scenario);
  nlohmann::ordered_json weigh(nlohmann::ordered_json facts, const std::string& scenario);
  nlohmann::ordered_json verify(nlohmann::ordered_json facts, const std::string& scenario);
  bool is_quiet();
  std::string what_is_left();
  void check(bool good, const std::string& problem);
  std::vector<std::string> update(const std::vector<std::string>& ids);
  uint64_t unmarked_old_reads(size_t victim, const std::vector<std::string>& updated);
  nlohmann::ordered_json copies_back(steady::time_point broken, const std::map<std::string, regions::copies>& had);

  static constexpr size_t victim_ = 2; // of `kill`
  trial_size size_;
  plan how_;
  regions all_;
  ledger book_;
  double memory_before_ = 0, copies_before_ = 0; // for each item: bytes, and copies
  std::vector<std::string> problems_;
};

} // namespace gnomon::wan
