#include "runtime/base/numbers.hpp"
#include "runtime/gateway/handlers.hpp"
#include "runtime/gateway/json.hpp"

namespace gnomon::http {

namespace {

json figures(const model_figures& f) {
  if (f.predictions == 0)
    return nullptr;
  return {{"recall_20", known(f.recall_20)},
          {"mrr_20", known(f.mrr_20)},
          {"counting_recall_20", known(f.counting_recall_20)},
          {"predictions", f.predictions}};
}

json figures(const demand_figures& f) {
  if (f.decisions == 0)
    return nullptr;
  json text{{"log_loss", known(f.log_loss)},
            {"calibration_error", known(f.calibration_error)},
            {"decisions", f.decisions},
            {"kind", f.kind}};
  if (f.network_log_loss.value > 0) { // of a new model
    text["network_log_loss"] = known(f.network_log_loss);
    text["trees_log_loss"] = known(f.trees_log_loss);
  }
  return text;
}

json document(const training_status& s) {
  auto complaints = json::array();
  for (const auto& complaint : s.complaints)
    complaints.push_back({{"line", complaint.line}, {"reason", complaint.reason}});
  json text{{"job", std::to_string(s.job)},
            {"state", name(s.phase)},
            {"lines", s.lines},
            {"accesses", s.accesses},
            {"bad_lines", s.bad_lines},
            {"left_out", s.left_out},
            {"withheld", s.withheld},
            {"counters", {{"learned", s.learned}}},
            {"complaints", std::move(complaints)},
            {"progress", known(s.progress)},
            {"seconds_left", known(s.seconds_left)},
            {"events_per_second", known(s.events_per_second)}};
  text["users"] = {{"quality", figures(s.users)}, {"running", figures(s.running_users)}, {"better", s.better_users}};
  text["demand"] = {
      {"quality", figures(s.demand)}, {"running", figures(s.running_demand)}, {"better", s.better_demand}};
  text["model"] = s.model;
  text["reason"] = s.reason;
  return text;
}

} // namespace

next_step prepare_train(request& asked, bool last) {
  return client_message{train_piece{asked.upload.job, asked.upload.pieces, blob{std::move(asked.body)}, last}};
}

next_step prepare_training(const request& asked) {
  auto job = parse_number<uint64_t>(std::string_view{asked.path}.substr(train_path.size() + 1));
  if (!job || *job == 0)
    return refusal(invalid("a training job is named by the number that POST /prefetch/train answered"));
  return client_message{get_training{*job}};
}

response answer_trainings(const training_list& list) {
  auto jobs = json::array();
  for (const auto& job : list.jobs)
    jobs.push_back(document(job));
  return json_response(200, dump({{"jobs", std::move(jobs)}}));
}

response answer_training(const request& asked, const training_status& status) {
  if (asked.method != "POST")
    return json_response(200, dump(document(status)));
  auto answer = json_response(202, dump(document(status)));
  answer.headers.emplace_back("Location", std::string{train_path} + "/" + std::to_string(status.job));
  return answer;
}

} // namespace gnomon::http
