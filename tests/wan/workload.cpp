#include "tests/wan/workload.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gnomon::wan {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::use_awaitable;
using verb = boost::beast::http::verb;
using task = asio::awaitable<void>;

namespace {

constexpr size_t max_under_way = 1000; // of each kind and region
constexpr auto read_timeout = 5s;
constexpr auto give_up_after = 60s;
constexpr auto pause_between_attempts = 50ms;
constexpr size_t at_once = 64;

task pause(std::chrono::nanoseconds span) {
  asio::steady_timer timer{co_await asio::this_coro::executor, span};
  co_await timer.async_wait(use_awaitable);
}

std::chrono::milliseconds since(steady::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begin);
}

request put(const std::string& id, int round) {
  return {verb::put, "/data/" + id, ledger::value_of(id, round), {{"Gnomon-Acks", "2"}}};
}

request get(const std::string& id) {
  request what;
  what.target = "/data/" + id;
  what.timeout = read_timeout;
  return what;
}

bool stored(const reply& got) {
  return got.status == 201 || got.status == 204;
}

/// Runs `work(i)` for each i below `count`, `at_once` at a time.
void for_all(region_client& client, size_t count, const std::function<task(size_t)>& work) {
  auto next = std::make_shared<size_t>(0);
  std::vector<std::future<void>> lanes;
  for (size_t k = 0; k < at_once; ++k)
    lanes.push_back(client.run([next, count, &work]() -> task {
      while (*next < count)
        co_await work((*next)++);
    }));
  for (auto& lane : lanes)
    lane.get();
}

} // namespace

workload::workload(region_client& client, ledger& book, std::string prefix, workload_rates rates)
    : client_(client), book_(book), prefix_(std::move(prefix)), rates_(std::move(rates)) {
  running_.push_back(client.run([this] { return repeat(rates_.writes, [this] { return write(); }); }));
  running_.push_back(client.run([this] { return repeat(rates_.reads, [this] { return read(); }); }));
}

workload::~workload() {
  stop();
}

void workload::stop() {
  stopping_ = true;
  for (auto& part : std::exchange(running_, {}))
    part.get();
}

void workload::give_up() {
  giving_up_ = true;
  stop();
}

task workload::repeat(double per_second, std::function<task()> what) {
  if (per_second <= 0)
    co_return;
  size_t under_way = 0;
  auto period = std::chrono::nanoseconds{static_cast<int64_t>(1e9 / per_second)};
  for (auto due = steady::now(); !stopping_; due += period) {
    co_await pause(std::max<std::chrono::nanoseconds>(due - steady::now(), 0ns));
    if (under_way >= max_under_way)
      continue;
    ++under_way;
    asio::co_spawn(client_.context(), what(), [&under_way](std::exception_ptr) { --under_way; });
  }
  while (under_way > 0)
    co_await pause(10ms);
}

task workload::write() {
  auto id = prefix_ + std::to_string(next_++);
  auto got = co_await client_.ask(put(id, 0));
  if (stored(got)) {
    book_.acknowledged(id);
    ++figures_.writes;
  } else {
    ++figures_.writes_failed;
  }
}

task workload::read() {
  auto id = book_.any(random_);
  if (id.empty())
    co_return;
  auto begin = steady::now();
  for (auto first = true;; first = false) {
    auto got = co_await client_.ask(get(id));
    if (got.status == 200) {
      ++figures_.reads;
      auto& longest = first ? figures_.slowest_read : figures_.longest_outage;
      longest = std::max(longest, since(begin));
      if (!first && !rates_.is_cut_off(id))
        figures_.longest_avoidable = std::max(figures_.longest_avoidable, since(begin));
      co_return;
    }
    ++figures_.reads_failed;
    figures_.last_failure = steady::now();
    if (giving_up_ || since(begin) > give_up_after) {
      ++figures_.reads_lost;
      co_return;
    }
    co_await pause(pause_between_attempts);
  }
}

std::vector<std::string> missing_at(region_client& client, const ledger& book, const std::vector<std::string>& ids,
                                    std::chrono::milliseconds patience) {
  std::vector<std::string> missing;
  for_all(client, ids.size(), [&](size_t i) -> task {
    for (auto deadline = steady::now() + patience;;) {
      auto got = co_await client.ask(get(ids[i]));
      if (got.status == 200 && got.body == book.expected(ids[i]))
        co_return;
      if (steady::now() > deadline)
        break;
      co_await pause(200ms);
    }
    missing.push_back(ids[i]);
  });
  return missing;
}

void preload(region_client& client, ledger& book, const std::string& prefix, size_t count) {
  std::string problem;
  for_all(client, count, [&](size_t i) -> task {
    auto id = prefix + std::to_string(i);
    auto got = co_await client.ask(put(id, 0));
    if (stored(got))
      book.acknowledged(id);
    else
      problem = id + " was not stored: " + std::to_string(got.status) + " " + got.body;
  });
  if (!problem.empty())
    throw std::runtime_error{problem};
}

} // namespace gnomon::wan
