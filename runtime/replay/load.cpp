#include "runtime/replay/load.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/percent.hpp"
#include "runtime/replay/item_sizes.hpp"
#include "runtime/replay/random_source.hpp"
#include "runtime/replay/updates.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstring>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr size_t failures_kept = 5;
constexpr uint64_t hopeless_after = 200;
constexpr int write_attempts = 3;
constexpr double late_from_s = 0.1;
constexpr auto longest_pass = 24h;

double seconds_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// Each reader asks the node of the own region.
class path_home : public request_path {
public:
  path_home(event_loop& loop, const load_plan& plan) {
    for (const auto& node : plan.targets)
      clients_.push_back(std::make_unique<http_client>(loop.io(), node.api, plan.timeout));
  }

  void send(size_t home, const std::string&, http_request request, callback answer) override {
    clients_[home]->send(std::move(request),
                         [home, answer = std::move(answer)](const expected<http_response>& got) { answer(got, home); });
  }

private:
  std::vector<std::unique_ptr<http_client>> clients_;
};

// -- writing ----------------------------------------------------------------------------------------------------------

/// Keeps as many writes open as allowed until all items are there or one cannot be written.
class writer {
public:
  writer(event_loop& loop, load_plan& plan, progress& shown)
      : plan_(plan), shown_(shown), client_(loop.io(), plan.targets[plan.origin].api, plan.timeout) {
    plan_.contexts.assign(plan.reads->items.size(), {});
  }

  caf::error run(event_loop& loop) {
    pump();
    if (auto wrong = loop.run_until([this] { return problem_ || done_ == plan_.reads->items.size(); }, longest_pass))
      return wrong;
    return problem_;
  }

private:
  void pump() {
    while (!problem_ && open_ < open_requests && next_ < plan_.reads->items.size())
      write(next_++, 1);
  }

  void write(size_t item, int attempt) {
    const auto& id = plan_.reads->items[item];
    http_request request;
    request.method = "PUT";
    request.target = "/data/" + percent_encode(id);
    request.body = content_of(id, plan_.bytes_of(item));
    // Repeating a write whose answer was lost must not make a second version.
    request.headers = {{"Content-Type", "application/octet-stream"},
                       {"If-None-Match", "*"},
                       {"Gnomon-Request-Id", fmt::format("replay-{:016x}", stable_hash(id))}};
    ++open_;
    client_.send(std::move(request), [this, item, attempt](const expected<http_response>& answer) {
      --open_;
      take(item, attempt, answer);
      pump();
    });
  }

  void take(size_t item, int attempt, const expected<http_response>& answer) {
    auto written = answer && (answer->status == 201 || answer->status == 204);
    auto there_already = answer && answer->status == 412;
    if (!written && !there_already) {
      if (attempt < write_attempts)
        return write(item, attempt + 1);
      problem_ = make_error(ec::unavailable, fmt::format("cannot write {} in {}: {}", plan_.reads->items[item],
                                                         plan_.targets[plan_.origin].region.name, described(answer)));
      return;
    }
    if (written)
      plan_.contexts[item] = answer->header("gnomon-context");
    ++done_;
    if (shown_.due())
      shown_.update("writing items", done_, plan_.reads->items.size(), fmt::format("{} items", done_));
  }

  load_plan& plan_;
  progress& shown_;
  http_client client_;
  size_t next_ = 0;
  size_t open_ = 0;
  size_t done_ = 0;
  caf::error problem_;
};

// -- reading ----------------------------------------------------------------------------------------------------------

/// Sends reads in order: a timer wakes it for the next one, and so does every answer while it is late.
class reader {
public:
  reader(event_loop& loop, const load_plan& plan, progress& shown, std::string title)
      : plan_(plan), shown_(shown), title_(std::move(title)), home_(loop, plan), path_(plan.path ? *plan.path : home_),
        updates_(loop, plan), timer_(loop.io()) {
    result_.by_target.resize(plan.targets.size());
    result_.slice_reads.resize(time_slices);
    result_.slice_local.resize(time_slices);
    result_.answered_bytes.resize(plan.targets.size() * plan.targets.size());
  }

  expected<load_result> run(event_loop& loop) {
    started_ = steady::now();
    updates_.start(started_);
    pump();
    if (auto wrong = loop.run_until([this] { return problem_ || finished(); }, longest_pass))
      return wrong;
    if (problem_)
      return problem_;
    result_.seconds = seconds_between(started_, steady::now());
    result_.updates = updates_.sent();
    result_.failures.insert(result_.failures.end(), updates_.failures().begin(), updates_.failures().end());
    return std::move(result_);
  }

private:
  const std::vector<trace_read>& reads() const {
    return plan_.reads->reads;
  }
  bool finished() const {
    return next_ == reads().size() && open_ == 0 && updates_.finished();
  }

  void pump() {
    while (next_ < reads().size() && open_ < open_requests) {
      auto now = steady::now();
      auto time = plan_.due(reads()[next_].t, started_);
      if (time > now)
        return wake_at(time);
      note_lateness(seconds_between(time, now));
      send(reads()[next_++], now);
    }
  }

  void wake_at(steady::time_point time) {
    if (waiting_)
      return;
    waiting_ = true;
    timer_.expires_at(time);
    timer_.async_wait([this, alive = std::weak_ptr{alive_}](const boost::system::error_code& failure) {
      if (failure || alive.expired())
        return;
      waiting_ = false;
      pump();
    });
  }

  void note_lateness(double seconds) {
    result_.late_max_s = std::max(result_.late_max_s, seconds);
    result_.late_reads += seconds > late_from_s;
  }

