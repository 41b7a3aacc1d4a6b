#include "runtime/replay/run.hpp"

#include "runtime/base/process.hpp"
#include "runtime/replay/geo_dns.hpp"
#include "runtime/replay/graphic.hpp"
#include "runtime/replay/pass.hpp"
#include "runtime/replay/prepare.hpp"
#include "runtime/replay/work_folder.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace fs = std::filesystem;

namespace {

// -- what both commands do --------------------------------------------------------------------------------------------

expected<bool> publish(const options& wanted, const prepared& job, const std::vector<named_pass>& passes) {
  if (auto wrong = publish_figures(wanted.json, page(job.facts, passes), figures_json(job.facts, passes)))
    return wrong;
  if (!wanted.report.empty())
    if (auto wrong = report::write_html(wanted.report, graphic(job, passes)))
      return wrong;
  return std::all_of(passes.begin(), passes.end(), [](auto& pass) { return pass.report.failures.empty(); });
}

// -- run --------------------------------------------------------------------------------------------------------------

/// How the nodes of a pass are set, beyond what the user has set.
struct pass_kind {
  std::string title;
  std::vector<std::string> settings;
};

std::vector<pass_kind> kinds_of(const options& wanted, size_t regions) {
  if (!wanted.baseline)
    return {{"gnomon", {}}};
  return {
      {"origin only",
       {"placement.factor=1", "placement.min_copies=1", "placement.shadow_on_read=false", "prediction.enabled=false"}},
      {"everywhere",
       {fmt::format("placement.factor={}", regions), fmt::format("placement.min_copies={}", regions),
        "prediction.enabled=false"}},
      {"gnomon", {}}};
}

std::string with_settings(const std::string& title, const fs::path& configs, const std::vector<std::string>& settings) {
  auto set = settings.empty() ? "nothing set" : fmt::format("{}", fmt::join(settings, ", "));
  return fmt::format("{} ran with the configs in {}, and {}", title, configs.string(), set);
}

/// A pass is what its title says only while its nodes hold nothing elsewhere.
void check_origin_only(pass_report& pass) {
  if (pass.copies_per_item <= 1.0 && pass.copies_at_end <= 1.0 && pass.ahead == 0)
    return;
  pass.failures.push_back(fmt::format("{:.2f} copies per item, {} made ahead: items lay outside of the origin",
                                      pass.copies_at_end, grouped(pass.ahead)));
}

expected<bool> run_passes(const options& wanted, prepared& job, cluster_options nodes, const fs::path& work) {
  event_loop loop;
  progress shown(wanted.quiet);
  shown.finish(announcement(job, wanted.baseline));
  std::vector<named_pass> passes;
  const auto settings = nodes.settings;
  for (const auto& kind : kinds_of(wanted, job.plan.targets.size())) {
    auto folder = kind.title;
    std::replace(folder.begin(), folder.end(), ' ', '-');
    nodes.work = work / folder;
    nodes.settings = settings;
    nodes.settings.insert(nodes.settings.end(), kind.settings.begin(), kind.settings.end());
    job.facts.notes.push_back(with_settings(kind.title, nodes.configs, nodes.settings));
    auto report = play_on_fresh_nodes(loop, job.plan, nodes, shown, kind.title);
    if (!report)
      return report.error();
    passes.push_back({kind.title, std::move(*report)});
  }
  if (wanted.baseline)
    check_origin_only(passes.front().report);
  return publish(wanted, job, passes);
}

expected<bool> run(const options& wanted) {
  auto configs = find_configs(wanted);
  if (!configs)
    return configs.error();
  auto job = prepare_run(wanted, *configs);
  if (!job)
    return job.error();
  auto work = work_folder::make(wanted.keep);
  if (!work)
    return work.error();
  return run_passes(wanted, **job, nodes_for(wanted, *configs, (*job)->speed), (*work)->path());
}

// -- load -------------------------------------------------------------------------------------------------------------

expected<bool> load(const options& wanted) {
  auto job = prepare(wanted, wanted.targets, {});
  if (!job)
    return job.error();
  event_loop loop;
  progress shown(wanted.quiet);
  shown.finish(announcement(**job, false));
  auto report = play_pass(loop, (*job)->plan, shown, "reading");
  if (!report)
    return report.error();
  return publish(wanted, **job, {{"gnomon", std::move(*report)}});
}

constexpr auto program = "gnomon-replay";

/// An error that a look at the arguments would have shown; the others are the world's.
bool is_usage(const caf::error& wrong) {
  return code_of(wrong) == ec::invalid_argument;
}

int complain(const std::string& sentence, int status) {
  gnomon::complain(program, sentence);
  return status;
}

} // namespace

int replay_main(const std::vector<std::string>& arguments) {
  auto wanted = parse_options(arguments);
  if (!wanted)
    return complain(sentence_of(wanted.error()) + "\nTry gnomon-replay --help.", 2);
  if (wanted->what == options::command::help) {
    print_text(help_text());
    return finish_output(program, 0);
  }
  if (!wanted->json.empty() && wanted->json != "-" && !std::ofstream(wanted->json, std::ios::app))
    return complain("--json: cannot write " + wanted->json.string(), 2);
  auto good = wanted->what == options::command::geo_dns ? run_geo_dns(*wanted)
              : wanted->what == options::command::run   ? run(*wanted)
                                                        : load(*wanted);
  if (!good)
    return complain(sentence_of(good.error()), is_usage(good.error()) ? 2 : 1);
  return finish_output(program, *good ? 0 : 1);
}

} // namespace gnomon::replay
