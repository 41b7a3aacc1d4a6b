#include "runtime/client/system_config.hpp"

#include "actors/messages/protocol.hpp"
#include "gnomon/actors.hpp"
#include "runtime/net/unix_middleman.hpp"

#include <caf/atom.hpp>
#include <caf/thread_hook.hpp>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <thread>

namespace gnomon {

namespace {

static_assert(caf::id_block::gnomon::end <= first_api_type_id && caf::id_block::gnomon_api::end <= first_app_type_id);

constexpr std::string_view scheduler_name = "caf.multiplexer"; // CAF's name for each thread of its scheduler

thread_local bool of_scheduler = false;

class new_threads final : public caf::thread_hook {
public:
  new_threads(size_t workers, log::output_ptr lines) : workers_(workers), lines_(std::move(lines)) {}
  void init(caf::actor_system&) override {}
  void thread_terminates() override {
    log::use(nullptr);
  }
  /// The scheduler's threads are the first of that name. A detached actor's thread inherits the name of the thread that
  /// spawned it.
  void thread_started() override {
    log::use(lines_);
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    of_scheduler = std::string_view{name.data()} == scheduler_name && begun_.fetch_add(1) < workers_;
  }

private:
  const size_t workers_;
  const log::output_ptr lines_;
  std::atomic<size_t> begun_{0};
};

} // namespace

system_config::system_config(size_t threads, log::output_ptr lines, const system_preparation& prepare) {
  auto workers = threads > 0 ? threads : std::max<size_t>(std::thread::hardware_concurrency(), 2);
  register_messages(*this);
  add_message_types<caf::id_block::gnomon_api>();
  load_middleman(*this);
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", workers);
  if (prepare)
    prepare(*this);
  add_thread_hook<new_threads>(workers, std::move(lines));
}

bool on_scheduler_thread() {
  return of_scheduler;
}

} // namespace gnomon
