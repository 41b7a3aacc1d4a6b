#include "runtime/replay/outage.hpp"

#include "runtime/base/percent.hpp"
#include "runtime/replay/random_source.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto before_kill = 4s; // so that readers remember answers that name the region
constexpr auto after_kill = 20s;
constexpr auto rhythm = 10ms;
constexpr size_t reads_each_time = 3;

/// Readers who read the trace's items at random for as long as it is called.
class watch {
public:
  watch(path_by_name& path, const load_plan& plan, size_t victim) : path_(path), plan_(plan), victim_(victim) {
    path_.listen([this](size_t, const std::vector<size_t>& named) { note(named); });
  }
  ~watch() {
    path_.listen(nullptr);
  }

  caf::error read_for(event_loop& loop, std::chrono::milliseconds time) {
    for (auto end = steady::now() + time; steady::now() < end;) {
      for (size_t i = 0; i < reads_each_time && open_ < open_requests; ++i)
        read();
      if (auto wrong = loop.pause(rhythm))
        return wrong;
    }
    return {};
  }

  caf::error finish(event_loop& loop) {
    return loop.run_until([this] { return open_ == 0; }, plan_.timeout * 4);
  }

  void killed() {
    killed_ = steady::now();
    report.seconds.resize(static_cast<size_t>(after_kill / 1s));
  }

  outage_report report;

private:
  double since_kill() const {
    return std::chrono::duration<double>(steady::now() - killed_).count();
  }

  /// Null before the kill. What comes after the end belongs to the last second.
  outage_second* second_of(double time) {
    if (report.seconds.empty())
      return nullptr;
    return &report.seconds[std::min(static_cast<size_t>(time), report.seconds.size() - 1)];
  }

  void read() {
    const auto& reads = plan_.reads->reads;
    const auto& chosen = reads[chance_.next() % reads.size()];
    const auto& item = plan_.reads->items[chosen.item];
    http_request request;
    request.target = "/data/" + percent_encode(item);
    ++open_;
    auto* second = second_of(since_kill());
    path_.send(plan_.homes[chosen.region], item, std::move(request),
               [this, second](const expected<http_response>& answer, size_t) {
                 --open_;
                 if (second != nullptr && (!answer || answer->status != 200))
                   ++second->failed_reads;
               });
  }

  void note(const std::vector<size_t>& named) {
    auto time = since_kill();
    auto* second = second_of(time);
    if (second == nullptr)
      return;
    ++second->lookups;
    if (named.front() == victim_) {
      ++second->first;
      report.last_first_s = time;
    }
    if (std::find(named.begin(), named.end(), victim_) != named.end()) {
      ++second->named;
      report.last_named_s = time;
    }
  }

  path_by_name& path_;
  const load_plan& plan_;
  size_t victim_;
  random_source chance_{1};
  steady::time_point killed_;
  size_t open_ = 0;
};

} // namespace

expected<outage_report> watch_outage(event_loop& loop, local_cluster& cluster, path_by_name& path,
                                     const load_plan& plan, size_t victim, progress& shown) {
  watch readers(path, plan, victim);
  readers.report.region = plan.targets[victim].region.name;
  if (auto wrong = readers.read_for(loop, before_kill))
    return wrong;
  shown.finish(fmt::format("killing {}, and watching for {} s", readers.report.region, after_kill.count()));
  cluster.kill(victim);
  readers.killed();
  if (auto wrong = readers.read_for(loop, after_kill))
    return wrong;
  if (auto wrong = readers.finish(loop))
    return wrong;
  readers.report.ttl_s = static_cast<double>(path.figures().longest_ttl.count());
  readers.report.allowed_s = static_cast<double>(named_after_kill.count()) + readers.report.ttl_s;
  return readers.report;
}

} // namespace gnomon::replay
