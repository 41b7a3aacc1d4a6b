#include "runtime/shell/command.hpp"
#include "runtime/shell/interrupt.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/progress.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <thread>

namespace gnomon::shell {

namespace {

using json = nlohmann::ordered_json;

constexpr size_t longest_line = 96u << 20; // a JSON array may stand in one line
constexpr size_t piece_size = 256u << 10;
constexpr auto ask_again = std::chrono::milliseconds{500};

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (char c : line)
    if (c == ',')
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  return cells;
}

/// Lines of a CSV trace as the JSON that a node takes.
class csv_lines {
public:
  /// `heading` names the columns. Throws when one that is needed is missing.
  explicit csv_lines(const std::string& heading) {
    static const std::map<std::string, std::string> known{
        {"t", "timestamp"},     {"time", "timestamp"}, {"timestamp", "timestamp"}, {"user", "user_id"},
        {"user_id", "user_id"}, {"item", "data_id"},   {"data_id", "data_id"},     {"region", "region"}};
    for (const auto& cell : columns_of(heading))
      members_.push_back(known.count(cell) > 0 ? known.at(cell) : "");
    for (auto needed : {"timestamp", "user_id", "data_id"})
      if (std::find(members_.begin(), members_.end(), needed) == members_.end())
        throw usage_error{fmt::format("the file is neither JSON nor CSV whose first line names t, user and item: "
                                      "{} is missing",
                                      needed)};
  }
  std::string to_json(const std::string& line) const {
    auto cells = columns_of(line);
    json access = json::object();
    for (size_t k = 0; k < std::min(cells.size(), members_.size()); ++k) {
      char* end = nullptr;
      const double number = std::strtod(cells[k].c_str(), &end);
      if (members_[k] == "timestamp" && !cells[k].empty() && *end == '\0')
        access["timestamp"] = number;
      else if (!members_[k].empty())
        access[members_[k]] = cells[k];
    }
    return access.dump(-1, ' ', false, json::error_handler_t::replace);
  }

private:
  std::vector<std::string> members_;
};

/// The text of a file, piece by piece, as JSON.
class training_text {
public:
  training_text(session_context& context, const std::string& file) : reader_(file, longest_line), shown_(context.to) {}
  bool next(std::string& piece) {
    piece.clear();
    while (piece.size() < piece_size && rest_.size() < piece_size && read_line()) {
    }
    const auto taken = std::min(rest_.size(), piece_size);
    piece = rest_.substr(0, taken);
    rest_.erase(0, taken);
    facts_.bytes += taken;
    facts_.share = reader_.progress();
    shown_.show(facts_);
    return !piece.empty();
  }
  void clear() {
    shown_.clear();
  }

private:
  bool read_line() {
    if (!reader_.next(line_))
      return false;
    if (reader_.too_long())
      throw failure{ec::too_large, "the file has a line of more than 96 MiB; put one access in each line"};
    if (facts_.items++ == 0 && !line_.empty() && line_.front() != '{' && line_.front() != '[') {
      csv_ = std::make_unique<csv_lines>(line_);
      return true;
    }
    rest_ += csv_ ? csv_->to_json(line_) : line_;
    rest_ += '\n';
    return true;
  }

  line_reader reader_;
  progress shown_;
  progress_facts facts_;
  std::unique_ptr<csv_lines> csv_;
  std::string line_, rest_;
};

json quality_of(const std::optional<user_model_quality>& q) {
  if (!q)
    return nullptr;
  return {{"recall_20", q->recall_20},
          {"mrr_20", q->mrr_20},
          {"counting_recall_20", q->counting_recall_20},
          {"predictions", q->predictions}};
}

void print_json(session_context& context, const training_report& r) {
  context.print({{"job", r.job},
                 {"state", r.state},
                 {"lines", r.lines},
                 {"accesses", r.accesses},
                 {"bad_lines", r.bad_lines},
                 {"left_out", r.left_out},
                 {"progress", r.share},
                 {"seconds_left", r.seconds_left},
                 {"quality", quality_of(r.users)},
                 {"running_quality", quality_of(r.running_users)},
                 {"model", r.model},
                 {"reason", r.reason}});
}

void print_text(session_context& context, const training_report& r) {
  auto& out = context.to.out;
  if (r.users)
    out << fmt::format("of {} reads held back, {:.1f}% were among the first 20 guesses; of the running model {:.1f}%\n",
                       human_count(r.users->predictions), 100 * r.users->recall_20,
                       r.running_users ? 100 * r.running_users->recall_20 : 0.0);
  if (r.demand)
    out << fmt::format("demand: loss {:.4f} on {} decisions, of the running model {:.4f}\n", r.demand->loss,
                       human_count(r.demand->decisions), r.running_demand ? r.running_demand->loss : 0.0);
  if (r.state == "adopted")
    out << fmt::format("model {} is in service\n", r.model);
  else if (r.over())
    out << r.state << ": " << r.reason << '\n';
  else
    out << fmt::format("training job {} is under way; train --job {} shows it\n", r.job, r.job);
}

void complain_about_lines(session_context& context, const training_report& r) {
  for (const auto& [line, reason] : r.complaints)
    context.to.err << fmt::format("line {}: {}\n", line, printable(reason));
  if (r.bad_lines > 0)
    context.to.err << fmt::format("{} of {} lines were passed over\n", human_count(r.bad_lines), human_count(r.lines));
}

/// Shows the job until it is over or the user has seen enough.
training_report follow(session_context& context, training_report report) {
  interrupt_guard guard;
  while (!report.over() && !guard.interrupted()) {
    std::this_thread::sleep_for(ask_again);
    report = context.node().training(report.job);
    if (context.to.err_is_tty)
      context.to.err << fmt::format("\rtraining: {:3.0f}%, about {:.0f} s left, {} reads/s  ", 100 * report.share,
                                    report.seconds_left, human_count(static_cast<uint64_t>(report.events_per_second)))
                     << std::flush;
  }
  if (context.to.err_is_tty)
    context.to.err << '\n';
  return report;
}

int train(session_context& context, const arguments& args) {
  training_report report;
  if (args.has("--job")) {
    report = context.node().training(parse_count(args.get("--job"), "--job", 1, UINT64_MAX));
  } else if (args.positional.empty()) {
    throw usage_error{"something is missing: usage: train FILE, or train --job N"};
  } else {
    training_text text{context, args.positional[0]};
    report = context.patient_node().train([&](std::string& piece) { return text.next(piece); });
    text.clear();
    complain_about_lines(context, report);
    if (!args.has("--no-wait"))
      report = follow(context, std::move(report));
  }
  context.json ? print_json(context, report) : print_text(context, report);
  return report.state == "failed" ? failed : done;
}

} // namespace

std::vector<command> train_commands() {
  return {
      {"train",
       "FILE",
       "train the prediction models on the reads in a file",
       "  One JSON object a line with user_id, data_id, timestamp (seconds since 1970, or 2024-05-01T12:00:00Z) and\n"
       "  perhaps region; or one JSON array of them; or CSV whose first line names t, user, item and perhaps region.\n"
       "  Plain or gzip; - is standard input. Bad lines are reported and passed over. The new models go into service\n"
       "  only when they do better than the running ones on reads that were held back.\n",
       {{"--no-wait", "", "do not wait for the end of the training"},
        {"--job", "N", "show a job instead of starting one"}},
       0,
       1,
       {offer::files},
       train}};
}

} // namespace gnomon::shell
