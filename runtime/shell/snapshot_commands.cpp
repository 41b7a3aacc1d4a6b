// Backup: the shell streams a node's items into a file of the caller's, and back into any node.
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/snapshot_file.hpp"
#include "runtime/shell/tally.hpp"

#include <spdlog/fmt/fmt.h>

#include <deque>
#include <fstream>

namespace gnomon::shell {

namespace {

time_point right_now() {
  return std::chrono::time_point_cast<time_point::duration>(std::chrono::system_clock::now());
}

// -- save -------------------------------------------------------------------------------------------------------------

class saver {
public:
  saver(session_context& context, const arguments& args)
      : node_(context.patient_node()),
        tally_(context, "saved", args.positional[0] == "-" ? context.to.err : context.to.out),
        window_(window_from(args)), writer_(args.positional[0], heading()) {}

  int run() {
    interrupt_guard guard;
    std::string stopped;
    try {
      writer_.add_policies(node_.save_policies());
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
      stopped += "; what there is stands in the file that ends in .part, and is no snapshot";
    return tally_.finish(stopped, {{"tombstones", tombstones_}});
  }

private:
  struct request {
    std::string id;
    uint64_t bytes;
    std::future<std::optional<std::string>> outcome;
  };

  snapshot_heading heading() {
    auto report = node_.cluster();
    snapshot_heading result{report.self, {}, right_now()};
    for (const auto& n : report.nodes)
      if (n.node == report.self) {
        result.region = n.region;
        expected_ = n.items;
      }
    return result;
  }

  void walk(const interrupt_guard& guard) {
    std::string after;
    for (bool more = true; more && !guard.interrupted();) {
      auto page = node_.list({}, after, 1000, true);
      for (const auto& entry : page.items) {
        if (guard.interrupted())
          return;
        while (!under_way_.empty()
               && (under_way_.size() >= window_ || bytes_under_way_ + entry.bytes > max_bytes_in_flight))
          settle_one();
        bytes_under_way_ += entry.bytes;
        under_way_.push_back({entry.id, entry.bytes, node_.save_later(entry.id)});
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
      if (auto entry = oldest.outcome.get()) { // else the copy left in between
        writer_.add_item(*entry);
        tombstones_ += std::get<snapshot_item>(read_entry(*entry)).deleted ? 1 : 0;
        tally_.good(entry->size());
      }
    } catch (const failure& e) {
      tally_.bad(oldest.id, e.what());
      if (node_is_away(e))
        tally_.away();
    }
    auto share = static_cast<double>(tally_.items()) / static_cast<double>(std::max<uint64_t>(expected_, 1));
    tally_.show(std::min(share, 1.0));
  }

  client& node_;
  tally tally_;
  size_t window_;
  uint64_t expected_ = 0;
  snapshot_writer writer_;
  std::deque<request> under_way_;
  uint64_t bytes_under_way_ = 0;
  uint64_t tombstones_ = 0;
};

int save_snapshot(session_context& context, const arguments& args) {
  context.to.out.flush();
  return saver{context, args}.run();
}

// -- check ------------------------------------------------------------------------------------------------------------

/// Reads all of it. Answers what is wrong, or nothing.
std::string problem_of(const std::string& file, snapshot_end* count = nullptr, snapshot_heading* heading = nullptr) {
  try {
    snapshot_reader reader{file};
    if (heading)
      *heading = reader.heading();
    while (reader.next())
      continue;
    if (count)
      *count = reader.count();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

int check_snapshot(session_context& context, const arguments& args) {
  snapshot_end count;
  snapshot_heading heading;
  if (auto problem = problem_of(args.positional[0], &count, &heading); !problem.empty())
    throw std::runtime_error{problem};
  if (context.json)
    context.print({{"node", heading.node},
                   {"region", heading.region},
                   {"taken", iso_time(heading.taken)},
                   {"items", count.items}});
  else
    context.to.out << fmt::format("whole: {} item{} of {} in {}, taken {}\n", human_count(count.items),
                                  count.items == 1 ? "" : "s", printable(heading.node), printable(heading.region),
                                  iso_time(heading.taken));
  return done;
}

// -- load -------------------------------------------------------------------------------------------------------------

const char* name_of(load_result result) {
  constexpr const char* names[] = {"restored", "merged", "known", "expired"};
  return names[static_cast<size_t>(result)];
}

class loader {
public:
  loader(session_context& context, const arguments& args)
      : node_(context.patient_node()), dry_run_(args.has("--dry-run")),
        tally_(context, dry_run_ ? "would have loaded" : "loaded", context.to.out), window_(window_from(args)),
        reader_(args.positional[0]) {
    if (auto file = args.get("--report"); !file.empty()) {
      report_.open(file);
      if (!report_)
        throw std::runtime_error{fmt::format("{}: cannot be written", file)};
    }
  }

  int run() {
    interrupt_guard guard;
    std::string stopped;
    try {
      while (!guard.interrupted() && reader_.next())
        take_entry();
      if (guard.interrupted())
        stopped = "interrupted";
    } catch (const std::exception& e) {
      stopped = e.what();
    }
    try {
      while (!under_way_.empty())
        settle_one();
      if (report_.is_open() && !report_.flush())
        throw std::runtime_error{"the report could not be written"};
    } catch (const std::exception& e) {
      under_way_.clear();
      stopped = stopped.empty() ? e.what() : stopped;
    }
    nlohmann::ordered_json counts;
    for (auto result : {load_result::restored, load_result::merged, load_result::known, load_result::expired})
      counts[name_of(result)] = counts_[static_cast<size_t>(result)];
    counts["policies"] = policies_;
    return tally_.finish(stopped, counts);
  }

private:
  struct request {
    std::string id;
    size_t bytes;
    std::future<load_result> outcome;
  };

  void take_entry() {
    if (std::holds_alternative<snapshot_policies>(reader_.part())) {
      policies_ = name_of(node_.load_later(reader_.entry(), dry_run_).get());
      return;
    }
    auto bytes = reader_.entry().size();
    while (!under_way_.empty() && (under_way_.size() >= window_ || bytes_under_way_ + bytes > max_bytes_in_flight))
      settle_one();
    auto id = std::get<snapshot_item>(reader_.part()).id;
    under_way_.push_back({std::move(id), bytes, node_.load_later(reader_.entry(), dry_run_)});
    bytes_under_way_ += bytes;
  }

  void settle_one() {
    auto oldest = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_under_way_ -= oldest.bytes;
    std::string outcome = "failed";
    try {
      auto result = oldest.outcome.get();
      outcome = name_of(result);
      ++counts_[static_cast<size_t>(result)];
      tally_.good(oldest.bytes);
    } catch (const failure& e) {
      tally_.bad(oldest.id, e.what());
      if (node_is_away(e))
        tally_.away();
    }
    if (report_.is_open())
      report_ << nlohmann::ordered_json{{"id", oldest.id}, {"outcome", outcome}}.dump() << '\n';
    tally_.show(reader_.progress());
  }

  client& node_;
  bool dry_run_;
  tally tally_;
  size_t window_;
  snapshot_reader reader_;
  std::ofstream report_;
  std::deque<request> under_way_;
  size_t bytes_under_way_ = 0;
  uint64_t counts_[4] = {};
  std::string policies_ = "none";
};

int load_snapshot(session_context& context, const arguments& args) {
  const auto& file = args.positional[0];
  if (file != "-" && !args.has("--damaged"))
    if (auto problem = problem_of(file); !problem.empty())
      throw std::runtime_error{problem + "; nothing was loaded: --damaged loads what stands before that place"};
  return loader{context, args}.run();
}

} // namespace

std::vector<command> snapshot_commands() {
  return {
      {"snapshot save",
       "FILE",
       "back up what this node holds, while it serves",
       "  Everything that is needed to give the items back: versions, values, contexts, tombstones, and the policies.\n"
       "  What was acknowledged before the start, and is held here, is in it; each item is as it was at one moment\n"
       "  during the saving. FILE is written by this program, as FILE.part until it is whole; a name that ends in .gz\n"
       "  is compressed; - is standard output.\n",
       {in_flight_option},
       1,
       1,
       {offer::files},
       save_snapshot},
      {"snapshot load",
       "FILE",
       "give back what a snapshot holds, also to a cluster that runs",
       "  Merges: what the cluster knows to be newer stays as it is, also when that is a delete. To repeat it is "
       "safe.\n"
       "  A delete that the whole cluster has forgotten is not known any more: such an item comes back, and is "
       "counted\n"
       "  as restored. Look with --dry-run and --report first where that matters. A damaged file is refused before\n"
       "  anything is loaded, unless it is standard input (-), which is loaded as it comes.\n",
       {{"--dry-run", "", "only say what would happen"},
        {"--report", "FILE", "write a line of JSON for each item: restored, merged, known, expired or failed"},
        {"--damaged", "", "load what stands before the place where the file is damaged"},
        in_flight_option},
       1,
       1,
       {offer::files},
       load_snapshot},
      {"snapshot check",
       "FILE",
       "read a snapshot and say whether it is whole, without a node",
       "",
       {},
       1,
       1,
       {offer::files},
       check_snapshot},
  };
}

} // namespace gnomon::shell