  void send(const trace_read& read, steady::time_point sent) {
    http_request request;
    const auto& user = plan_.reads->users[read.user];
    request.target = "/data/" + percent_encode(plan_.reads->items[read.item]) + "?user_id=" + percent_encode(user);
    ++open_;
    path_.send(plan_.homes[read.region], plan_.reads->items[read.item], std::move(request),
               [this, read, sent, alive = std::weak_ptr{alive_}](const expected<http_response>& answer, size_t from) {
                 if (alive.expired())
                   return;
                 --open_;
                 take(read, seconds_between(sent, steady::now()) * 1e3, answer, from);
                 pump();
               });
  }

  void take(const trace_read& read, double ms, const expected<http_response>& answer, size_t from) {
    auto where = plan_.homes[read.region];
    const auto& id = plan_.reads->items[read.item];
    if (!answer || answer->status != 200)
      fail(where, id, described(answer));
    else if (answer->body != content_of(id, plan_.bytes_of(read.item)))
      fail(where, id, fmt::format("answered {} bytes that were never written", answer->body.size()));
    else
      succeed(read, ms, from == where ? answer->header("gnomon-copy") : "remote", answer->header("gnomon-served-by"));
    ++done_;
    if (shown_.due())
      show();
  }

  void succeed(const trace_read& read, double ms, std::string_view copy, std::string_view served_by) {
    failed_in_a_row_ = 0;
    const bool prefetched = copy == "prefetched", local = prefetched || copy == "local";
    local_ += local;
    ++answered_;
    result_.by_target[plan_.homes[read.region]].answered(ms, local, prefetched);
    count_answer(served_by, plan_.homes[read.region], plan_.bytes_of(read.item));
    const double part = (read.t - reads().front().t) / std::max(plan_.reads->span(), 1e-9);
    const auto slice = std::min(static_cast<size_t>(part * time_slices), time_slices - 1);
    ++result_.slice_reads[slice];
    result_.slice_local[slice] += local;
  }

  /// Where nodes have other names than their regions, nothing is known about that.
  void count_answer(std::string_view served_by, size_t home, size_t bytes) {
    const size_t count = plan_.targets.size();
    for (size_t from = 0; from < count; ++from)
      if (from != home && plan_.targets[from].region.name == served_by)
        result_.answered_bytes[from * count + home] += static_cast<double>(bytes);
  }

  void fail(size_t where, const std::string& id, const std::string& why) {
    result_.by_target[where].failed();
    auto sentence = fmt::format("{} in {}: {}", id, plan_.targets[where].region.name, why);
    if (++failed_in_a_row_ >= hopeless_after)
      problem_ =
          make_error(ec::unavailable, fmt::format("{} reads in a row failed; the last: {}", hopeless_after, sentence));
    if (result_.failures.size() < failures_kept)
      result_.failures.push_back(std::move(sentence));
  }

  void show() {
    auto elapsed = seconds_between(started_, steady::now());
    auto share = static_cast<double>(done_) / static_cast<double>(reads().size());
    auto by_clock = plan_.reads->span() / plan_.time_scale - elapsed;
    auto by_pace = share > 0.02 ? elapsed / share - elapsed : 0;
    auto left = std::chrono::seconds{static_cast<int64_t>(std::max({by_clock, by_pace, 0.0}))};
    auto local = answered_ == 0 ? 0 : 100.0 * static_cast<double>(local_) / static_cast<double>(answered_);
    shown_.update(title_, done_, reads().size(),
                  fmt::format("{} reads, {:.1f}% local so far, {} left", done_, local, in_words(left)));
  }

  const load_plan& plan_;
  progress& shown_;
  std::string title_;
  path_home home_;
  request_path& path_;
  update_sender updates_;
  boost::asio::steady_timer timer_;
  bool waiting_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // a cancelled timer may still call back later
  steady::time_point started_;
  size_t next_ = 0;
  size_t open_ = 0;
  uint64_t done_ = 0;
  uint64_t answered_ = 0;
  uint64_t local_ = 0;
  uint64_t failed_in_a_row_ = 0;
  caf::error problem_;
  load_result result_;
};

} // namespace

size_t load_plan::bytes_of(size_t item) const {
  return value_bytes > 0 ? value_bytes : made_up_bytes(reads->items[item]);
}

steady::time_point load_plan::due(double t, steady::time_point first_read) const {
  const std::chrono::duration<double> after{(t - reads->reads.front().t) / time_scale};
  return first_read + std::chrono::duration_cast<steady::duration>(after);
}

std::string described(const expected<http_response>& answer) {
  if (!answer)
    return sentence_of(answer.error());
  return fmt::format("answered {} {}", answer->status, answer->body.substr(0, 160));
}

latency_record load_result::all() const {
  latency_record sum;
  for (const auto& record : by_target)
    sum.merge(record);
  return sum;
}

std::string content_of(std::string_view id, size_t bytes) {
  random_source noise(stable_hash(id));
  std::string result(bytes, '\0');
  for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    auto word = noise.next();
    std::memcpy(result.data() + at, &word, std::min(sizeof word, bytes - at));
  }
  return result;
}

caf::error write_items(event_loop& loop, load_plan& plan, progress& shown) {
  return writer{loop, plan, shown}.run(loop);
}

expected<load_result> send_reads(event_loop& loop, const load_plan& plan, progress& shown, const std::string& title) {
  return reader{loop, plan, shown, title}.run(loop);
}

} // namespace gnomon::replay
