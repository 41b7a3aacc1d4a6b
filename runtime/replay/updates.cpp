#include "runtime/replay/updates.hpp"

#include "runtime/base/percent.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

using steady = std::chrono::steady_clock;

update_sender::update_sender(event_loop& loop, const load_plan& plan)
    : plan_(plan), client_(loop.io(), plan.targets[plan.origin].api, plan.timeout), timer_(loop.io()),
      items_(plan.reads->items.size()) {
  for (size_t item = 0; item < plan.contexts.size(); ++item)
    items_[item].context = plan.contexts[item];
}

void update_sender::start(steady::time_point first_read) {
  started_ = first_read;
  pump();
}

void update_sender::pump() {
  const auto& updates = plan_.reads->updates;
  for (; next_ < updates.size(); ++next_) {
    if (const auto time = plan_.due(updates[next_].t, started_); time > steady::now()) {
      timer_.expires_at(time);
      timer_.async_wait([this, alive = std::weak_ptr{alive_}](const boost::system::error_code& failure) {
        if (!failure && !alive.expired())
          pump();
      });
      return;
    }
    update(updates[next_].item);
  }
}

void update_sender::update(size_t item) {
  auto& known = items_[item];
  if (known.context.empty())
    return;
  if (known.open) {
    ++known.waiting;
    return;
  }
  const auto& id = plan_.reads->items[item];
  http_request request;
  request.method = "PUT";
  request.target = "/data/" + percent_encode(id);
  request.body = content_of(id, plan_.bytes_of(item));
  request.headers = {{"Content-Type", "application/octet-stream"}, {"Gnomon-Context", known.context}};
  known.open = true;
  ++open_;
  ++sent_;
  client_.send(std::move(request), [this, item](const expected<http_response>& answer) {
    --open_;
    take(item, answer);
  });
}

void update_sender::take(size_t item, const expected<http_response>& answer) {
  constexpr size_t failures_kept = 5;
  auto& known = items_[item];
  known.open = false;
  if (answer && answer->status == 204)
    known.context = answer->header("gnomon-context");
  else if (failures_.size() < failures_kept)
    failures_.push_back(fmt::format("updating {}: {}", plan_.reads->items[item], described(answer)));
  if (known.waiting > 0) {
    --known.waiting;
    update(item);
  }
}

} // namespace gnomon::replay
