#include "runtime/client/system_config.hpp"

#include "actors/messages/protocol.hpp"
#include "gnomon/actors.hpp"
#include "runtime/net/unix_middleman.hpp"

#include <caf/atom.hpp>
#include <caf/thread_hook.hpp>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>

namespace gnomon {

namespace {

static_assert(caf::id_block::gnomon::end <= first_api_type_id && caf::id_block::gnomon_api::end <= first_app_type_id);

constexpr std::string_view new_worker = "caf.multiplexer"; // CAF's name for a thread of its scheduler that begins
constexpr const char* known_worker = "gnomon.worker";

thread_local bool of_scheduler = false;

class new_threads final : public caf::thread_hook {
public:
  explicit new_threads(log::output_ptr lines) : lines_(std::move(lines)) {}
  void init(caf::actor_system&) override {}
  void thread_terminates() override {
    log::use(nullptr);
  }
  /// A detached actor's thread inherits the name of the thread that spawned it: a worker takes another than CAF's.
  void thread_started() override {
    log::use(lines_);
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    of_scheduler = name.data() == new_worker;
    if (of_scheduler)
      pthread_setname_np(pthread_self(), known_worker);
  }

private:
  const log::output_ptr lines_;
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
  add_thread_hook<new_threads>(std::move(lines));
}

bool on_scheduler_thread() {
  return of_scheduler;
}

} // namespace gnomon
