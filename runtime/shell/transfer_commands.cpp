#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/item_line.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/tally.hpp"

#include <spdlog/fmt/fmt.h>

#include <deque>

namespace gnomon::shell {

namespace {

constexpr size_t max_line_bytes = 96u << 20; // a value of 64 MiB in base64, and room

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
