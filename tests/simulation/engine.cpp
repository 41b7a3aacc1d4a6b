#include "tests/simulation/engine.hpp"

#include "actors/messages/protocol.hpp"

#include <algorithm>
#include <cstring>

namespace gnomon::simulation {

namespace {

struct engine_config : caf::actor_system_config {
  engine_config() {
    register_messages(*this);
    set("scheduler.policy", caf::atom("testing"));
    set("logger.verbosity", caf::atom("quiet"));
  }
};

/// Nothing else is ever scheduled here.
caf::scheduled_actor* actor_of(caf::resumable* run) {
  return static_cast<caf::scheduled_actor*>(run);
}

} // namespace

engine::engine(uint64_t seed)
    : config_(std::make_unique<engine_config>()), system_(std::make_unique<caf::actor_system>(*config_)),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler())), order_(seed) {
  scheduler_->clock().current_time += std::chrono::hours{1}; // zero times mean "never" to some
  asker_handle_ = system_->spawn([this](caf::event_based_actor* self) -> caf::behavior {
    asker_ = self;
    self->set_exception_handler([](std::exception_ptr& thrown) -> caf::error { std::rethrow_exception(thrown); });
    return {[](tick_a) {}};
  });
  claim(outside);
  run_until(now_);
}

engine::~engine() {
  stop();
}

void engine::stop() {
  for (auto& [owner, all] : owners_)
    all.frozen = false;
  std::vector<int> names;
  for (auto& [owner, all] : owners_)
    names.push_back(owner);
  for (auto owner : names)
    kill(owner);
  asker_handle_ = nullptr;
  events_ = {};
  scheduler_->clock().cancel_all();
  system_->await_actors_before_shutdown(false);
}

void engine::at(moment when, std::function<void()> what) {
  events_.push({std::max(when, now_), next_event_++, std::move(what)});
}

/// What was spawned since the last call belongs to `owner`.
void engine::claim(int owner) {
  actors_.resize(static_cast<size_t>(system_->latest_actor_id()) + 1, {owner, false, false, false});
}

void engine::as(int owner, const std::function<void()>& f) {
  claim(outside);
  f();
  claim(owner);
  collect();
}

void engine::note(uint64_t fact) {
  trace_ = (trace_ ^ fact) * 0x9E3779B97F4A7C15ull;
  trace_ ^= trace_ >> 29;
}

/// Takes over what CAF's scheduler wants to run.
void engine::collect() {
  auto& jobs = scheduler_->jobs;
  while (!jobs.empty()) {
    auto run = jobs.front();
    jobs.pop_front();
    take_in({run, actor_of(run)->id()});
  }
}

void engine::take_in(job j) {
  auto& known = actors_[j.id];
  auto& owner = owners_[known.owner];
  if (!known.seen) {
    auto self = actor_of(j.run);
    known.seen = true;
    known.store = std::strcmp(self->name(), "store") == 0;
    owner.actors.emplace(j.id, self->address());
  }
  if (owner.frozen || owner.dying) {
    owner.parked.push_back(j);
  } else if (known.store && !known.open && owner.latency) {
    at_disk_.push_back(j);
    after(owner.latency(), [this, id = j.id] {
      auto i = std::find_if(at_disk_.begin(), at_disk_.end(), [id](const job& waiting) { return waiting.id == id; });
      if (i == at_disk_.end())
        return;
      auto done = *i;
      at_disk_.erase(i);
      actors_[id].open = true;
      take_in(done);
    });
  } else {
    ready_.push_back(j);
  }
}

void engine::run(job j) {
  auto owner = actors_[j.id].owner;
  auto self = actor_of(j.run);
  caf::strong_actor_ptr keep{self->ctrl()};
  scheduler_->jobs.push_back(j.run);
  scheduler_->try_run_once();
  self->context(nullptr); // what others do in its name must not meet the worker that is gone
  claim(owner);
  ++steps_;
  note(static_cast<uint64_t>(j.id) * 1'000'003u + static_cast<uint64_t>(now_.count()));
  auto goes_on = std::find(scheduler_->jobs.begin(), scheduler_->jobs.end(), j.run) != scheduler_->jobs.end();
  if (!goes_on)
    actors_[j.id].open = false;
  collect();
}

