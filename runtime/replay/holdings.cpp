#include "runtime/replay/holdings.hpp"

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto rhythm = 500ms;
constexpr auto answer_bound = 5s;

} // namespace

holdings_meter::holdings_meter(event_loop& loop, const std::vector<api_address>& nodes)
    : timer_(loop.io()), nodes_(nodes.size()) {
  for (size_t k = 0; k < nodes.size(); ++k)
    nodes_[k].client = std::make_unique<http_client>(loop.io(), nodes[k], answer_bound);
  strong();
}

std::vector<held> holdings_meter::mean() const {
  std::vector<held> result;
  for (const auto& node : nodes_) {
    const double answers = static_cast<double>(std::max<uint64_t>(node.answers, 1));
    result.push_back({node.sum.items / answers, node.sum.bytes / answers});
  }
  return result;
}

void holdings_meter::strong() {
  for (auto& node : nodes_) {
    if (std::exchange(node.open, true))
      continue; // it is late with the last answer
    http_request request;
    request.target = "/metrics";
    node.client->send(std::move(request), [&node](const expected<http_response>& answer) {
      node.open = false;
      if (!answer || answer->status != 200)
        return;
      const auto now = held_in(answer->body);
      node.sum.items += now.items;
      node.sum.bytes += now.bytes;
      ++node.answers;
    });
  }
  timer_.expires_after(rhythm);
  timer_.async_wait([this, alive = std::weak_ptr{alive_}](const boost::system::error_code& failure) {
    if (!failure && !alive.expired())
      strong();
  });
}

} // namespace gnomon::replay
