// Backup: the shell streams a node's items into a file of the caller's, and back into any node.
#include "runtime/base/json_text.hpp"
#include "runtime/base/times.hpp"
#include "runtime/shell/request_window.hpp"
#include "runtime/shell/snapshot_file.hpp"

#include <spdlog/fmt/fmt.h>

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
        tally_(context, "saved", is_standard_output(args.positional[0]) ? context.to.err : context.to.out),
        window_(tally_, window_from(args), [this](const auto&, auto got) { keep(got); }),
        writer_(args.positional[0], heading()) {}

  int run() {
    auto stopped = window_.run(
        [this] {
          writer_.add_policies(node_.save_policies());
          window_.walk(node_, {}, true, [this](const auto& id) { return node_.save_later(id); });
        },
        [this] { writer_.finish(); });
    if (!stopped.empty() && !writer_.remains().empty())
      stopped += writer_.remains() + ", and is no snapshot";
    return tally_.finish(stopped, {{"tombstones", tombstones_}});
  }

private:
  using copy = std::optional<saved_item>; // nothing when the copy left in between

  snapshot_heading heading() {
    auto self = self_of(node_.cluster());
    return {self.node, self.region, right_now()};
  }

  void keep(const std::optional<copy>& got) {
    if (!got || !*got)
      return;
    const auto& [entry, deleted] = **got;
    writer_.add_item(entry);
    tombstones_ += deleted ? 1 : 0;
    tally_.good(entry.size());
  }

  client& node_;
  tally tally_;
  request_window<copy> window_;
  snapshot_writer writer_;
  uint64_t tombstones_ = 0;
};

int save_snapshot(session_context& context, const arguments& args) {
  if (context.to.out_is_tty && is_standard_output(args.positional[0]))
    throw usage_error{"a snapshot is not for a terminal; name a file, or a program behind a pipe"};
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
                   {"taken", rfc3339(heading.taken)},
                   {"items", count.items}});
  else
    context.to.out << fmt::format("whole: {} item{} of {} in {}, taken {}\n", human_count(count.items),
                                  count.items == 1 ? "" : "s", printable(heading.node), printable(heading.region),
                                  rfc3339(heading.taken));
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
        tally_(context, dry_run_ ? "would have loaded" : "loaded", context.to.out),
        window_(tally_, window_from(args), [this](const auto& asked, auto result) { note(asked, result); }),
        reader_(args.positional[0]) {
    if (auto file = args.get("--report"); !file.empty()) {
      report_.open(file);
      if (!report_)
        throw std::runtime_error{fmt::format("{}: cannot be written", file)};
    }
  }

  int run() {
    auto stopped = window_.run([this] {
      while (!window_.interrupted() && reader_.next())
        take_entry();
    });
    if (report_.is_open() && !report_.flush() && stopped.empty())
      stopped = "the report could not be written";
    nlohmann::ordered_json counts;
    for (auto result : {load_result::restored, load_result::merged, load_result::known, load_result::expired})
      counts[name_of(result)] = counts_[static_cast<size_t>(result)];
    counts["policies"] = policies_;
    return tally_.finish(stopped, counts);
  }

private:
  void take_entry() {
    const auto& entry = reader_.entry();
    if (std::holds_alternative<snapshot_policies>(reader_.part()))
      policies_ = name_of(node_.load_later(entry, dry_run_).get());
    else if (const auto* item = std::get_if<snapshot_item>(&reader_.part()))
      window_.begin({item->id, entry.size(), reader_.progress()}, [&] { return node_.load_later(entry, dry_run_); });
  }

  void note(const work_item& asked, std::optional<load_result> result) {
    if (result) {
      ++counts_[static_cast<size_t>(*result)];
      tally_.good(asked.bytes);
    }
    if (report_.is_open())
      report_ << json_text(
          nlohmann::ordered_json{{"id", asked.name}, {"outcome", result ? name_of(*result) : "failed"}})
              << '\n';
  }

  client& node_;
  bool dry_run_;
  tally tally_;
  request_window<load_result> window_;
  snapshot_reader reader_;
  std::ofstream report_;
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

command snapshot_save_command() {
  return {
      .name = "snapshot save",
      .synopsis = "FILE",
      .summary = "back up what this node holds, while it serves",
      .details =
          R"(  A snapshot holds what is needed to restore the items: versions, values, contexts, tombstones, and the policies.
  It has every write that was acknowledged before the start and is held here. Each item is saved as it was at one
  moment during the saving. The output is FILE.part until it is whole, and then becomes FILE. A name that ends in
  .gz is compressed; - is standard output. A pipe or a device is written into.
)",
      .options = {in_flight_option},
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = save_snapshot,
  };
}

command snapshot_load_command() {
  return {
      .name = "snapshot load",
      .synopsis = "FILE",
      .summary = "give back what a snapshot holds, also to a cluster that runs",
      .details =
          R"(  The snapshot is merged: where the cluster has a newer version or a newer delete, that stays. It is safe to repeat.
  Once the whole cluster has forgotten a delete, loading an older snapshot brings the item back, counted as
  restored; --dry-run and --report show such items first. A damaged file is refused before anything is loaded.
  Standard input (-) is loaded while it is read.
)",
      .options = {{"--dry-run", "", "only say what would happen"},
                  {"--report", "FILE",
                   "write a line of JSON for each item: restored, merged, known, expired or failed"},
                  {"--damaged", "", "load what stands before the place where the file is damaged"},
                  in_flight_option},
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = load_snapshot,
  };
}

command snapshot_check_command() {
  return {
      .name = "snapshot check",
      .synopsis = "FILE",
      .summary = "read a snapshot and say whether it is whole, without a node",
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = check_snapshot,
  };
}

} // namespace

std::vector<command> snapshot_commands() {
  return {snapshot_save_command(), snapshot_load_command(), snapshot_check_command()};
}

} // namespace gnomon::shell