/// To the next thing that happens; false when it is not before `end`.
bool engine::advance(moment end) {
  auto& clock = scheduler_->clock();
  auto next = end;
  if (!events_.empty())
    next = std::min(next, events_.top().when);
  if (auto& timers = clock.schedule(); !timers.empty()) {
    auto left = timers.begin()->first - clock.now();
    auto rounded = std::chrono::ceil<moment>(left);
    next = std::min(next, now_ + std::max(rounded, moment{0}));
  }
  clock.advance_time(next - now_);
  now_ = next;
  collect();
  while (!events_.empty() && events_.top().when <= now_) {
    auto what = std::move(const_cast<event&>(events_.top()).what);
    events_.pop();
    what();
    claim(outside);
    collect();
  }
  return now_ < end;
}

void engine::run_until(moment end) {
  do {
    while (!ready_.empty()) {
      auto i = order_.below(ready_.size());
      auto next = ready_[i];
      ready_[i] = ready_.back();
      ready_.pop_back();
      run(next);
    }
  } while (advance(end) || !ready_.empty());
}

void engine::freeze(int owner) {
  auto& node = owners_[owner];
  node.frozen = true;
  auto its = [&](const job& j) { return actors_[j.id].owner == owner; };
  std::copy_if(ready_.begin(), ready_.end(), std::back_inserter(node.parked), its);
  std::erase_if(ready_, its);
}

void engine::thaw(int owner) {
  auto& node = owners_[owner];
  node.frozen = false;
  for (auto& j : std::exchange(node.parked, {}))
    take_in(j);
}

void engine::kill(int owner) {
  collect();
  auto& node = owners_[owner];
  node.dying = true;
  freeze(owner);
  auto its = [&](const job& j) { return actors_[j.id].owner == owner; };
  std::copy_if(at_disk_.begin(), at_disk_.end(), std::back_inserter(node.parked), its);
  std::erase_if(at_disk_, its);
  std::map<caf::actor_id, caf::actor_addr> told;
  auto tell = [&] {
    for (auto& [id, address] : node.actors)
      if (told.emplace(id, address).second)
        caf::anon_send_exit(address, caf::exit_reason::kill);
  };
  tell();
  collect();
  while (!node.parked.empty()) {
    auto next = node.parked.back();
    node.parked.pop_back();
    run(next);
    tell();
    collect();
  }
  node = owned{};
}

void engine::set_latency(int owner, std::function<moment()> of_store) {
  owners_[owner].latency = std::move(of_store);
}

void engine::finish_stores(int owner) {
  auto its = [&](const job& j) { return actors_[j.id].owner == owner; };
  std::vector<job> waiting;
  std::copy_if(at_disk_.begin(), at_disk_.end(), std::back_inserter(waiting), its);
  std::erase_if(at_disk_, its);
  for (auto& j : waiting) {
    actors_[j.id].open = true;
    ready_.push_back(j);
  }
  for (auto more = true; more;) {
    more = false;
    for (size_t i = 0; i < ready_.size() && !more; ++i)
      if (auto j = ready_[i]; its(j) && actors_[j.id].store) {
        ready_.erase(ready_.begin() + static_cast<ptrdiff_t>(i));
        run(j);
        more = true;
      }
  }
}

namespace {

bool lives(const caf::actor_addr& address) {
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(address);
  return actor && !actor->get()->getf(caf::abstract_actor::is_terminated_flag);
}

} // namespace

bool engine::fail_one(int owner, const std::vector<std::string>& names, dice& from) {
  std::vector<caf::actor_addr> candidates;
  for (auto& [id, address] : owners_[owner].actors)
    if (auto actor = caf::actor_cast<caf::strong_actor_ptr>(address); lives(address))
      if (auto name = dynamic_cast<caf::local_actor*>(actor->get())->name();
          std::find(names.begin(), names.end(), name) != names.end())
        candidates.push_back(address);
  if (candidates.empty())
    return false;
  caf::anon_send(caf::actor_cast<caf::actor>(from.one_of(candidates)), caf::exit_msg{{}, failure});
  return true;
}

size_t engine::alive(int owner) const {
  auto i = owners_.find(owner);
  if (i == owners_.end())
    return 0;
  auto& all = i->second.actors;
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](auto& entry) { return lives(entry.second); }));
}

std::string engine::names_alive(int owner) const {
  std::map<std::string, size_t> counted;
  if (auto i = owners_.find(owner); i != owners_.end())
    for (auto& [id, address] : i->second.actors)
      if (lives(address)) {
        auto actor = caf::actor_cast<caf::strong_actor_ptr>(address);
        ++counted[dynamic_cast<caf::local_actor*>(actor->get())->name()];
      }
  std::string text;
  for (auto& [name, count] : counted)
    text += " " + name + " " + std::to_string(count);
  return text;
}

} // namespace gnomon::simulation
