#include "tests/wan/trial.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <set>

namespace gnomon::wan {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using json = nlohmann::ordered_json;

namespace {

constexpr milliseconds longest_outage_allowed{4000};
constexpr milliseconds slowest_read_allowed{5000};
constexpr auto repair_slack = 10s;
constexpr milliseconds repair_of_an_item{1}; // on two cores; earlier phases have added items
constexpr auto quiet_for = 60s;              // by then memory and copies are as before
constexpr double as_before = 1.2;            // within 20 %

json seconds(milliseconds span) {
  return static_cast<double>(span.count()) / 1000;
}
json seconds(const std::optional<milliseconds>& span) {
  return span ? seconds(*span) : json{};
}
json kibibytes(double bytes) {
  return std::round(bytes / 102.4) / 10;
}

} // namespace

void trial::check(bool good, const std::string& problem) {
  if (!good)
    problems_.push_back(problem);
}

void trial::fill() {
  for (size_t i = 0; i < all_.size(); ++i)
    preload(all_.client(i), book_, "before/" + std::to_string(i) + "-", size_.items / all_.size());
  check(time_until(size_.patience, [&] { return is_quiet(); }).has_value(), "no quiet although nothing is broken");
  auto items = static_cast<double>(book_.size());
  memory_before_ = static_cast<double>(all_.resident_bytes()) / items;
  copies_before_ = static_cast<double>(all_.sum_of("gnomon_items")) / items;
}

trial::load trial::begin_load(const std::string& name, std::function<bool(size_t, const std::string&)> cut_off) {
  load running;
  auto places = all_.running();
  for (auto i : places) {
    workload_rates rates{size_.writes / static_cast<double>(places.size()), size_.reads};
    if (cut_off)
      rates.is_cut_off = [i, cut_off](const std::string& id) { return cut_off(i, id); };
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
                               {"of_items_not_cut_off_s", seconds(f.longest_avoidable)},
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

/// Where nothing was cut off, and in regions that were not away, reads go on.
void trial::judge(const load& ended, const std::set<size_t>& away, const std::string& scenario) {
  for (const auto& [i, one] : ended) {
    if (away.count(i) > 0 || !size_.large)
      continue;
    const auto& f = one->figures();
    check(f.longest_avoidable <= longest_outage_allowed,
          scenario + ": a read in " + all_.name(i) + " failed for longer than 4 s");
    check(f.slowest_read < slowest_read_allowed, scenario + ": a read in " + all_.name(i) + " took 5 s");
  }
}

/// After an outage: nothing is left of it, on disk or in memory, and everything acknowledged is there.
json trial::settle(json facts, const std::string& scenario) {
  auto quiet = time_until(size_.patience, [&] { return is_quiet(); });
  check(quiet.has_value(), scenario + ": of the outage are left: " + what_is_left());
  facts["quiet_after_s"] = seconds(quiet);
  return verify(weigh(std::move(facts), scenario), scenario);
}

/// A quiet minute later an item takes no more memory than before, and has no more copies.
json trial::weigh(json facts, const std::string& scenario) {
  auto items = static_cast<double>(all_.count_copies().size()); // those that were not acknowledged in time as well
  double memory = 0, copies = 0;
  auto is_as_before = [&] {
    memory = static_cast<double>(all_.resident_bytes()) / items;
    copies = static_cast<double>(all_.sum_of("gnomon_items")) / items;
    return memory <= as_before * memory_before_ && copies <= as_before * copies_before_;
  };
  auto back = time_until(quiet_for, is_as_before);
  check(!size_.large || back.has_value(), scenario + ": items take more memory or have more copies than before");
  facts["as_before_after_s"] = seconds(back);
  facts["copies_of_an_item"] = {{"before", copies_before_}, {"after", copies}};
  facts["memory_for_an_item_kib"] = {{"before", kibibytes(memory_before_)}, {"after", kibibytes(memory)}};
  return facts;
}

bool trial::is_quiet() {
  return what_is_left().empty();
}

/// Hints, repairs and shadow actors that are still there; empty when there are none.
std::string trial::what_is_left() {
  std::string left;
  for (auto name : {"gnomon_hints", "gnomon_repair_active", "gnomon_active_shadows"})
    if (auto count = all_.sum_of(name); count > 0)
      left += (left.empty() ? "" : ", ") + std::to_string(static_cast<uint64_t>(count)) + " " + name;
  return left;
}

/// Reads everything that was acknowledged: in every region, or, when it is much, each item in one, in turn.
json trial::verify(json facts, const std::string& scenario) {
  auto ids = book_.ids();
  auto places = all_.running();
  std::vector<std::future<std::vector<std::string>>> readers;
  for (size_t n = 0; n < places.size(); ++n) {
    std::vector<std::string> share;
    for (size_t k = 0; k < ids.size(); ++k)
      if (!size_.large || k % places.size() == n)
        share.push_back(ids[k]);
    readers.push_back(std::async(std::launch::async, [this, at = places[n], share = std::move(share)] {
      return missing_at(all_.client(at), book_, share, size_.patience);
    }));
  }
  std::set<std::string> lost;
  for (auto& reader : readers)
    for (const auto& id : reader.get())
      lost.insert(id);
  check(lost.empty(), scenario + ": " + std::to_string(lost.size()) + " acknowledged writes are not there, such as "
                          + (lost.empty() ? "" : *lost.begin()));
  facts["acknowledged"] = ids.size();
  facts["lost"] = lost.size();
  return facts;
}

json trial::partition() {
  const std::vector<size_t> near{0, 1, 2}, far{3, 4};
  // What the far side takes while it is cut off has copies nowhere else.
  auto running = begin_load("partition", [](size_t reader, const std::string& id) {
    return reader > 2 || id.starts_with("partition/3-") || id.starts_with("partition/4-");
  });
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
  judge(running, {3, 4}, "partition");
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
  judge(running, {victim}, "freeze");
  return settle(facts, "freeze");
}

/// When every item again has enough durable copies, and when as many copies as it is to have. Counting copies costs the
/// nodes as much as making them; so they are counted when no node repairs.
json trial::copies_back(steady::time_point broken, const std::map<std::string, regions::copies>& had) {
  constexpr size_t min_copies = 2, factor = 3; // the defaults
  std::optional<milliseconds> durable, all;
  auto ids = book_.ids();
  auto lacking = ids.size();
  std::this_thread::sleep_until(broken + size_.repair_after + 3s); // the nodes are about to begin
  while (!all && steady::now() < broken + size_.repair_after + size_.patience) {
    std::this_thread::sleep_for(500ms);
    if (all_.sum_of("gnomon_repair_active") > 0)
      continue;
    auto now = std::chrono::duration_cast<milliseconds>(steady::now() - broken);
    auto found = all_.count_copies();
    auto lacks = [&](auto enough) {
      return static_cast<size_t>(
          std::count_if(ids.begin(), ids.end(), [&](const auto& id) { return !enough(found[id]); }));
    };
    if (!durable && lacks([](const regions::copies& c) { return c.durable >= min_copies; }) == 0)
      durable = now;
    lacking = static_cast<size_t>(std::count_if(ids.begin(), ids.end(), [&](const auto& id) {
      auto before = had.find(id);
      auto wanted = before == had.end() ? min_copies : std::min(factor, before->second.all);
      return found[id].durable < min_copies || found[id].all < wanted;
    }));
    if (lacking == 0)
      all = now;
  }
  check(all.has_value(), "kill: " + std::to_string(lacking) + " items lack copies that they had");
  auto bound = size_.repair_after + repair_slack + repair_of_an_item * ids.size();
  check(!size_.large || (all && *all <= bound), "kill: the factor is back too late");
  return {{"items", ids.size()},
          {"repair_after_s", seconds(size_.repair_after)},
          {"min_copies_back_after_s", seconds(durable)},
          {"factor_back_after_s", seconds(all)}};
}

json trial::kill() {
  constexpr auto victim = victim_;
  auto had = all_.count_copies();
  auto running = begin_load("kill");
  all_.node(victim).kill();
  auto broken = steady::now();
  json facts{{"killed", all_.name(victim)}};
  auto noticed = all_.wait_for(0, {victim}, "down", 30s);
  check(noticed.has_value(), "kill: not noticed");
  facts["detected_after_s"] = seconds(noticed);
  running.extract(victim).mapped()->give_up(); // its applications have no node to talk to
  std::this_thread::sleep_until(broken + size_.outage);
  facts["load"] = end_load(running, broken);
  judge(running, {victim}, "kill");
  facts["copies"] = copies_back(broken, had);
  return verify(facts, "kill"); // what waits for the lost node ends when it is removed
}

/// With the shell, as an operator would: nobody waits for that node any more, and its store is refused for ever.
json trial::remove() {
  auto program = [&](const std::string& name) {
    return "'" + (std::filesystem::path{how_.gnomond}.parent_path() / name).string() + "'";
  };
  const auto& gone = all_.name(victim_);
  auto command = program("gnomon") + " --socket '" + how_.directory + "/" + all_.name(0)
                 + "/gnomon.sock' cluster remove " + gone + " >'" + how_.directory + "/remove.out' 2>&1";
  json facts{{"removed", gone}};
  check(std::system(command.c_str()) == 0, "remove: the shell says no, see remove.out");
  auto forgotten = time_until(size_.patience, [&] {
    auto places = all_.running();
    return std::all_of(places.begin(), places.end(), [&](size_t i) { return all_.states_at(i).count(gone) == 0; });
  });
  check(forgotten.has_value(), "remove: a node still counts with the removed one");
  facts["forgotten_after_s"] = seconds(forgotten);
  auto again = book_.ids();
  check(!update({again.end() - static_cast<ptrdiff_t>(std::min<size_t>(again.size(), 20)), again.end()}).empty(),
        "remove: nothing can be written any more");
  all_.start(victim_);
  auto ended = time_until(size_.patience, [&] { return all_.node(victim_).ended(); });
  auto said = all_.node(victim_).log();
  check(ended && said.find("removed") != said.npos, "remove: the removed store was not refused");
  facts["refused_after_s"] = seconds(ended);
  return settle(facts, "remove");
}

} // namespace gnomon::wan
