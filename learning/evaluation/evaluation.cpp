#include "learning/evaluation/evaluation.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace gnomon::learning {

namespace {

nlohmann::json to_rows(const std::vector<calibration_table::row>& table) {
  auto rows = nlohmann::json::array();
  for (auto& row : table)
    if (row.count > 0)
      rows.push_back({{"said", row.said}, {"came_true", row.came_true}, {"predictions", row.count}});
  return rows;
}

std::string to_lines(std::string_view title, const std::vector<calibration_table::row>& table) {
  std::string text = fmt::format("\n{:<28} {:>8} {:>10} {:>12}\n", title, "said", "came true", "predictions");
  for (auto& row : table)
    if (row.count > 0)
      text += fmt::format("{:<28} {:>8.3f} {:>10.3f} {:>12}\n", "", row.said, row.came_true, row.count);
  return text;
}

} // namespace

void method_score::add(size_t rank) {
  ++predictions;
  recall_1 += rank < 1 ? 1 : 0;
  recall_5 += rank < 5 ? 1 : 0;
  recall_20 += rank < 20 ? 1 : 0;
  mrr_20 += rank < 20 ? 1 / static_cast<double>(rank + 1) : 0;
}

method_score method_score::means() const {
  const double n = static_cast<double>(std::max<uint64_t>(predictions, 1));
  return {recall_1 / n, recall_5 / n, recall_20 / n, mrr_20 / n, predictions};
}

std::string to_json(const evaluation& e) {
  nlohmann::json methods = nlohmann::json::object(), prefetch = nlohmann::json::array();
  for (auto& [name, score] : e.methods)
    methods[name] = {{"recall_1", score.recall_1},
                     {"recall_5", score.recall_5},
                     {"recall_20", score.recall_20},
                     {"mrr_20", score.mrr_20},
                     {"predictions", score.predictions}};
  for (auto& p : e.prefetch)
    prefetch.push_back({{"threshold", p.threshold},
                        {"precision", p.precision},
                        {"coverage", p.coverage},
                        {"issued_per_access", p.issued}});
  nlohmann::json result = methods; // the methods by name at the top, as `combined.recall_20`
  result["methods"] = methods;
  result["calibration"] = to_rows(e.calibration);
  result["useful_calibration"] = to_rows(e.useful_calibration);
  result["prefetch"] = prefetch;
  if (e.demand)
    result["demand"] = to_object(*e.demand);
  result["train_seconds"] = e.train_seconds;
  result["network_events_per_second"] = e.network_events_per_second;
  result["predict_p50_us"] = e.predict_p50_us;
  result["predict_p99_us"] = e.predict_p99_us;
  result["accesses"] = e.accesses;
  result["users"] = e.users;
  result["items"] = e.items;
  result["bad_lines"] = e.bad_lines;
  return result.dump(2);
}

std::string to_text(const evaluation& e) {
  auto text = fmt::format("{} accesses, {} users, {} items, {} bad lines; trained in {:.1f} s, the network at {:.0f} "
                          "accesses/s\na prediction takes {:.1f} us (p50), {:.1f} us (p99)\n\n",
                          e.accesses, e.users, e.items, e.bad_lines, e.train_seconds, e.network_events_per_second,
                          e.predict_p50_us, e.predict_p99_us);
  text += fmt::format("{:<14} {:>9} {:>9} {:>10} {:>8} {:>12}\n", "method", "recall@1", "recall@5", "recall@20",
                      "MRR@20", "predictions");
  for (auto& [name, s] : e.methods)
    text += fmt::format("{:<14} {:>9.4f} {:>9.4f} {:>10.4f} {:>8.4f} {:>12}\n", name, s.recall_1, s.recall_5,
                        s.recall_20, s.mrr_20, s.predictions);
  text += to_lines("calibration of the next", e.calibration);
  if (!e.useful_calibration.empty())
    text += to_lines("calibration of the useful", e.useful_calibration);
  if (!e.prefetch.empty())
    text += fmt::format("\n{:<10} {:>10} {:>10} {:>18}\n", "threshold", "precision", "coverage", "fetches an access");
  for (auto& p : e.prefetch)
    text += fmt::format("{:<10} {:>10.3f} {:>10.3f} {:>18.3f}\n", p.threshold, p.precision, p.coverage, p.issued);
  if (e.demand)
    text.append(1, '\n').append(to_text(*e.demand));
  return text;
}

} // namespace gnomon::learning
