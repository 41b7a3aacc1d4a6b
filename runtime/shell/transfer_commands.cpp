#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/item_line.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/progress.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <deque>

namespace gnomon::shell {

namespace {

constexpr size_t max_line_bytes = 96u << 20; // a value of 64 MiB in base64, and room
constexpr size_t max_bytes_in_flight = 64u << 20;
constexpr size_t complaints_shown = 20;
constexpr size_t hopeless_after = 100; // failures in a row that say that the node is not there

const option_spec in_flight_option{"--in-flight", "N", "requests under way at once (default 64)"};

bool node_is_away(const failure& e) {
  return e.code() == ec::unavailable || e.code() == ec::timeout || e.code() == ec::peer_gone;
}

/// Counts, complaints and the progress line of one transfer.
class tally {
public:
  /// `summary`: where the closing JSON goes.
  tally(session_context& context, std::string verb, std::ostream& summary)
      : context_(context), verb_(std::move(verb)), summary_(summary), progress_(context.to) {}
  void good(size_t bytes) {
    ++facts_.items;
    facts_.bytes += bytes;
    in_a_row_ = 0;
  }
  void bad(const std::string& where, const std::string& why) {
    if (++facts_.failed > complaints_shown)
      return;
    progress_.clear();
    context_.to.err << fmt::format("{}: {}\n", printable(where), printable(why));
    if (facts_.failed == complaints_shown)
      context_.to.err << "further ones are only counted\n";
  }
  void away() {
    if (++in_a_row_ >= hopeless_after)
      throw failure{ec::unavailable,
                    fmt::format("{} requests in a row failed because the node is not there", in_a_row_)};
  }
  void show(double share) {
    facts_.share = share;
    progress_.show(facts_);
  }
  uint64_t items() const {
    return facts_.items;
  }
  /// Prints the closing line and answers the exit status. `stopped`: why not all was done; empty when all was.
  int finish(const std::string& stopped) {
    progress_.clear();
    auto seconds = std::max(progress_.elapsed().count() / 1000.0, 0.001);
    if (context_.json) {
      nlohmann::ordered_json sum{{"items", facts_.items},
                                 {"bytes", facts_.bytes},
                                 {"failed", facts_.failed},
                                 {"seconds", seconds},
                                 {"complete", stopped.empty()}};
      summary_ << sum.dump() << '\n';
    } else {
      context_.to.err << fmt::format("{} {} item{}, {}, in {} ({}/s)", verb_, human_count(facts_.items),
                                     facts_.items == 1 ? "" : "s", human_bytes(facts_.bytes),
                                     human_duration(progress_.elapsed()),
                                     human_count(static_cast<uint64_t>(facts_.items / seconds)));
      if (facts_.failed > 0)
        context_.to.err << fmt::format("; {} failed", human_count(facts_.failed));
      context_.to.err << '\n';
    }
    if (!stopped.empty())
      context_.to.err << "not complete: " << stopped << '\n';
    return facts_.failed == 0 && stopped.empty() ? done : failed;
  }

private:
  session_context& context_;
  std::string verb_;
  std::ostream& summary_;
  progress progress_;
  progress_facts facts_;
  size_t in_a_row_ = 0;
};

size_t window_from(const arguments& args) {
  return parse_count(args.get("--in-flight", "64"), "--in-flight", 1, 1024);
}

// -- import -----------------------------------------------------------------------------------------------------------

class importer {
public:
  importer(session_context& context, const arguments& args)
      : node_(context.patient_node()), tally_(context, "imported", context.to.out), window_(window_from(args)),
        reader_(args.positional[0], max_line_bytes) {}

  int run() {
    interrupt_guard guard;
    std::string stopped;
    try {
      while (!guard.interrupted() && reader_.next(line_))
        take_line();
      while (!under_way_.empty())
        settle_one();
      if (guard.interrupted())
        stopped = fmt::format("interrupted after line {}", number_);
    } catch (const std::exception& e) {
      under_way_.clear();
      stopped = fmt::format("stopped at line {}: {}", number_, e.what());
    }
    return tally_.finish(stopped);
  }

private:
  struct request {
    uint64_t line;
    size_t bytes;
    std::future<put_receipt> outcome;
  };

  void take_line() {
    ++number_;
    if (line_.find_first_not_of(" \t") == line_.npos && !reader_.too_long())
      return;
    try {
      if (reader_.too_long())
        throw bad_line{"the line is too long"};
      begin(read_line(line_));
    } catch (const bad_line& e) {
      tally_.bad(fmt::format("line {}", number_), e.what());
    } catch (const failure& e) {
      tally_.bad(fmt::format("line {}", number_), e.what());
    }
    tally_.show(reader_.progress());
  }

  void begin(item x) {
    for (size_t i = 0; i < x.versions.size(); ++i) {
      auto& v = x.versions[i];
      put_options options;
      options.user = v.user;
      if (!v.content_type.empty())
        options.content_type = v.content_type;
      options.expires = v.expires;
      options.replace = i == 0;
      auto bytes = v.value.size();
      make_room(bytes);
      under_way_.push_back({number_, bytes, node_.put_later(x.id, std::move(v.value), options)});
      bytes_under_way_ += bytes;
      // A sibling may be written only after the version that replaces what was there.
      while (i == 0 && x.versions.size() > 1 && !under_way_.empty())
        settle_one();
    }
  }

