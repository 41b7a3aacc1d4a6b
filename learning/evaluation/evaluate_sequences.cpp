#include "learning/evaluation/method_ranks.hpp"
#include "runtime/base/line_reader.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <functional>

namespace gnomon::learning {

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

constexpr size_t longest_session = 1u << 20;

/// Hands each line to `take`. Errors: when the file cannot be read to its end.
caf::error for_each_line(const std::string& path, const std::function<void(std::string_view)>& take) {
  auto file = line_reader::open(path, longest_session);
  if (!file)
    return file.error();
  for (std::string line; (*file)->next(line); take(line))
    if ((*file)->too_long())
      return make_error(ec::invalid_argument,
                        fmt::format("{} line {} is longer than {} bytes", path, (*file)->number(), longest_session));
  return (*file)->fault().empty() ? caf::error{} : make_error(ec::bad_message, (*file)->fault());
}

/// The parts of `line` between blanks, none of them empty.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  while (true) {
    auto begin = line.find_first_not_of(" \t");
    if (begin == line.npos)
      return result;
    line.remove_prefix(begin);
    auto end = std::min(line.find_first_of(" \t"), line.size());
    result.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// One question: what follows these items?
struct question {
  std::vector<uint32_t> items;
  uint32_t target = no_index;
};

class sequence_evaluation {
public:
  sequence_evaluation(const evaluation_config& config, const training_listener& listener)
      : config_(config), listener_(listener) {}

  expected<evaluation> run(const std::string& train, const std::string& test) {
    if (auto err = read_sessions(train, test.empty()))
      return err;
    if (auto err = test.empty() ? caf::error{} : read_questions(test))
      return err;
    if (questions_.empty())
      return make_error(ec::invalid_argument, "there is nothing to test with: no line has both items and a target");
    auto log = builder_.take(false);
    result_.accesses = log.accesses.size();
    result_.users = log.users;
    result_.items = log.items;
    const auto began = steady::now();
    auto parts = train_parts(log, config_.training, nullptr, [&](const training_progress& r) {
      if (r.events_per_second > 0)
        result_.network_events_per_second = r.events_per_second;
      return !listener_ || listener_(r);
    });
    if (!parts)
      return parts.error();
    replayed_log replay{counters_for(log), log.users};
    for (auto& a : log.accesses)
      replay.observe(a, {});
    result_.train_seconds = seconds_since(began);
    ask(replay.counts, *parts);
    return std::move(result_);
  }

private:
  caf::error read_sessions(const std::string& path, bool hold_back) {
    std::vector<std::string> lines;
    if (auto err = for_each_line(path, [&](std::string_view line) {
          if (words(line).size() > 0)
            lines.emplace_back(line);
        }))
      return err;
    const auto kept =
        hold_back ? static_cast<size_t>(static_cast<double>(lines.size()) * (1 - config_.hold_back)) : lines.size();
    for (size_t k = 0; k < kept; ++k)
      for (auto item : words(lines[k]))
        builder_.add(std::to_string(k), item, "", 0);
    if (builder_.size() == 0)
      return make_error(ec::invalid_argument, "'" + path + "' holds no sessions: one a line, item ids in order");
    for (size_t k = kept; k < lines.size(); ++k)
      add_prefixes(known(words(lines[k])));
    return {};
  }

  caf::error read_questions(const std::string& path) {
    return for_each_line(path, [this](std::string_view line) {
      const auto tab = std::min(line.find('\t'), line.size());
      const auto items = words(line.substr(0, tab)), target = words(line.substr(tab));
      if (items.empty() || target.size() != 1)
        result_.bad_lines += line.empty() ? 0 : 1;
      else
        questions_.push_back({known(items), builder_.item(target[0])});
    });
  }

  std::vector<uint32_t> known(const std::vector<std::string_view>& names) const {
    std::vector<uint32_t> items;
    for (auto name : names)
      if (auto item = builder_.item(name); item != no_index)
        items.push_back(item);
    return items;
  }

  void add_prefixes(const std::vector<uint32_t>& items) {
    for (size_t k = 1; k < items.size(); ++k)
      questions_.push_back({{items.begin(), items.begin() + static_cast<ptrdiff_t>(k)}, items[k]});
  }

  void ask(const counters& counts, const model_parts& parts) {
    method_ranks ranks{result_.methods, config_.network_predictions, questions_.size()};
    prediction_space space;
    std::vector<guess> guesses;
    calibration_table table;
    latency_sample latency;
    for (auto& q : questions_) {
      user_record user;
      for (auto item : q.items)
        user.history.push({item, 0});
      // Of a line whose items are all unknown nothing is known: a miss for every method.
      if (user.history.empty()) {
        for (auto method : {"popularity", "recency", "markov", "cooccurrence", "combined"})
          result_.methods[method].add(SIZE_MAX);
        continue;
      }
      refresh_state(parts.network, 1, false, user);
      const auto began = steady::now();
      predict(counts, parts, user, config_.training.candidates, parts.next, parts.useful, config_.training.guesses,
              space, guesses);
      latency.add(seconds_since(began));
      ranks.add(counts, parts.network, user, space, q.target);
      for (auto& g : guesses)
        table.add(g.next, g.item == q.target);
    }
    for (auto& [name, score] : result_.methods)
      score = score.means();
    result_.calibration = table.rows();
    result_.predict_p50_us = latency.quantile(0.5);
    result_.predict_p99_us = latency.quantile(0.99);
  }

  const evaluation_config& config_;
  const training_listener& listener_;
  log_builder builder_;
  std::vector<question> questions_;
  evaluation result_;
};

} // namespace

expected<evaluation> evaluate_sequences(const std::string& train, const std::string& test,
                                        const evaluation_config& config, const training_listener& listener) {
  return sequence_evaluation{config, listener}.run(train, test);
}

} // namespace gnomon::learning
