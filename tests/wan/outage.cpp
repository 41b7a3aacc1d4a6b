// outage GNOMOND ROUND_TRIPS [--full] [--json] [--only NAME] [--keep DIRECTORY]: five regions with real distances
// between them lose their connections, freeze and die while applications write and read; every acknowledged write has
// to be there afterwards. Exit status: 0 all well, 1 something was lost or did not come back, 77 not possible here.
#include "tests/wan/regions.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>

namespace gnomon::wan {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using json = nlohmann::ordered_json;

namespace {

constexpr int skipped = 77;
constexpr milliseconds longest_outage_allowed{4000};
constexpr auto repair_slack = 10s;

struct sizes {
  size_t items;        // written before
  double writes;       // a second, over all regions
  double reads;        // a second and region
  milliseconds lead;   // of the load before the outage
  milliseconds outage; // how long it lasts
  milliseconds repair_after;
  milliseconds patience; // until everything must be as before
};
constexpr sizes small{200, 50, 10, 1s, 4s, 3s, 30s};
constexpr sizes whole{20'000, 500, 20, 5s, 30s, 30s, 120s};

json seconds(milliseconds span) {
  return static_cast<double>(span.count()) / 1000;
}
json seconds(const std::optional<milliseconds>& span) {
  return span ? seconds(*span) : json{};
}
json mebibytes(uint64_t bytes) {
  return static_cast<double>(bytes >> 10) / 1024;
}

/// One cluster with its ledger, and what was found out.
class trial {
public:
  trial(plan how, sizes size) : size_(size), all_(how) {}

  json partition();
  json freeze();
  json kill();
  void fill();
  const std::vector<std::string>& problems() const {
    return problems_;
  }

private:
  using load = std::map<size_t, std::unique_ptr<workload>>;

  load begin_load(const std::string& name);
  json end_load(load& running, steady::time_point broken);
  json settle(json facts, const std::string& scenario);
  void check(bool good, const std::string& problem);
  std::vector<std::string> update(const std::vector<std::string>& ids);
  uint64_t unmarked_old_reads(size_t victim, const std::vector<std::string>& updated);
  json copies_back(steady::time_point broken);

  sizes size_;
  regions all_;
  ledger book_;
  uint64_t memory_before_ = 0;
  std::vector<std::string> problems_;
};

void trial::check(bool good, const std::string& problem) {
  if (!good)
    problems_.push_back(problem);
}

void trial::fill() {
  for (size_t i = 0; i < all_.size(); ++i)
    preload(all_.client(i), book_, "before/" + std::to_string(i) + "-", size_.items / all_.size());
  check(time_until(size_.patience, [&] { return all_.hints() == 0; }).has_value(),
        "updates wait although nothing is broken");
  memory_before_ = all_.resident_bytes();
}

trial::load trial::begin_load(const std::string& name) {
  load running;
  auto places = all_.running();
  for (auto i : places) {
    workload_rates rates{size_.writes / static_cast<double>(places.size()), size_.reads};
    running[i] = std::make_unique<workload>(all_.client(i), book_, name + "/" + std::to_string(i) + "-", rates);
  }
  std::this_thread::sleep_for(size_.lead);
  return running;
}

/// Stops the load. The figures of each region, and their sums.
json trial::end_load(load& running, steady::time_point broken) {
  workload_figures sum;
  json by_region;
  for (auto& [i, one] : running) {
    one->stop();
    const auto& f = one->figures();
    auto last =
        f.reads_failed > 0 ? std::chrono::duration_cast<milliseconds>(f.last_failure - broken) : milliseconds{0};
    by_region[all_.name(i)] = {{"writes", f.writes},
                               {"writes_not_acknowledged", f.writes_failed},
                               {"reads", f.reads},
                               {"reads_failed", f.reads_failed},
                               {"longest_read_outage_s", seconds(f.longest_outage)},
                               {"slowest_read_s", seconds(f.slowest_read)},
                               {"last_failed_read_after_s", seconds(last)}};
    sum.writes += f.writes;
    sum.writes_failed += f.writes_failed;
    sum.reads += f.reads;
    sum.reads_failed += f.reads_failed;
    sum.reads_lost += f.reads_lost;
    sum.longest_outage = std::max(sum.longest_outage, f.longest_outage);
  }
  return {{"writes", sum.writes},
          {"writes_not_acknowledged", sum.writes_failed},
          {"reads", sum.reads},
          {"reads_failed", sum.reads_failed},
          {"reads_given_up", sum.reads_lost},
          {"longest_read_outage_s", seconds(sum.longest_outage)},
          {"regions", by_region}};
}

/// After an outage: everything acknowledged is read in every region, and nothing is left of the outage.
json trial::settle(json facts, const std::string& scenario) {
  auto quiet = time_until(size_.patience, [&] { return all_.hints() == 0; });
  check(quiet.has_value(), scenario + ": updates for other regions still wait on disk");
  auto ids = book_.ids();
  std::vector<std::future<std::vector<std::string>>> readers;
  for (auto i : all_.running())
    readers.push_back(
        std::async(std::launch::async, [&, i] { return missing_at(all_.client(i), book_, ids, size_.patience); }));
  size_t lost = 0;
  for (auto& reader : readers) {
    auto missing = reader.get();
    lost = std::max(lost, missing.size());
    for (size_t k = 0; k < missing.size() && k < 3; ++k)
      check(false, scenario + ": not as acknowledged: " + missing[k]);
  }
  check(lost == 0, scenario + ": " + std::to_string(lost) + " acknowledged writes are not there");
  facts["acknowledged"] = ids.size();
  facts["lost"] = lost;
  facts["handoff_empty_after_s"] = seconds(quiet);
  facts["memory_before_mib"] = mebibytes(memory_before_);
  facts["memory_after_mib"] = mebibytes(all_.resident_bytes());
  return facts;
}

json trial::partition() {
  const std::vector<size_t> near{0, 1, 2}, far{3, 4};
  auto running = begin_load("partition");
  all_.net().split(near, far);
  auto broken = steady::now();
  json facts{{"cut", "ap-south-1 and ap-northeast-1 from the others"}};
  auto noticed = all_.wait_for(0, far, "down", 30s);
  check(noticed.has_value(), "partition: not noticed");
  facts["detected_after_s"] = seconds(noticed);
  std::this_thread::sleep_until(broken + size_.outage);
  all_.net().heal();
  auto whole_again = time_until(60s, [&] {
    auto states = all_.states_at(0);
    return states[all_.name(3)] == "live" && states[all_.name(4)] == "live";
  });
  check(whole_again.has_value(), "partition: the regions do not find each other again");
  facts["live_again_after_s"] = seconds(whole_again);
  facts["load"] = end_load(running, broken);
  return settle(facts, "partition");
}

/// Gives the items new values while a holder is away. Answers those that were acknowledged.
std::vector<std::string> trial::update(const std::vector<std::string>& ids) {
  std::vector<std::string> updated;
  for (const auto& id : ids) {
    request look;
    look.target = "/data/" + id;
    auto before = all_.client(0).ask_and_wait(look);
    request change;
    change.method = boost::beast::http::verb::put;
    change.target = look.target;
    change.body = ledger::value_of(id, 1);
    change.fields = {{"Gnomon-Context", before.fields["gnomon-context"]}, {"Gnomon-Acks", "2"}};
    if (all_.client(0).ask_and_wait(change).status == 204) {
      book_.acknowledged(id, 1);
      updated.push_back(id);
    }
  }
  return updated;
}

/// Reads for a while in the region that has come back: what it still has of before must say that it may be old.
uint64_t trial::unmarked_old_reads(size_t victim, const std::vector<std::string>& updated) {
  uint64_t old = 0;
  for (auto end = steady::now() + 3s; steady::now() < end;)
    for (const auto& id : updated) {
      request look;
      look.target = "/data/" + id;
      auto got = all_.client(victim).ask_and_wait(look);
      old += got.status == 200 && got.body != book_.expected(id) && got.fields.count("gnomon-stale") == 0;
    }
  return old;
}

json trial::freeze() {
  constexpr size_t victim = 4;
  constexpr size_t changed = 20;
  auto held = all_.ids_at(victim, "before/", changed);
  auto running = begin_load("freeze");
  all_.node(victim).signal(SIGSTOP);
  auto broken = steady::now();
  json facts{{"frozen", all_.name(victim)}};
  auto noticed = all_.wait_for(0, {victim}, "down", 30s);
  check(noticed.has_value(), "freeze: not noticed");
  facts["detected_after_s"] = seconds(noticed);
  auto updated = update(held);
  check(!updated.empty(), "freeze: nothing could be written while a region was frozen");
  std::this_thread::sleep_until(broken + size_.outage);
  all_.node(victim).signal(SIGCONT);
  auto old = unmarked_old_reads(victim, updated);
  check(old == 0, "freeze: " + std::to_string(old) + " reads of the returned node were old and did not say so");
  facts["changed_meanwhile"] = updated.size();
  facts["old_reads_not_marked"] = old;
  auto back = all_.wait_for(0, {victim}, "live", 60s);
  check(back.has_value(), "freeze: the node does not come back");
  facts["load"] = end_load(running, broken);
  return settle(facts, "freeze");
}

/// When every item again has enough durable copies, and when as many copies as it is to have.
json trial::copies_back(steady::time_point broken) {
  constexpr size_t min_copies = 2, factor = 3; // the defaults
  std::optional<milliseconds> durable, all;
  auto ids = book_.ids();
  size_t lacking = 0;
  while (!all && steady::now() < broken + size_.repair_after + size_.patience) {
    auto found = all_.count_copies();
    auto lacks = [&](auto enough) {
      return static_cast<size_t>(
          std::count_if(ids.begin(), ids.end(), [&](const auto& id) { return !enough(found[id]); }));
    };
    auto now = std::chrono::duration_cast<milliseconds>(steady::now() - broken);
    lacking = lacks([](const regions::copies& c) { return c.durable >= min_copies; });
    if (!durable && lacking == 0)
      durable = now;
    if (lacks([](const regions::copies& c) { return c.all >= factor; }) == 0)
      all = now;
    std::this_thread::sleep_for(1s);
  }
  check(durable && *durable <= size_.repair_after + repair_slack,
        "kill: " + std::to_string(lacking) + " items had fewer than min_copies durable copies for too long");
  return {{"items", ids.size()},
          {"repair_after_s", seconds(size_.repair_after)},
          {"min_copies_back_after_s", seconds(durable)},
          {"factor_back_after_s", seconds(all)}};
}

json trial::kill() {
  constexpr size_t victim = 2;
  auto running = begin_load("kill");
  all_.node(victim).kill();
  auto broken = steady::now();
  json facts{{"killed", all_.name(victim)}};
  auto noticed = all_.wait_for(0, {victim}, "down", 30s);
  check(noticed.has_value(), "kill: not noticed");
  facts["detected_after_s"] = seconds(noticed);
  auto gone = running.extract(victim); // its applications have no node to talk to
  std::this_thread::sleep_until(broken + size_.outage);
  facts["load"] = end_load(running, broken);
  gone.mapped()->stop();
  auto longest = milliseconds{0};
  for (auto& [i, one] : running)
    longest = std::max(longest, one->figures().longest_outage);
  check(longest <= longest_outage_allowed, "kill: a read in another region failed for longer than 4 s");
  facts["copies"] = copies_back(broken);
  return settle(facts, "kill");
}

// -- the program ------------------------------------------------------------------------------------------------------

struct command_line {
  plan how;
  bool full = false;
  bool as_json = false;
  std::string only;
  std::string keep;
};

int usage() {
  std::cerr
      << "usage: outage GNOMOND ROUND_TRIPS [--full] [--json] [--only partition|freeze|kill] [--keep DIRECTORY]\n";
  return 2;
}

bool parse(int argc, char** argv, command_line& line) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2)
    return false;
  line.how.gnomond = words[0];
  line.how.round_trips = words[1];
  for (size_t i = 2; i < words.size(); ++i) {
    auto value = i + 1 < words.size() ? words[i + 1] : std::string{};
    if (words[i] == "--full")
      line.full = true;
    else if (words[i] == "--json")
      line.as_json = true;
    else if (auto target = words[i] == "--only" ? &line.only : words[i] == "--keep" ? &line.keep : nullptr;
             target && !value.empty()) {
      *target = value;
      ++i;
    } else
      return false;
  }
  return line.only.empty() || line.only == "partition" || line.only == "freeze" || line.only == "kill";
}

/// A directory of our own, which goes with the object unless it was named.
struct work_directory {
  explicit work_directory(std::string named) : path(std::move(named)), kept(!path.empty()) {
    if (!kept) {
      path = (std::filesystem::temp_directory_path() / "gnomon-wan-XXXXXX").string();
      if (!::mkdtemp(path.data()))
        throw std::runtime_error{"no directory for the nodes can be made in " + path};
    }
    std::filesystem::create_directories(path);
  }
  ~work_directory() {
    std::error_code ignored;
    if (!kept)
      std::filesystem::remove_all(path, ignored);
  }
  std::string path;
  bool kept;
};

/// "detected_after_s: 2.9" for each figure, indented by depth.
void print(const json& facts, const std::string& indent) {
  for (const auto& [name, value] : facts.items())
    if (value.is_object()) {
      std::cout << indent << name << ":\n";
      print(value, indent + "  ");
    } else {
      std::cout << indent << name << ": " << value << "\n";
    }
}

int run(const command_line& line) {
  const auto& size = line.full ? whole : small;
  work_directory place{line.keep};
  auto how = line.how;
  how.directory = place.path;
  how.settings = {"cluster.name=wan", "cluster.insecure=true", "http.threads=1", "shadows.idle=5s",
                  "repair.after=" + std::to_string(size.repair_after.count()) + "ms"};
  trial one{how, size};
  one.fill();
  json result;
  auto wanted = [&](const std::string& name) { return line.only.empty() || line.only == name; };
  auto take = [&](const std::string& name, json facts) {
    if (!line.as_json) {
      std::cout << name << ":\n";
      print(facts, "  ");
    }
    result[name] = std::move(facts);
  };
  if (wanted("partition"))
    take("partition", one.partition());
  if (wanted("freeze"))
    take("freeze", one.freeze());
  if (wanted("kill"))
    take("kill", one.kill());
  result["problems"] = one.problems();
  if (line.as_json)
    std::cout << result.dump(2) << "\n";
  for (const auto& problem : one.problems())
    std::cerr << "FAILED: " << problem << "\n";
  return one.problems().empty() ? 0 : 1;
}

} // namespace

int outage(int argc, char** argv) {
  command_line line;
  if (!parse(argc, argv, line))
    return usage();
  try {
    return run(line);
  } catch (const not_possible& e) {
    std::cerr << "skipped: " << e.what() << "\n";
    return skipped;
  } catch (const std::exception& e) {
    std::cerr << "outage: " << e.what() << "\n";
    return 1;
  }
}

} // namespace gnomon::wan

int main(int argc, char** argv) {
  return gnomon::wan::outage(argc, argv);
}
