#include "runtime/base/trace_reader.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/progress.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <thread>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

constexpr size_t piece_size = 256u << 10;
constexpr auto ask_again = std::chrono::milliseconds{500};

/// The reads of a file, piece by piece, as the JSON that a node takes.
class training_text {
public:
  training_text(session_context& context, const std::string& file)
      : reader_(or_throw(trace_reader::open(file))), shown_(context.to) {}
  bool next(std::string& piece) {
    piece.clear();
    while (piece.size() < piece_size) {
      const auto read = reader_->next();
      if (!read)
        break;
      ++facts_.items;
      piece += line_of(*read);
    }
    // Said before the node has the last piece: then nothing is learned from a file that could not be read to its end.
    if (piece.empty())
      if (auto problem = reader_->problem())
        throw failure{code_of(problem), sentence_of(problem) + "; nothing was learned from it"};
    facts_.bytes += piece.size();
    facts_.share = reader_->progress();
    shown_.show(facts_);
    return !piece.empty();
  }
  void clear() {
    shown_.clear();
  }
  const trace_counts& counts() const {
    return reader_->counts();
  }

private:
  static std::string line_of(const raw_read& read) {
    json access{{"user_id", read.user}, {"data_id", read.item}, {"timestamp", read.t}};
    if (!read.region.empty())
      access["region"] = read.region;
    return access.dump() + '\n'; // all of it is UTF-8
  }

  std::unique_ptr<trace_reader> reader_;
  progress shown_;
  progress_facts facts_;
};

json quality_of(const std::optional<user_model_quality>& q) {
  if (!q)
    return nullptr;
  return {{"recall_20", q->recall_20},
          {"mrr_20", q->mrr_20},
          {"counting_recall_20", q->counting_recall_20},
          {"predictions", q->predictions}};
}

json quality_of(const std::optional<demand_model_quality>& q) {
  if (!q)
    return nullptr;
  json result{{"log_loss", q->log_loss},
              {"calibration_error", q->calibration_error},
              {"decisions", q->decisions},
              {"kind", q->kind}};
  if (q->network_log_loss > 0) { // of a new model
    result["network_log_loss"] = q->network_log_loss;
    result["trees_log_loss"] = q->trees_log_loss;
  }
  return result;
}

json to_json(const training_report& r) {
  return {{"job", r.job},
          {"state", r.state},
          {"lines", r.lines},
          {"accesses", r.accesses},
          {"bad_lines", r.bad_lines},
          {"left_out", r.left_out},
          {"withheld", r.withheld},
          {"counters", {{"learned", r.learned}}},
          {"progress", r.progress},
          {"seconds_left", r.seconds_left},
          {"users", {{"quality", quality_of(r.users)}, {"running", quality_of(r.running_users)}}},
          {"demand", {{"quality", quality_of(r.demand)}, {"running", quality_of(r.running_demand)}}},
          {"model", r.model},
          {"reason", r.reason}};
}

void print_text(session_context& context, const training_report& r) {
  auto& out = context.to.out;
  if (r.accesses + r.withheld > 0)
    out << fmt::format("counters and histories have learned from {} of {} reads{}\n", human_count(r.learned),
                       human_count(r.accesses + r.withheld),
                       r.withheld > 0 ? fmt::format("; {} are not to be learned", human_count(r.withheld)) : "");
  if (r.users)
    out << fmt::format("of {} reads held back, {:.1f}% were among the first 20 guesses; of the running model {:.1f}%\n",
                       human_count(r.users->predictions), 100 * r.users->recall_20,
                       r.running_users ? 100 * r.running_users->recall_20 : 0.0);
  if (r.demand)
    out << fmt::format(
        "demand: loss {:.4f} on {} decisions, of the running model {:.4f}; the {} do better: trees {:.4f}, "
        "network {:.4f}\n",
        r.demand->log_loss, human_count(r.demand->decisions), r.running_demand ? r.running_demand->log_loss : 0.0,
        printable(r.demand->kind), r.demand->trees_log_loss, r.demand->network_log_loss);
  if (r.state == "adopted")
    out << fmt::format("networks: model {} is in service\n", r.model);
  else if (r.over())
    out << (r.state == "failed" ? "failed: " : "networks kept: ") << printable(r.reason) << '\n';
  else
    out << fmt::format("training job {} is under way; train --job {} shows it\n", r.job, r.job);
}

