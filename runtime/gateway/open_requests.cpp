#include "runtime/gateway/open_requests.hpp"

#include <caf/send.hpp>

namespace gnomon::http {

namespace {

caf::error restarting() {
  return make_error(ec::unavailable, "the part of the node that takes requests is being restarted; try again");
}

} // namespace

void open_requests::serve_with(const gateway_actor& next) {
  {
    std::lock_guard lock{mutex_};
    gateway_ = next;
    served_.notify_all();
  }
  caf::actor_cast<caf::actor>(next)->attach_functor([weak = weak_from_this(), id = next.id()] {
    if (auto self = weak.lock())
      self->fail_all_of(id);
  });
}

bool open_requests::wait_for_gateway(std::chrono::milliseconds bound) {
  std::unique_lock lock{mutex_};
  return served_.wait_for(lock, bound, [this] { return bool{gateway_}; });
}

gateway_actor open_requests::gateway() const {
  std::lock_guard lock{mutex_};
  return gateway_;
}

void open_requests::ask(uint64_t token, client_message message) {
  gateway_actor to;
  {
    std::lock_guard lock{mutex_};
    to = gateway_;
    if (to)
      waiting_.emplace(token, to.id());
  }
  if (!to)
    return deliver_(token, restarting());
  std::visit([&](auto& one) { caf::anon_send(to, token, std::move(one)); }, message);
}

void open_requests::answer(uint64_t token, client_result result) {
  {
    std::lock_guard lock{mutex_};
    if (waiting_.erase(token) == 0)
      return; // it has heard of a restart
  }
  deliver_(token, std::move(result));
}

void open_requests::fail_all_of(caf::actor_id ended) {
  std::vector<uint64_t> left;
  {
    std::lock_guard lock{mutex_};
    if (gateway_ && gateway_.id() == ended)
      gateway_ = nullptr;
    std::erase_if(waiting_, [&](const auto& entry) {
      if (entry.second == ended)
        left.push_back(entry.first);
      return entry.second == ended;
    });
  }
  for (auto token : left)
    deliver_(token, restarting());
}

} // namespace gnomon::http
