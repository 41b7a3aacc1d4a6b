#include "tests/wan/regions.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace gnomon::wan {

using namespace std::chrono_literals;
using nlohmann::json;
using verb = boost::beast::http::verb;

namespace {

constexpr auto start_bound = 60s;

struct known_region {
  const char* name;
  double latitude, longitude;
};
constexpr known_region known[] = {{"us-east-1", 39.05, -77.49},
                                  {"sa-east-1", -23.55, -46.63},
                                  {"eu-central-1", 50.11, 8.68},
                                  {"ap-south-1", 19.08, 72.88},
                                  {"ap-northeast-1", 35.68, 139.69}};

std::vector<std::string> names_of_all() {
  std::vector<std::string> names;
  for (const auto& region : known)
    names.push_back(region.name);
  return names;
}

request get(std::string target, std::chrono::milliseconds timeout = 5s) {
  request what;
  what.target = std::move(target);
  what.timeout = timeout;
  return what;
}

} // namespace

regions::regions(const plan& how) : how_(how), names_(names_of_all()), net_(read_round_trips(how.round_trips, names_)) {
  for (size_t i = 0; i < size(); ++i) {
    nodes_.push_back(std::make_unique<region_process>(net_, i, names_[i], how.directory));
    start(i);
    clients_.push_back(std::make_unique<region_client>(net_, i, http_port));
  }
  for (size_t i = 0; i < size(); ++i) {
    std::vector<size_t> others;
    for (size_t k = 0; k < size(); ++k)
      if (k != i)
        others.push_back(k);
    if (!wait_for(i, others, "live", start_bound))
      throw std::runtime_error{names_[i] + " does not see all others; its log: " + nodes_[i]->log()};
  }
}

void regions::start(size_t i) {
  auto settings = how_.settings;
  auto seed = [](size_t k) { return "\"" + network::address(k) + ":" + std::to_string(tunnel_port) + "\""; };
  settings.push_back("cluster.seeds=[" + seed(0) + ", " + seed(1) + "]");
  settings.push_back("cluster.insecure_networks=[\"" + std::string{network::addresses} + "\"]");
  settings.push_back("node.latitude=" + std::to_string(known[i].latitude));
  settings.push_back("node.longitude=" + std::to_string(known[i].longitude));
  nodes_[i]->start(how_.gnomond, settings);
}

std::vector<size_t> regions::running() const {
  std::vector<size_t> result;
  for (size_t i = 0; i < size(); ++i)
    if (!nodes_[i]->ended())
      result.push_back(i);
  return result;
}

/// Under load a node may not answer at once; one that never does has failed.
std::string regions::page_of(size_t at, const std::string& target) {
  reply got;
  for (int tries = 0; tries < 6 && got.status != 200; ++tries)
    got = client(at).ask_and_wait(get(target, 10s));
  if (got.status != 200)
    throw std::runtime_error{names_[at] + " does not answer GET " + target + ": " + std::to_string(got.status) + " "
                             + got.body};
  return got.body;
}

std::map<std::string, std::string> regions::states_at(size_t from) {
  std::map<std::string, std::string> states;
  auto got = client(from).ask_and_wait(get("/cluster"));
  auto page = json::parse(got.body, nullptr, false);
  if (got.status == 200 && page.is_object())
    for (const auto& node : page["nodes"])
      states[node["node"]] = node["state"];
  return states;
}

std::optional<std::chrono::milliseconds> regions::wait_for(size_t from, const std::vector<size_t>& nodes,
                                                           const std::string& state, std::chrono::milliseconds bound) {
  return time_until(bound, [&] {
    auto states = states_at(from);
    return std::all_of(nodes.begin(), nodes.end(), [&](size_t i) { return states[names_[i]] == state; });
  });
}

uint64_t regions::sum_of(const std::string& metric) {
  uint64_t sum = 0;
  for (auto i : running()) {
    auto page = "\n" + page_of(i, "/metrics");
    auto line = page.find("\n" + metric + " ");
    if (line == page.npos)
      throw std::runtime_error{names_[i] + " has no metric " + metric};
    sum += static_cast<uint64_t>(std::stod(page.substr(line + metric.size() + 2)));
  }
  return sum;
}

uint64_t regions::resident_bytes() const {
  uint64_t sum = 0;
  for (auto i : running())
    sum += nodes_[i]->resident_bytes();
  return sum;
}

std::vector<std::string> regions::ids_at(size_t at, const std::string& prefix, size_t limit) {
  std::vector<std::string> ids;
  auto page = json::parse(page_of(at, "/data?prefix=" + prefix + "&limit=" + std::to_string(limit)));
  for (const auto& item : page["items"])
    ids.push_back(item["id"]);
  return ids;
}

std::map<std::string, regions::copies> regions::count_copies() {
  std::map<std::string, copies> result;
  for (auto i : running())
    for (std::string next = "/data?limit=10000"; !next.empty();) {
      auto page = json::parse(page_of(i, next));
      for (const auto& item : page["items"]) {
        auto& entry = result[item["id"]];
        ++entry.all;
        entry.durable += item["role"] == "durable" ? 1 : 0;
      }
      next = page["next"].is_string() ? page["next"].get<std::string>() : std::string{};
    }
  return result;
}

} // namespace gnomon::wan
