#include "runtime/replay/path_by_name.hpp"

#include "runtime/base/label.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace {

constexpr size_t most_remembered = 200'000;

} // namespace

/// One request on its way.
struct path_by_name::errand {
  size_t home = 0;
  std::string item;
  http_request request;
  callback answer;
  std::vector<service_record> services;
  size_t without_address = 0;  // the next record to find an address for
  std::vector<size_t> regions; // the targets that the records name
  size_t tried = 0;            // how many of them have been asked

  size_t current() const {
    return regions.empty() ? home : regions[std::min(tried, regions.size() - 1)];
  }
};

path_by_name::path_by_name(event_loop& loop, const load_plan& plan, const host_port& resolver, std::string zone,
                           const round_trips& distances)
    : loop_(loop), targets_(plan.targets), zone_(std::move(zone)), resolver_(loop.io(), resolver) {
  for (const auto& from : targets_) {
    clients_.push_back(std::make_unique<http_client>(loop.io(), from.api, plan.timeout));
    auto& row = distances_ms_.emplace_back();
    for (const auto& to : targets_)
      row.push_back(distances.between(from.region.name, to.region.name));
  }
  figures_.by_nearest.resize(targets_.size());
}

path_by_name::~path_by_name() = default;

void path_by_name::send(size_t home, const std::string& item, http_request request, callback answer) {
  auto client = clients_of(home);
  client.back() = '7'; // an address of that network
  request.headers.emplace_back("X-Forwarded-For", std::move(client));
  auto work = std::make_shared<errand>();
  work->home = home;
  work->item = item;
  work->request = std::move(request);
  work->answer = std::move(answer);
  look_up_item(work);
}

// -- names ------------------------------------------------------------------------------------------------------------

void path_by_name::find(size_t home, const std::string& name, bool services, found then) {
  auto key = fmt::format("{} {} {}", home, services ? "SVCB" : "A", name);
  if (auto known = memory_.find(key); known != memory_.end() && steady::now() < known->second.until) {
    ++figures_.remembered;
    return boost::asio::post(loop_.io(), [then = std::move(then), answer = known->second.answer] { then(answer); });
  }
  ++figures_.lookups;
  resolver_.ask({name, services, clients_of(home), 16},
                [this, key, then = std::move(then)](const expected<dns_answer>& answer) {
                  if (answer)
                    keep(key, *answer);
                  then(answer);
                });
}

void path_by_name::keep(const std::string& key, const dns_answer& answer) {
  auto now = steady::now();
  if (memory_.size() >= most_remembered)
    std::erase_if(memory_, [now](const auto& entry) { return entry.second.until <= now; });
  if (answer.ttl.count() > 0 && memory_.size() < most_remembered)
    memory_[key] = {now + answer.ttl, answer};
  if (answer.exists)
    figures_.longest_ttl = std::max(figures_.longest_ttl, answer.ttl);
}

void path_by_name::look_up_item(const std::shared_ptr<errand>& work) {
  find(work->home, label_of(work->item) + '.' + zone_, true,
       [this, work, alive = std::weak_ptr{alive_}](const expected<dns_answer>& answer) {
         if (alive.expired())
           return;
         if (!answer)
           return work->answer(answer.error(), work->current());
         if (!answer->services.empty())
           return take(work, *answer);
         ++figures_.unknown;
         look_up_zone(work);
       });
}

void path_by_name::look_up_zone(const std::shared_ptr<errand>& work) {
  find(work->home, zone_, true, [this, work, alive = std::weak_ptr{alive_}](const expected<dns_answer>& answer) {
    if (alive.expired())
      return;
    if (!answer)
      return work->answer(answer.error(), work->current());
    take(work, *answer);
  });
}

void path_by_name::take(const std::shared_ptr<errand>& work, const dns_answer& answer) {
  work->services = answer.services;
  find_address(work);
}

/// Records come without hints when an answer would be too long: then the host's own address has to be asked for.
void path_by_name::find_address(const std::shared_ptr<errand>& work) {
  auto& services = work->services;
  auto& next = work->without_address;
  while (next < services.size() && !services[next].address.empty())
    ++next;
  if (next == services.size())
    return named(work);
  find(work->home, services[next].host, false,
       [this, work, alive = std::weak_ptr{alive_}](const expected<dns_answer>& answer) {
         if (alive.expired())
           return;
         if (answer && !answer->addresses.empty())
           work->services[work->without_address].address = answer->addresses.front();
         ++work->without_address;
         find_address(work);
       });
}

void path_by_name::named(const std::shared_ptr<errand>& work) {
  for (const auto& service : work->services)
    for (size_t i = 0; i < targets_.size(); ++i)
      if (targets_[i].api == host_port{service.address, service.port})
        work->regions.push_back(i);
  if (work->regions.empty())
    return work->answer(make_error(ec::not_found, "no node has the address that is named for " + work->item),
                        work->home);
  if (listener_)
    listener_(work->home, work->regions);
  attempt(work);
}

// -- requests ---------------------------------------------------------------------------------------------------------

void path_by_name::attempt(const std::shared_ptr<errand>& work) {
  auto to = work->regions[work->tried];
  after(std::chrono::duration<double, std::milli>{distances_ms_[work->home][to] / 2}, [this, work, to] {
    clients_[to]->send(work->request, [this, work, to](const expected<http_response>& got) {
      after(std::chrono::duration<double, std::milli>{distances_ms_[work->home][to] / 2},
            [this, work, got] { answered(work, got); });
    });
  });
}

void path_by_name::answered(const std::shared_ptr<errand>& work, const expected<http_response>& answer) {
  if (!answer && work->tried + 1 < work->regions.size()) {
    ++work->tried;
    ++figures_.next_record;
    return attempt(work);
  }
  auto from = work->current();
  const auto& row = distances_ms_[work->home];
  auto nearer = std::count_if(row.begin(), row.end(), [&](double ms) { return ms < row[from]; });
  if (answer)
    ++figures_.by_nearest[static_cast<size_t>(nearer)];
  work->answer(answer, from);
}

void path_by_name::after(std::chrono::duration<double, std::milli> time, std::function<void()> then) {
  if (time.count() <= 0)
    return then();
  auto timer = std::make_shared<boost::asio::steady_timer>(loop_.io());
  timer->expires_after(std::chrono::duration_cast<steady::duration>(time));
  timer->async_wait([timer, then = std::move(then), alive = std::weak_ptr{alive_}](const auto& failure) {
    if (!failure && !alive.expired())
      then();
  });
}

} // namespace gnomon::replay
