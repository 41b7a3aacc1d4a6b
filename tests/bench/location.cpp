// From how many places is the region chosen the truly nearest one, and what does a wrong choice cost? Each case is a
// client at a place with measured round trips, which the choice does not see; the regions of a cluster, which have
// measured each other; and those of them that hold an item. Called by tests/bench/location.sh.
#include "runtime/base/csv.hpp"
#include "runtime/base/numbers.hpp"
#include "runtime/location/region_ranking.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>

using namespace gnomon;

namespace {

struct world {
  std::vector<std::string> names;
  std::vector<place> at;
  std::vector<place> believed;         // where a client there is said to be
  std::vector<std::vector<double>> ms; // NaN: not measured
};

/// The records of a CSV file with three columns, without its first line.
std::vector<std::vector<std::string>> records_of(const std::string& file) {
  auto lines = line_reader::open(file, 4096);
  if (!lines)
    throw std::runtime_error(sentence_of(lines.error()));
  csv_reader records{**lines};
  std::vector<std::vector<std::string>> all;
  std::string line;
  records.next(line);
  for (std::vector<std::string> fields; records.next(line);)
    if (records.split(line, fields) == csv_state::whole && fields.size() == 3)
      all.push_back(fields);
  return all;
}

world read_world(const std::string& places, const std::string& round_trips, const std::string& believed) {
  world result;
  std::map<std::string, size_t> numbers;
  for (const auto& fields : records_of(places)) {
    numbers.emplace(fields[0], result.names.size());
    result.names.push_back(fields[0]);
    result.at.push_back({parse_number<double>(fields[1]).value(), parse_number<double>(fields[2]).value()});
  }
  result.believed = result.at;
  for (const auto& fields : believed.empty() ? decltype(records_of(believed)){} : records_of(believed))
    if (auto known = numbers.find(fields[0]); known != numbers.end())
      result.believed[known->second] = {parse_number<double>(fields[1]).value(),
                                        parse_number<double>(fields[2]).value()};
  const auto n = result.names.size();
  std::vector<std::vector<double>> one_way(n, std::vector<double>(n, NAN));
  for (const auto& fields : records_of(round_trips))
    if (numbers.count(fields[0]) && numbers.count(fields[1]))
      one_way[numbers[fields[0]]][numbers[fields[1]]] = parse_number<double>(fields[2]).value();
  result.ms.assign(n, std::vector<double>(n, NAN));
  for (size_t a = 0; a < n; ++a)
    for (size_t b = 0; b < n; ++b)
      result.ms[a][b] = std::isnan(one_way[a][b])   ? one_way[b][a]
                        : std::isnan(one_way[b][a]) ? one_way[a][b]
                                                    : (one_way[a][b] + one_way[b][a]) / 2;
  return result;
}

/// The places that may be regions: all, or those nearest to the places of another file.
std::vector<size_t> region_pool(const world& known, const std::string& file) {
  std::vector<size_t> pool;
  for (size_t i = 0; file.empty() && i < known.at.size(); ++i)
    pool.push_back(i);
  for (const auto& fields : file.empty() ? decltype(records_of(file)){} : records_of(file)) {
    const place wanted{parse_number<double>(fields[1]).value(), parse_number<double>(fields[2]).value()};
    const auto nearest = std::min_element(known.at.begin(), known.at.end(), [&](place a, place b) {
      return great_circle_km(a, wanted) < great_circle_km(b, wanted);
    });
    pool.push_back(static_cast<size_t>(nearest - known.at.begin()));
  }
  std::sort(pool.begin(), pool.end());
  pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
  return pool;
}

struct tally {
  size_t cases = 0, right = 0;
  double extra_ms = 0;
};

class contest {
public:
  contest(const world& known, size_t client, const std::vector<size_t>& regions) : known_(known), client_(client) {
    std::vector<region_site> sites, unmeasured;
    for (auto region : regions) {
      std::vector<double> row;
      for (auto other : regions)
        row.push_back(known.ms[region][other]);
      sites.push_back({known.names[region], known.at[region], row});
      unmeasured.push_back({known.names[region], known.at[region], {}});
      great_circle_.push_back(great_circle_km(known.believed[client], known.at[region]));
      truth_.push_back(known.ms[client][region]);
    }
    map_ = round_trip_estimate{unmeasured}.from_place(known.believed[client]);
    estimate_ = round_trip_estimate{std::move(sites)};
  }

