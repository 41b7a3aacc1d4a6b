#pragma once

#include "gnomon/later.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/tally.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace gnomon::shell {

/// One request of many. `name` identifies it in complaints. `share` is the part of the work that is done once it is
/// answered.
struct work_item {
  std::string name;
  uint64_t bytes = 0;
  double share = -1; // 0 to 1, negative when the whole is not known
  std::string in_order_of =
      {}; // requests with the same text here are under way one after the other; empty: in any order
};

/// Keeps requests under way: as many at once as the caller chose, and no more bytes than fit, but always at least one.
/// Answers are taken in the order of the requests. The tally counts and names failed requests.
template <class Outcome>
class request_window {
public:
  /// Called once for each request. Without an outcome the request failed. An exception of it ends `run`.
  using settled = std::function<void(const work_item&, std::optional<Outcome>)>;

  request_window(tally& counts, size_t most, settled then) : tally_(counts), most_(most), then_(std::move(then)) {}

  /// Does `work`, which begins requests, and waits for all of them, even when the work fails. `whole` is called last
  /// when nothing went wrong. Returns why not everything was done; empty when it was. Throws nothing.
  std::string run(const std::function<void()>& work, const std::function<void()>& whole = {}) {
    guard_.emplace();
    std::string stopped;
    auto attempt = [&](const std::function<void()>& step) {
      try {
        step();
      } catch (const std::exception& e) {
        if (stopped.empty())
          stopped = e.what();
      }
    };
    attempt(work);
    attempt([this] { settle_all(); });
    under_way_.clear();
    if (stopped.empty() && interrupted())
      stopped = "interrupted";
    if (stopped.empty() && whole)
      attempt(whole);
    guard_.reset();
    return stopped;
  }

  /// Within `run`: the user wants to end it.
  bool interrupted() const {
    return guard_ && guard_->interrupted();
  }

  /// Waits until there is room, and for the request of the same order. Then begins a request with `start`, which
  /// returns the answer to come. False: the request was refused before it was sent, and has failed.
  template <class Start>
  bool begin(work_item what, Start start) {
    while (!idle() && (under_way_.size() >= most_ || bytes_ + what.bytes > max_bytes || awaits(what.in_order_of)))
      settle_one();
    try {
      under_way_.push_back({what, start()});
      bytes_ += what.bytes;
      return true;
    } catch (const failure& e) {
      tally_.bad(what.name, e);
      then_(what, {});
      return false;
    }
  }

  /// Asks for each item that the node holds and whose id begins with `prefix`, with `deleted` also for tombstones,
  /// until the user interrupts. `ask` begins the request for an id.
  template <class Ask>
  void walk(client& node, const std::string& prefix, bool deleted, Ask ask) {
    const double expected = prefix.empty() ? static_cast<double>(self_of(node.cluster()).items) : 0;
    double begun = 0;
    std::string after;
    for (bool more = true; more;) {
      auto page = node.list(prefix, after, 1000, deleted);
      for (const auto& entry : page.items) {
        if (interrupted())
          return;
        const double share = expected > 0 ? std::min(++begun / expected, 1.0) : -1; // items may come meanwhile
        begin({entry.id, entry.bytes, share}, [&] { return ask(entry.id); });
      }
      more = page.more && !page.items.empty();
      if (more)
        after = page.items.back().id;
    }
  }

  void settle_all() {
    while (!idle())
      settle_one();
  }
  bool idle() const {
    return under_way_.empty();
  }

private:
  static constexpr uint64_t max_bytes = 64u << 20; // large values must not fill the memory

  struct request {
    work_item what;
    later<Outcome> outcome;
  };

  bool awaits(const std::string& order) const {
    return !order.empty() && std::any_of(under_way_.begin(), under_way_.end(), [&](const request& r) {
      return r.what.in_order_of == order;
    });
  }

  void settle_one() {
    auto oldest = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_ -= oldest.what.bytes;
    std::optional<Outcome> outcome;
    try {
      outcome = oldest.outcome.get();
    } catch (const failure& e) {
      tally_.bad(oldest.what.name, e);
    }
    then_(oldest.what, std::move(outcome));
    tally_.show(oldest.what.share);
  }

  tally& tally_;
  size_t most_;
  settled then_;
  std::optional<interrupt_guard> guard_;
  std::deque<request> under_way_;
  uint64_t bytes_ = 0;
};

} // namespace gnomon::shell
