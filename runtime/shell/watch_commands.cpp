#include "gnomon/watch.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/times.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace gnomon::shell {

namespace {

using namespace std::chrono_literals;

/// Changes on their way from the watching actor to the thread that prints them. There is room for a thousand.
class news_queue {
public:
  /// Waits for room.
  void push(const change& news) {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return news_.size() < 1000 || closed_; });
    news_.push_back(news);
    changed_.notify_all();
  }
  std::deque<change> take(std::chrono::milliseconds bound) {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, bound, [this] { return !news_.empty(); });
    changed_.notify_all();
    return std::exchange(news_, {});
  }
  void close() {
    std::lock_guard guard{mutex_};
    closed_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<change> news_;
  bool closed_ = false;
};

timestamp timestamp_of(const change& news) {
  return timestamp{duration{news.at_ms}};
}

watcher_actor::behavior_type listener(watcher_actor::pointer, std::shared_ptr<news_queue> queue) {
  return {[queue](const change& news) { queue->push(news); }};
}

bool is_bad_news(const change& news) {
  return news.kind == "deleted" || news.kind == "expired" || news.kind == "gap" || news.kind == "node-down"
         || news.kind == "node-stale";
}

void print_json(session_context& context, const change& news) {
  nlohmann::ordered_json line{{"time", rfc3339(timestamp_of(news))}, {"event", news.kind}};
  if (!news.id.empty())
    line["id"] = news.id;
  if (!news.etag.empty())
    line.update({{"etag", news.etag}, {"context", news.context}, {"missed", news.missed}});
  line["position"] = news.position;
  if (news.has_value) {
    line["content_type"] = news.content_type;
    add_value(line, news.value);
  }
  context.print_line(line);
}

void print(session_context& context, const change& news) {
  if (context.json) {
    print_json(context, news);
  } else {
    auto& out = context.to.out;
    out << fmt::format("{}  {}  {}  {}", rfc3339(timestamp_of(news)),
                       context.to.paint(is_bad_news(news) ? style::warning : style::good, news.kind),
                       printable(news.id), printable(news.etag));
    if (news.missed > 0)
      out << fmt::format("  and {} before it", news.missed);
    if (news.kind == "gap")
      out << "changes may have been missed; what there is now follows";
    if (news.has_value)
      out << "  " << (is_utf8(news.value) ? printable(news.value) : fmt::format("({} bytes)", news.value.size()));
    out << '\n';
  }
  context.to.out << std::flush;
}

watched what_of(const arguments& args) {
  if (args.has("--cluster") + args.has("--prefix") + args.positional.size() != 1)
    throw usage_error{"say what to watch: an ID, --prefix PREFIX, or --cluster"};
  if (args.has("--cluster"))
    return the_cluster();
  return args.has("--prefix") ? items_below(args.get("--prefix")) : the_item(args.positional[0]);
}

int watch_changes(session_context& context, const arguments& args) {
  auto what = what_of(args);
  auto& node = context.node();
  auto queue = std::make_shared<news_queue>();
  auto watcher = node.system().spawn<caf::detached>(listener, queue); // it waits while output does
  watch(node, what, watcher,
        {.present = !args.has("--new"), .values = args.has("--values"), .after = args.get("--after")});
  if (context.to.err_is_tty)
    context.to.err << "watching; Ctrl-C ends it\n";
  auto left = args.has("--count") ? parse_count(args.get("--count"), "--count", 1, UINT64_MAX) : UINT64_MAX;
  interrupt_guard guard;
  while (left > 0 && !guard.interrupted() && !context.to.reader_gone())
    for (auto& news : queue->take(100ms)) {
      print(context, news);
      if (--left == 0)
        break;
    }
  unwatch(node, what, watcher);
  queue->close();
  caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
  return done;
}

command watch_command() {
  return {
      .name = "watch",
      .synopsis = "[ID]",
      .summary = "print changes as they happen at any node, until Ctrl-C",
      .details = "  Begins with what there is (present). Each write is told once: written, deleted or expired. A gap\n"
                 "  means that changes may have been missed, because nodes were cut off or started anew; what there\n"
                 "  is follows it. Of the cluster: node-up, node-down, node-fresh, node-stale, policy, model.\n",
      .options = {{"--prefix", "PREFIX", "watch all items whose ids begin with PREFIX, in place of one ID"},
                  {"--cluster", "", "watch the nodes, policies and models, in place of one ID"},
                  {"--new", "", "begin with the next change"},
                  {"--after", "POSITION", "go on behind the change with that position (see --json)"},
                  {"--values", "", "print values as well, as far as they were not replaced yet"},
                  {"--count", "N", "end after that many changes"}},
      .least = 0,
      .most = 1,
      .offers = {offer::ids},
      .run = watch_changes,
  };
}

} // namespace

std::vector<command> watch_commands() {
  return {watch_command()};
}

} // namespace gnomon::shell
