#include "runtime/replay/balances.hpp"

#include "runtime/base/percent.hpp"
#include "runtime/base/strict_json.hpp"

#include <algorithm>
#include <numeric>

namespace gnomon::replay {

using namespace std::chrono_literals;

namespace {

constexpr auto asking_bound = 60s;

std::vector<size_t> most_read(const trace& reads, size_t most) {
  auto counts = reads.reads_by_item();
  std::vector<size_t> items(counts.size());
  std::iota(items.begin(), items.end(), size_t{0});
  std::stable_sort(items.begin(), items.end(), [&](auto a, auto b) { return counts[a] > counts[b]; });
  items.resize(std::min(items.size(), most));
  return items;
}

/// Keeps as many questions open as allowed until all are answered.
class asker {
public:
  asker(event_loop& loop, const load_plan& plan, size_t most)
      : plan_(plan), client_(loop.io(), plan.targets[plan.origin].api, plan.timeout),
        items_(most_read(*plan.reads, most)) {}

  expected<std::vector<item_balance>> run(event_loop& loop) {
    pump();
    if (auto wrong = loop.run_until([this] { return next_ == items_.size() && open_ == 0; }, asking_bound))
      return wrong;
    return std::move(result_);
  }

private:
  void pump() {
    while (open_ < open_requests && next_ < items_.size())
      ask(items_[next_++]);
  }

  void ask(size_t item) {
    http_request request;
    request.target = "/shadow/status?data_id=" + percent_encode(plan_.reads->items[item]);
    ++open_;
    client_.send(std::move(request), [this, item](const expected<http_response>& answer) {
      --open_;
      if (answer && answer->status == 200) {
        result_.push_back(balance_in(answer->body, plan_.targets[plan_.origin].region.name));
        result_.back().item = item;
      }
      pump();
    });
  }

  const load_plan& plan_;
  http_client client_;
  std::vector<size_t> items_;
  size_t next_ = 0, open_ = 0;
  std::vector<item_balance> result_;
};

} // namespace

item_balance balance_in(const std::string& status, std::string_view origin) {
  item_balance sum;
  const auto answer = parse_strict_json(status);
  if (!answer.good() || !answer.document.is_object() || !answer.document.contains("copies"))
    return sum;
  for (const auto& copy : answer.document["copies"])
    if (copy.is_object() && copy.value("region", "") != origin) {
      sum.saved_usd += copy.value("saved_usd", 0.0);
      sum.spent_usd += copy.value("spent_usd", 0.0);
    }
  return sum;
}

expected<std::vector<item_balance>> ask_balances(event_loop& loop, const load_plan& plan, size_t most) {
  return asker{loop, plan, most}.run(loop);
}

} // namespace gnomon::replay