/// What of the file is no access: as it was read here, and what the node passed over beyond that.
void complain_about_lines(session_context& context, const trace_counts& counts, const training_report& r) {
  auto& err = context.to.err;
  for (const auto& [line, reason] : counts.complaints)
    err << fmt::format("line {}: {}\n", line, printable(reason));
  for (const auto& [line, reason] : r.complaints)
    err << fmt::format("access {}: {}\n", line, printable(reason));
  if (const auto bad = counts.malformed + r.bad_lines; bad > 0)
    err << fmt::format("{} of {} lines were passed over\n", human_count(bad), human_count(counts.lines));
  if (counts.no_reads() > 0)
    err << fmt::format("{} lines are no reads: {}\n", human_count(counts.no_reads()), counts.no_reads_in_words());
}

/// Shows the job until it is over or the user has seen enough.
training_report follow(session_context& context, training_report report) {
  interrupt_guard guard;
  while (!report.over() && !guard.interrupted()) {
    std::this_thread::sleep_for(ask_again);
    report = context.wait(context.node().training_later(report.job));
    if (context.to.err_is_tty)
      context.to.err << fmt::format("\rtraining: {:3.0f}%, about {:.0f} s left, {} reads/s  ", 100 * report.progress,
                                    report.seconds_left, human_count(static_cast<uint64_t>(report.events_per_second)))
                     << std::flush;
  }
  if (context.to.err_is_tty)
    context.to.err << '\n';
  return report;
}

int list_jobs(session_context& context) {
  auto jobs = context.wait(context.node().trainings_later());
  if (context.json) {
    json all = json::array();
    for (auto& job : jobs)
      all.push_back(to_json(job));
    context.print({{"jobs", all}});
    return done;
  }
  table t{{">JOB", "STATE", ">READS", ">DONE", "RESULT"}};
  for (auto& job : jobs)
    t.row({std::to_string(job.job), job.state, human_count(job.accesses), fmt::format("{:.0f}%", 100 * job.progress),
           job.state == "adopted" ? fmt::format("model {} is in service", job.model) : job.reason});
  if (t.empty())
    context.to.err << "no training job since the node started\n";
  else
    t.print(context.to);
  return done;
}

int train(session_context& context, const arguments& args) {
  if (args.has("--list") + args.has("--job") + !args.positional.empty() != 1)
    throw usage_error{"usage: train FILE, train --job N, or train --list"};
  if (args.has("--list"))
    return list_jobs(context);
  training_report report;
  if (args.has("--job")) {
    report = context.wait(context.node().training_later(parse_count(args.get("--job"), "--job", 1, UINT64_MAX)));
  } else {
    training_text text{context, args.positional[0]};
    report = context.patient_node().train([&](std::string& piece) { return text.next(piece); });
    text.clear();
    complain_about_lines(context, text.counts(), report);
    if (!args.has("--no-wait"))
      report = follow(context, std::move(report));
    report.lines = text.counts().lines; // the node met the reads only
    report.bad_lines += text.counts().malformed;
  }
  context.json ? context.print(to_json(report)) : print_text(context, report);
  return report.state == "failed" ? failed : done;
}

command train_command() {
  return {
      .name = "train",
      .synopsis = "FILE | --job N | --list",
      .summary = "train the prediction models on the reads in a file",
      .details =
          R"(  One JSON object a line with user_id, data_id, timestamp (seconds since 1970, or 2024-05-01T12:00:00Z) and
  perhaps region; or one JSON array of them; or CSV whose first line names t, user, item and perhaps region;
  or an access log of a web server. Plain or gzip; - is standard input. Bad lines are reported and passed over.
  Counters and histories learn from the reads at once. The new networks go into service only when they do
  better than the running ones on reads that were held back.
)",
      .options = {{"--no-wait", "", "do not wait for the end of the training"},
                  {"--job", "N", "show a job instead of starting one"},
                  {"--list", "", "show the last jobs, the newest first"}},
      .most = 1,
      .offers = {offer::files},
      .run = train,
  };
}

} // namespace

std::vector<command> train_commands() {
  return {train_command()};
}

} // namespace gnomon::shell
