#include "runtime/gateway/http_worker.hpp"

#include "actors/node/index_hit.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/times.hpp"
#include "runtime/gateway/http_connection.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace gnomon::http {

namespace {

constexpr size_t max_samples = 4096;    // of one batch: more are handed over at once
constexpr uint32_t most_learned = 5000; // reads without a user, in a second

duration sweep_interval(const server_parts& parts) {
  const auto& c = parts.config;
  auto shortest = std::min({c.head_timeout, c.body_timeout, c.idle_timeout, c.write_timeout});
  return std::clamp(std::min(shortest / 4, parts.node->config.sample_every), duration{10}, duration{250});
}

constexpr auto idle_sweep = duration{1000}; // without a connection

constexpr auto tell_every = std::chrono::hours{24}; // that a certificate ends

} // namespace

worker::worker(server_parts& parts, size_t number)
    : elsewhere(parts.node), parts_(parts), number_(number), security_(parts.security.get()), timer_(context) {
  note_date();
}

worker::~worker() = default;

void worker::run() {
  schedule_sweep();
  auto guard = boost::asio::make_work_guard(context);
  while (!context.stopped()) {
    try {
      context.run();
    } catch (const std::exception& fault) {
      // Of what no connection is at fault for; the others go on.
      log::error("http", "handler-threw", {{"what", fault.what()}});
    }
  }
  hand_over_samples();
}

void worker::note_date() {
  date_ = http_date(std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()));
  head_end_ = "Date: " + date_ + (security_->origins.empty() ? "" : "\r\nVary: Origin") + "\r\n\r\n";
}

void worker::look_at_security() {
  security_ = parts_.security.get();
  told_of_expiry_ = {};
  note_date();
}

void worker::adopt(boost::asio::ip::tcp::socket socket, client_places::place place, bool turn_away) {
  auto serial = next_serial_++;
  auto guest = std::make_shared<connection>(*this, serial, std::move(socket));
  guest->keep(std::move(place));
  connections_.emplace(serial, guest);
  if (sweeps_seldom_) {
    note_date();
    schedule_sweep();
  }
  guest->start(turn_away);
}

void worker::forget(uint64_t serial) {
  if (connections_.erase(serial) > 0)
    parts_.connections.fetch_sub(1);
}

void worker::deliver(uint64_t serial, client_result result) {
  auto found = connections_.find(serial);
  if (found == connections_.end())
    return;
  auto waiting = found->second; // the reply may end the connection
  waiting->resume(std::move(result));
}

bool worker::check_token(uint64_t serial, std::string_view token, const ip_address& from) {
  return parts_.tokens->check(std::string{token}, from, [this, serial](grant_ptr rights) {
    boost::asio::post(context, [this, serial, rights = std::move(rights)]() mutable {
      if (auto found = connections_.find(serial); found != connections_.end()) {
        auto waiting = found->second;
        waiting->resume(std::move(rights));
      }
    });
  });
}

void worker::ask(uint64_t serial, client_message message) {
  parts_.ask(static_cast<uint64_t>(number_) << 48 | serial, std::move(message));
}

void worker::drain() {
  draining_ = true;
  auto all = connections_;
  for (auto& [serial, guest] : all)
    guest->drain();
}

void worker::close_all() {
  auto all = connections_;
  for (auto& [serial, guest] : all)
    guest->close();
  timer_.cancel();
}

// -- time -------------------------------------------------------------------------------------------------------------

void worker::schedule_sweep() {
  sweeps_seldom_ = connections_.empty() && samples_.empty();
  timer_.expires_after(sweeps_seldom_ ? idle_sweep : sweep_interval(parts_));
  timer_.async_wait([this](const boost::system::error_code& fault) {
    if (fault)
      return;
    try {
      sweep();
    } catch (const std::exception& problem) {
      log::error("http", "sweep-threw", {{"what", problem.what()}});
    }
    schedule_sweep(); // whatever happens: without it no deadline holds
  });
}

void worker::sweep() {
  auto now = std::chrono::steady_clock::now();
  note_date();
  std::vector<std::shared_ptr<connection>> late;
  for (auto& [serial, guest] : connections_)
    if (guest->is_late(now))
      late.push_back(guest);
  for (auto& guest : late)
    guest->time_out();
  auto most = std::max<duration::rep>(1, most_learned * sweep_interval(parts_).count() / 1000);
  each_counts_ = std::max(1u, std::exchange(anonymous_, 0) / static_cast<uint32_t>(most));
  if (now - handed_over_ >= parts_.node->config.sample_every)
    hand_over_samples();
  if (number_ == 0 && now >= told_of_expiry_)
    tell_of_expiry(now);
}

void worker::tell_of_expiry(std::chrono::steady_clock::time_point now) {
  if (security_->credentials && warn_of_expiry("http", *security_->credentials))
    told_of_expiry_ = now + tell_every;
  else
    told_of_expiry_ = now + std::chrono::minutes{1};
}

// -- hits -------------------------------------------------------------------------------------------------------------

std::shared_ptr<const index_entry> worker::current(std::string_view id, std::string_view user,
                                                   const version_vector& seen) {
  auto& node = *parts_.node;
  auto entry = index_hit(node, id, seen);
  if (entry) {
    node.counters.reads_local.fetch_add(1, std::memory_order_relaxed);
    count_access(id, user, node.time->now());
  }
  return entry;
}

bool worker::is_absent(const read_item& request) {
  auto& node = *parts_.node;
  auto absent = request.takes_absence() && node.nobody_holds(request.id);
  if (absent)
    node.counters.reads_absent.fetch_add(1, std::memory_order_relaxed);
  return absent;
}

/// Of more reads than the agent should hear of, every nth counts n times: counts stay right in the mean. Those of a
/// user are told one by one, because their order is learned.
void worker::count_access(std::string_view id, std::string_view user, timestamp now) {
  uint32_t weight = 1;
  if (user.empty()) {
    if (++anonymous_ % each_counts_ != 0)
      return;
    weight = each_counts_;
  }
  sample_key_.assign(id).push_back('\0');
  sample_key_.append(user);
  auto known = samples_.find(sample_key_);
  if (known != samples_.end()) {
    known->second.at = now;
    known->second.count += weight;
    return;
  }
  samples_.emplace(
      sample_key_,
      access_sample{.id = std::string{id}, .user = std::string{user}, .at = now, .count = weight, .from_index = true});
  if (samples_.size() >= max_samples)
    hand_over_samples();
}

void worker::hand_over_samples() {
  handed_over_ = std::chrono::steady_clock::now();
  if (samples_.empty())
    return;
  access_batch batch;
  batch.samples.reserve(samples_.size());
  for (auto& [key, sample] : samples_)
    batch.samples.push_back(std::move(sample));
  samples_.clear();
  if (auto agent = parts_.node->handles.get()->agent)
    caf::anon_send(agent, std::move(batch));
}

} // namespace gnomon::http