  void make_room(size_t bytes) {
    while (!under_way_.empty() && (under_way_.size() >= window_ || bytes_under_way_ + bytes > max_bytes_in_flight))
      settle_one();
  }

  void settle_one() {
    auto oldest = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_under_way_ -= oldest.bytes;
    try {
      oldest.outcome.get();
      tally_.good(oldest.bytes);
    } catch (const failure& e) {
      tally_.bad(fmt::format("line {}", oldest.line), e.what());
      if (node_is_away(e))
        tally_.away();
    }
  }

  client& node_;
  tally tally_;
  size_t window_;
  line_reader reader_;
  std::string line_;
  uint64_t number_ = 0;
  std::deque<request> under_way_;
  size_t bytes_under_way_ = 0;
};

int import_items(session_context& context, const arguments& args) {
  return importer{context, args}.run();
}

// -- export -----------------------------------------------------------------------------------------------------------

class exporter {
public:
  exporter(session_context& context, const arguments& args)
      : node_(context.patient_node()),
        tally_(context, "exported", args.positional[0] == "-" ? context.to.err : context.to.out),
        window_(window_from(args)), prefix_(args.get("--prefix")), writer_(args.positional[0]) {
    if (prefix_.empty())
      expected_ = items_here();
  }

  int run() {
    interrupt_guard guard;
    std::string stopped;
    try {
      walk(guard);
      while (!under_way_.empty())
        settle_one();
      if (guard.interrupted())
        stopped = "interrupted";
      else
        writer_.finish();
    } catch (const std::exception& e) {
      under_way_.clear();
      stopped = e.what();
    }
    if (!stopped.empty())
      stopped += "; what there is stands in the file that ends in .part";
    return tally_.finish(stopped);
  }

private:
  struct request {
    std::string id;
    uint64_t bytes;
    std::future<std::optional<item>> outcome;
  };

  uint64_t items_here() {
    auto report = node_.cluster();
    for (auto& n : report.nodes)
      if (n.node == report.self)
        return n.items;
    return 0;
  }

  void walk(const interrupt_guard& guard) {
    std::string after;
    for (bool more = true; more && !guard.interrupted();) {
      auto page = node_.list(prefix_, after);
      for (auto& entry : page.items) {
        if (guard.interrupted())
          return;
        // What is known of the sizes keeps large values from filling the memory.
        while (!under_way_.empty()
               && (under_way_.size() >= window_ || bytes_under_way_ + entry.bytes > max_bytes_in_flight))
          settle_one();
        bytes_under_way_ += entry.bytes;
        under_way_.push_back({entry.id, entry.bytes, node_.get_later(entry.id)});
      }
      more = page.more && !page.items.empty();
      if (more)
        after = page.items.back().id;
    }
  }

  void settle_one() {
    auto oldest = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_under_way_ -= oldest.bytes;
    try {
      if (auto found = oldest.outcome.get()) { // else it was deleted in between
        auto line = write_line(*found);
        writer_.write(line);
        tally_.good(line.size());
      }
    } catch (const failure& e) {
      tally_.bad(oldest.id, e.what());
      if (node_is_away(e))
        tally_.away();
    }
    auto share = static_cast<double>(tally_.items()) / static_cast<double>(std::max<uint64_t>(expected_, 1));
    tally_.show(expected_ > 0 ? std::min(share, 1.0) : -1);
  }

  client& node_;
  tally tally_;
  size_t window_;
  std::string prefix_;
  line_writer writer_;
  uint64_t expected_ = 0;
  std::deque<request> under_way_;
  uint64_t bytes_under_way_ = 0;
};

int export_items(session_context& context, const arguments& args) {
  context.to.out.flush();
  return exporter{context, args}.run();
}

} // namespace

std::vector<command> transfer_commands() {
  return {
      {"import",
       "FILE",
       "write many items from a file, replacing those that exist",
       "  Newline-delimited JSON, plain or gzip; - is standard input. Each line is an object:\n"
       "    {\"id\": \"news/1\", \"value\": \"aGVsbG8=\", \"content_type\": \"text/plain\", \"user\": \"u1\"}\n"
       "  value is base64; text may stand in its place. Lines that fail are reported with their numbers, and the\n"
       "  status is then 1. To repeat an import is safe: it writes the same values again.\n",
       {in_flight_option},
       1,
       1,
       {offer::files},
       import_items},
      {"export",
       "FILE",
       "write the items that this node holds to a file",
       "  The same lines that import reads; a name that ends in .gz is compressed; - is standard output. Written as\n"
       "  FILE.part first, so that FILE is always whole.\n",
       {{"--prefix", "PREFIX", "only ids that begin so"}, in_flight_option},
       1,
       1,
       {offer::files},
       export_items},
  };
}

} // namespace gnomon::shell
