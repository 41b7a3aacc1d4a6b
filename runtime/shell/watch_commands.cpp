#include "gnomon/watch.hpp"

#include "runtime/base/times.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"

#include <caf/actor_system.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace gnomon::shell {

namespace {

using namespace std::chrono_literals;

/// Changes on their way from the watching actor to the thread that prints them.
class news_queue {
public:
  void push(const item_changed& news) {
    std::lock_guard guard{mutex_};
    news_.push_back(news);
    arrived_.notify_one();
  }
  std::deque<item_changed> take(std::chrono::milliseconds bound) {
    std::unique_lock guard{mutex_};
    arrived_.wait_for(guard, bound, [this] { return !news_.empty(); });
    return std::exchange(news_, {});
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<item_changed> news_;
};

item_watcher_actor::behavior_type listener(item_watcher_actor::pointer, std::shared_ptr<news_queue> queue) {
  return {[queue](const item_changed& news) { queue->push(news); }};
}

void print(session_context& context, const item_changed& news) {
  auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  auto what = news.dropped ? "dropped" : news.deleted ? "deleted" : "changed";
  if (context.json)
    context.print_line(
        {{"time", rfc3339(now)}, {"id", news.id}, {"event", what}, {"etag", news.etag}, {"context", news.context}});
  else
    context.to.out << fmt::format("{}  {}  {}  {}\n", rfc3339(now),
                                  context.to.paint(news.deleted || news.dropped ? style::warning : style::good, what),
                                  printable(news.id), printable(news.etag));
  context.to.out << std::flush;
}

int watch_item(session_context& context, const arguments& args) {
  auto& id = args.positional[0];
  auto& node = context.node();
  auto queue = std::make_shared<news_queue>();
  auto watcher = node.system().spawn(listener, queue);
  watch(node, id, watcher);
  if (context.to.err_is_tty)
    context.to.err << "watching " << printable(id) << "; Ctrl-C ends it\n";
  auto left = args.has("--count") ? parse_count(args.get("--count"), "--count", 1, UINT64_MAX) : UINT64_MAX;
  interrupt_guard guard;
  while (left > 0 && !guard.interrupted() && !context.to.reader_gone())
    for (auto& news : queue->take(100ms)) {
      print(context, news);
      if (--left == 0)
        break;
    }
  unwatch(node, id, watcher);
  return done;
}

command watch_command() {
  return {
      .name = "watch",
      .synopsis = "ID",
      .summary = "print an item's changes as they happen, until Ctrl-C",
      .details = "  dropped means that this node no longer keeps a copy; the item may live on elsewhere.\n",
      .options = {{"--count", "N", "end after that many changes"}},
      .least = 1,
      .most = 1,
      .offers = {offer::ids},
      .run = watch_item,
  };
}

} // namespace

std::vector<command> watch_commands() {
  return {watch_command()};
}

} // namespace gnomon::shell