  void play(const std::vector<size_t>& holders, std::map<std::string, tally>& results) {
    std::vector<region_condition> conditions(truth_.size(), {.live = false});
    for (auto h : holders)
      conditions[h].live = true;
    auto nearest = [&](const std::vector<double>& by) {
      return *std::min_element(holders.begin(), holders.end(), [&](size_t a, size_t b) { return by[a] < by[b]; });
    };
    const auto best = truth_[nearest(truth_)];
    auto count = [&](const std::string& way, size_t chosen) {
      auto& result = results[way];
      ++result.cases;
      result.right += truth_[chosen] <= best;
      result.extra_ms += truth_[chosen] - best;
    };
    count("great circle", nearest(great_circle_));
    count("network map", nearest(map_));
    count("ranking", rank_regions({{}, known_.believed[client_]}, estimate_, conditions).front().number);
  }
  bool is_measured(size_t region) const {
    return !std::isnan(truth_[region]);
  }

private:
  const world& known_;
  size_t client_;
  round_trip_estimate estimate_;
  std::vector<double> great_circle_, map_, truth_;
};

struct setting {
  std::string name;
  size_t regions; // 0: all
  size_t holders;
  std::vector<size_t> fixed; // these regions, whatever `regions` says
};

std::map<std::string, tally> play(const world& known, const std::vector<size_t>& pool, const setting& how,
                                  size_t cases) {
  std::mt19937 random{1};
  std::map<std::string, tally> results;
  for (size_t i = 0; i < cases; ++i) {
    const auto client = i % known.at.size();
    auto regions = how.fixed.empty() ? pool : how.fixed;
    regions.erase(std::remove(regions.begin(), regions.end(), client), regions.end());
    if (!how.fixed.empty() && regions.size() < how.fixed.size())
      continue; // a client in a region has measured round trips
    std::shuffle(regions.begin(), regions.end(), random);
    if (how.regions > 0 && how.fixed.empty())
      regions.resize(std::min(regions.size(), how.regions));
    contest one{known, client, regions};
    std::vector<size_t> holders;
    for (size_t r = 0; r < regions.size() && holders.size() < how.holders; ++r)
      if (one.is_measured(r))
        holders.push_back(r);
    if (holders.size() > 1)
      one.play(holders, results);
  }
  return results;
}

std::vector<setting> settings_of(const world& known) {
  std::vector<size_t> five;
  for (auto name : {"ap-northeast-1", "ap-south-1", "eu-central-1", "sa-east-1", "us-east-1"})
    if (auto found = std::find(known.names.begin(), known.names.end(), name); found != known.names.end())
      five.push_back(static_cast<size_t>(found - known.names.begin()));
  std::vector<setting> all{{"all regions, 2 holders", 0, 2, {}},        {"all regions, 3 holders", 0, 3, {}},
                           {"all regions, 5 holders", 0, 5, {}},        {"all regions, 8 holders", 0, 8, {}},
                           {"12 random regions, 3 holders", 12, 3, {}}, {"8 random regions, 3 holders", 8, 3, {}},
                           {"5 random regions, 2 holders", 5, 2, {}},   {"5 random regions, all hold", 5, 5, {}}};
  if (five.size() == 5)
    for (size_t holders : {2u, 3u, 5u})
      all.push_back({"the five regions of the configs, " + std::to_string(holders) + " holders", 5, holders, five});
  return all;
}

/// Nanoseconds for one ranking of all places as regions.
double ranking_ns(const world& known) {
  std::vector<region_site> sites;
  for (size_t i = 0; i < known.at.size(); ++i)
    sites.push_back({known.names[i], known.at[i], known.ms[i]});
  const round_trip_estimate estimate{std::move(sites)};
  const auto begin = std::chrono::steady_clock::now();
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i)
    rank_regions({{}, place{(i * 7) % 120 - 60.0, (i * 13) % 360 - 180.0}}, estimate, {});
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / rounds;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc < 4)
    throw std::runtime_error("usage: gnomon-bench-location PLACES ROUND_TRIPS CASES [REGIONS [BELIEVED]]");
  const auto known = read_world(argv[1], argv[2], argc > 5 ? argv[5] : "");
  const auto pool = region_pool(known, argc > 4 ? argv[4] : "");
  const auto cases = parse_number<size_t>(argv[3]).value();
  nlohmann::ordered_json report{{"places", known.names.size()}, {"regions", pool.size()}, {"cases", cases}};
  for (const auto& how : settings_of(known))
    for (const auto& [way, result] : play(known, pool, how, cases))
      report["results"][how.name][way] = {
          {"nearest", static_cast<double>(result.right) / static_cast<double>(result.cases)},
          {"extra_ms", result.extra_ms / static_cast<double>(result.cases)}};
  report["ranking_us"] = ranking_ns(known) / 1e3;
  std::cout << report.dump(2) << '\n';
  return 0;
} catch (const std::exception& problem) {
  std::cerr << "gnomon-bench-location: " << problem.what() << '\n';
  return 1;
}
